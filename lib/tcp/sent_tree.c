/* SPDX-License-Identifier: BSD-3-Clause */
#include "sent_tree.h"

/*
 * A treap: a search tree by `start` that is a heap by a hash of the record's index, so balanced
 * whatever the peer does, with no more to keep than three indices a record.
 */
static struct tern_sent *at(const struct tern_tcp *t, uint32_t idx)
{
    return &t->sents[idx];
}

static uint32_t priority(uint32_t idx)
{
    const uint32_t x = idx * 0x9e3779b1u; /* 2^32 / golden ratio */
    return x ^ x >> 15;
}

static void replace_child(
    struct tern_tcp *t, struct tern_txq *q, uint32_t parent, uint32_t old, uint32_t new)
{
    if (parent == 0)
        q->root = new;
    else if (at(t, parent)->left == old)
        at(t, parent)->left = new;
    else
        at(t, parent)->right = new;
    if (new != 0)
        at(t, new)->up = parent;
}

/** Turn the edge between `x` and its parent: x is the parent afterwards. */
static void rotate_up(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    const uint32_t p = at(t, x)->up;
    struct tern_sent *sx = at(t, x), *sp = at(t, p);
    replace_child(t, q, sp->up, p, x);
    uint32_t between;
    if (sp->left == x) {
        between = sp->left = sx->right;
        sx->right = p;
    } else {
        between = sp->right = sx->left;
        sx->left = p;
    }
    if (between != 0)
        at(t, between)->up = p;
    sp->up = x;
}

static uint32_t leftmost(const struct tern_tcp *t, uint32_t x)
{
    while (at(t, x)->left != 0)
        x = at(t, x)->left;
    return x;
}

static uint32_t rightmost(const struct tern_tcp *t, uint32_t x)
{
    while (at(t, x)->right != 0)
        x = at(t, x)->right;
    return x;
}

uint32_t tern_sent_next(const struct tern_tcp *t, uint32_t x)
{
    if (at(t, x)->right != 0)
        return leftmost(t, at(t, x)->right);
    uint32_t p = at(t, x)->up;
    for (; p != 0 && at(t, p)->right == x; p = at(t, p)->up)
        x = p;
    return p;
}

uint32_t tern_sent_prev(const struct tern_tcp *t, uint32_t x)
{
    if (at(t, x)->left != 0)
        return rightmost(t, at(t, x)->left);
    uint32_t p = at(t, x)->up;
    for (; p != 0 && at(t, p)->left == x; p = at(t, p)->up)
        x = p;
    return p;
}

void tern_sent_insert(struct tern_tcp *t, struct tern_txq *q, uint32_t prev, uint32_t x)
{
    struct tern_sent *s = at(t, x);
    s->left = s->right = s->up = 0;
    if (prev == 0) {
        q->root = q->first = x;
    } else if (at(t, prev)->right == 0) {
        at(t, prev)->right = x;
        s->up = prev;
    } else {
        s->up = leftmost(t, at(t, prev)->right);
        at(t, s->up)->left = x;
    }
    while (s->up != 0 && priority(s->up) < priority(x))
        rotate_up(t, q, x);
    if (q->last == prev)
        q->last = x;
}

void tern_sent_remove(struct tern_tcp *t, struct tern_txq *q, uint32_t x)
{
    if (q->first == x)
        q->first = tern_sent_next(t, x);
    if (q->last == x)
        q->last = tern_sent_prev(t, x);
    struct tern_sent *s = at(t, x);
    while (s->left != 0 || s->right != 0) {
        const bool go_left =
            s->right == 0 || (s->left != 0 && priority(s->left) > priority(s->right));
        rotate_up(t, q, go_left ? s->left : s->right);
    }
    replace_child(t, q, s->up, x, 0);
}

uint32_t tern_sent_find(const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq seq)
{
    uint32_t x = q->root;
    while (x != 0) {
        const struct tern_sent *s = at(t, x);
        if (tern_seq_before(seq, s->start))
            x = s->left;
        else if (tern_seq_before(seq, s->end))
            return x;
        else
            x = s->right;
    }
    return 0;
}
