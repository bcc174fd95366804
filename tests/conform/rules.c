/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reading the table. A line is three parts between bars: when, then, source; words are separated by
 * blanks, alternatives by commas. Every word must be known, every set defined before it is used:
 * a typing error is an error, never a rule that silently matches nothing.
 */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

const char *const state_names[] = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RCVD-P", "SYN-RCVD-A",
    "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
    "="};
const char *const ts_names[] = {"off", "new", "same", "old", "gone"};
const char *const seq_names[] = {
    "far-left", "left", "before", "at", "after", "inside", "last", "edge", "beyond", "far-right"};
const char *const len_names[] = {"0", "+"};
const char *const wnd_names[] = {"open", "zero"};
const char *const ack_names[] = {
    "off", "old", "oldest", "below", "una", "mid", "nxt", "beyond", "far"};
static const char *const answer_names[] = {
    "-", "ACK", "ACK?", "RST", "RST-ACK", "SYN-ACK", "(other)"};
static const char *const acked_names[] = {"-", "taken", "-", "(other)"};
static const char *const deliver_names[] = {"0", "all", "rest", "later", "(other)"};
static const char *const user_names[] = {"-", "reset", "refused", "done", "over"};

struct set {
    char name[WORD_MAX + 4];
    char words[256];
};

struct reader {
    const char *file;
    unsigned line;
    struct set sets[SETS_MAX];
    unsigned n_sets;
    bool failed;
};

static void complain(struct reader *r, const char *what, const char *word)
{
    fprintf(stderr, "%s:%u: %s '%s'\n", r->file, r->line, what, word);
    r->failed = true;
}

static int number_of(const char *word, const char *const *names, int n_names)
{
    for (int i = 0; i < n_names; i++)
        if (strcmp(word, names[i]) == 0)
            return i;
    return -1;
}

static const char *set_words(const struct reader *r, const char *name)
{
    for (unsigned i = 0; i < r->n_sets; i++)
        if (strcmp(r->sets[i].name, name) == 0)
            return r->sets[i].words;
    return NULL;
}

/** "at,@ahead" as bits; sets may name sets. */
static uint32_t bits_of(struct reader *r, const char *list, const char *const *names, int n_names)
{
    char words[256], *next = NULL;
    uint32_t bits = 0;
    if (strcmp(list, "*") == 0)
        return (1u << n_names) - 1;
    snprintf(words, sizeof words, "%s", list);
    for (char *w = strtok_r(words, ",", &next); w != NULL; w = strtok_r(NULL, ",", &next)) {
        const char *inner = w[0] == '@' ? set_words(r, w) : NULL;
        const int i = number_of(w, names, n_names);
        if (inner != NULL)
            bits |= bits_of(r, inner, names, n_names);
        else if (i >= 0)
            bits |= 1u << i;
        else
            complain(r, "unknown word", w);
    }
    return bits;
}

static int one_of(struct reader *r, const char *word, const char *const *names, int n_names)
{
    const int i = number_of(word, names, n_names);
    if (i < 0)
        complain(r, "unknown word", word);
    return i < 0 ? 0 : i;
}

/** "+S-A" */
static void read_flags(struct reader *r, const char *word, struct rule *rule)
{
    static const char letters[] = "FSRPAUEC";
    if (strcmp(word, "*") == 0)
        return;
    for (const char *at = word; *at != '\0'; at += 2) {
        const char *letter = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
        if (letter == NULL || (at[0] != '+' && at[0] != '-')) {
            complain(r, "not flags", word);
            return;
        }
        const uint8_t bit = (uint8_t)(1u << (letter - letters));
        *(at[0] == '+' ? &rule->flags_set : &rule->flags_clear) |= bit;
    }
}

/** "rest,eof" */
static void read_deliver(struct reader *r, char *word, struct outcome *then)
{
    char *eof = strchr(word, ',');
    if (eof != NULL) {
        then->eof = strcmp(eof, ",eof") == 0;
        if (!then->eof)
            complain(r, "not `eof`", eof);
        *eof = '\0';
    }
    then->deliver = (enum deliver)one_of(r, word, deliver_names, N_DELIVER);
}

/** Cut at blanks. @return how many words, at most max + 1 */
static unsigned split(char *text, char **words, unsigned max)
{
    char *next = NULL;
    unsigned n = 0;
    for (char *w = strtok_r(text, " \t\n", &next); w != NULL && n <= max;
         w = strtok_r(NULL, " \t\n", &next), n++)
        if (n < max)
            words[n] = w;
    return n;
}

/** A set may name sets before it, so that none can name itself. */
static bool names_known_sets(const struct reader *r, const char *list)
{
    char words[256], *next = NULL;
    snprintf(words, sizeof words, "%s", list);
    for (char *w = strtok_r(words, ",", &next); w != NULL; w = strtok_r(NULL, ",", &next))
        if (w[0] == '@' && set_words(r, w) == NULL)
            return false;
    return true;
}

static void read_set(struct reader *r, char *line)
{
    char *words[3];
    if (split(line, words, 3) != 3 || words[1][0] != '@' || r->n_sets == SETS_MAX
        || !names_known_sets(r, words[2])) {
        complain(
            r, "not `set @name words`, or too many sets, or one that is not defined yet:", line);
        return;
    }
    struct set *s = &r->sets[r->n_sets++];
    snprintf(s->name, sizeof s->name, "%s", words[1]);
    snprintf(s->words, sizeof s->words, "%s", words[2]);
}

static void read_of(struct reader *r, char *list, struct rule *rule)
{
    char *next = NULL;
    if (strcmp(list, "*") == 0)
        return;
    for (char *w = strtok_r(list, ",", &next); w != NULL; w = strtok_r(NULL, ",", &next))
        if (rule->n_of < OF_MAX)
            snprintf(rule->of[rule->n_of++], WORD_MAX, "%s", w);
        else
            complain(r, "too many rules in one deviation, at", w);
}

enum { WHEN_WORDS = 8, THEN_WORDS = 5 };

static void read_when(struct reader *r, char **w, struct rule *rule)
{
    snprintf(rule->id, sizeof rule->id, "%s", w[0]);
    rule->states = bits_of(r, w[1], state_names, N_STATES);
    read_flags(r, w[2], rule);
    rule->ts = bits_of(r, w[3], ts_names, N_TS);
    rule->seqs = bits_of(r, w[4], seq_names, N_SEQ);
    rule->lens = bits_of(r, w[5], len_names, N_LEN);
    rule->wnds = bits_of(r, w[6], wnd_names, N_WND);
    rule->acks = bits_of(r, w[7], ack_names, N_ACK);
}

static void read_then(struct reader *r, char **w, struct outcome *then)
{
    then->answer = (enum answer)one_of(r, w[0], answer_names, N_ANSWERS);
    then->next = (enum state)one_of(r, w[1], state_names, N_STATES + 1);
    then->acked = (enum acked)one_of(r, w[2], acked_names, N_ACKED);
    read_deliver(r, w[3], then);
    then->user = (enum user)one_of(r, w[4], user_names, N_USER);
}

static void read_rule(struct reader *r, char *line, struct rules *rs, bool deviations)
{
    char *words[WHEN_WORDS + 1];
    char *then = strchr(line, '|');
    char *source = then != NULL ? strchr(then + 1, '|') : NULL;
    if (source == NULL || rs->n == RULES_MAX) {
        complain(r, "not `when | then | source`:", line);
        return;
    }
    *then++ = *source++ = '\0';
    struct rule *rule = &rs->rule[rs->n++];
    *rule = (struct rule){.line = r->line};
    snprintf(rule->source, sizeof rule->source, "%s", source + strspn(source, " "));
    rule->source[strcspn(rule->source, "\n")] = '\0';
    if (split(line, words, WHEN_WORDS + deviations) != (unsigned)WHEN_WORDS + deviations) {
        complain(r, "not as many conditions as columns:", line);
        return;
    }
    if (deviations) {
        read_of(r, words[1], rule);
        memmove(words + 1, words + 2, (WHEN_WORDS - 1) * sizeof words[0]);
    }
    read_when(r, words, rule);
    if (split(then, words, THEN_WORDS) != THEN_WORDS)
        complain(r, "not five outcomes:", then);
    else
        read_then(r, words, &rule->then);
}

bool rules_read(struct rules *rs, const char *path, bool deviations)
{
    char line[512];
    const char *slash = strrchr(path, '/');
    struct reader r = {.file = slash != NULL ? slash + 1 : path};
    FILE *f = fopen(path, "r");
    *rs = (struct rules){.file = r.file};
    if (f == NULL) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        r.line++;
        if (strchr(line, '\n') == NULL)
            complain(&r, "line too long:", line);
        if (strncmp(line, "set ", 4) == 0)
            read_set(&r, line);
        else if (line[0] != '#' && line[strspn(line, " \t\n")] != '\0')
            read_rule(&r, line, rs, deviations);
    }
    fclose(f);
    return !r.failed;
}

static bool matches(const struct rule *r, const struct situation *at)
{
    return (r->states >> at->state & 1) && (at->flags & r->flags_set) == r->flags_set
           && (at->flags & r->flags_clear) == 0 && (r->ts >> at->ts & 1) && (r->seqs >> at->seq & 1)
           && (r->lens >> at->len & 1) && (r->wnds >> at->wnd & 1) && (r->acks >> at->ack & 1);
}

struct rule *rules_find(struct rules *rs, const struct situation *at)
{
    for (unsigned i = 0; i < rs->n; i++)
        if (matches(&rs->rule[i], at))
            return &rs->rule[i];
    return NULL;
}

static bool departs_from(const struct rule *deviation, const struct rule *base)
{
    for (unsigned i = 0; i < deviation->n_of; i++)
        if (strcmp(deviation->of[i], base->id) == 0)
            return true;
    return deviation->n_of == 0;
}

/** What a rule says, as it would be seen. */
static struct outcome as_seen(const struct outcome *then, const struct situation *at)
{
    struct outcome o = *then;
    if (o.next == ST_SAME)
        o.next = at->state;
    if (o.deliver == DEL_ALL && at->len == LEN_0) /* of no text, all is nothing */
        o.deliver = DEL_0;
    return o;
}

struct rule *deviation_find(struct rules *rs, const struct situation *at, const struct rule *base)
{
    for (unsigned i = 0; i < rs->n; i++)
        if (departs_from(&rs->rule[i], base) && matches(&rs->rule[i], at)) {
            const struct outcome other = as_seen(&rs->rule[i].then, at);
            return outcome_agrees(&base->then, &other, at) ? NULL : &rs->rule[i];
        }
    return NULL;
}

bool is_fault(const struct rule *deviation)
{
    return deviation->id[0] == 'X';
}

static bool answer_agrees(enum answer want, enum answer seen)
{
    return want == seen || (want == ANS_ACK_OR_NONE && (seen == ANS_ACK || seen == ANS_NONE));
}

/** CLOSED and LISTEN are, of a connection, the same: there is none. */
static enum state as_record(enum state s)
{
    return s == ST_LISTEN ? ST_CLOSED : s;
}

static bool acked_agrees(enum acked want, enum acked seen)
{
    return want == seen || seen == ACKED_UNSEEN;
}

static bool user_agrees(enum user want, enum user seen)
{
    return want == seen || want == USER_OVER;
}

bool outcome_agrees(
    const struct outcome *want, const struct outcome *seen, const struct situation *at)
{
    const struct outcome w = as_seen(want, at);
    return answer_agrees(w.answer, seen->answer) && as_record(w.next) == as_record(seen->next)
           && acked_agrees(w.acked, seen->acked) && w.deliver == seen->deliver && w.eof == seen->eof
           && user_agrees(w.user, seen->user);
}

void print_situation(FILE *to, const struct situation *at)
{
    static const char letters[] = "FSRPAUEC";
    char flags[9] = "........";
    for (int i = 0; i < 8; i++)
        if (at->flags >> i & 1)
            flags[i] = letters[i];
    fprintf(to, "%-11s %s ts=%s seq=%s len=%s wnd=%s ack=%s", state_names[at->state], flags,
        ts_names[at->ts], seq_names[at->seq], len_names[at->len], wnd_names[at->wnd],
        ack_names[at->ack]);
}

void print_outcome(FILE *to, const struct outcome *o)
{
    fprintf(to, "%s %s %s %s%s %s%s", answer_names[o->answer], state_names[o->next],
        acked_names[o->acked], deliver_names[o->deliver], o->eof ? ",eof" : "", user_names[o->user],
        o->stuck ? ", then stuck" : "");
}
