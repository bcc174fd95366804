/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * State × event conformance: every state, every value of the flags byte, every position of SEG.SEQ
 * and SEG.ACK, with and without text, with an open and a closed receive window, against the rules
 * of arrival.rules (what the RFCs say) and deviations.rules (where tern means to differ, and why).
 *
 *     test_conform arrival.rules deviations.rules [--json] [--show N] [--per-rule N]
 *                  [--v6-every N] [--state NAME]
 *
 * IPv4 runs through all of it and IPv6, too, or with --v6-every through one combination in N. With
 * timestamps the bits that never matter (PSH, URG, ECE, CWR) are drawn instead of enumerated.
 *
 * It fails on a difference, on a combination without a rule, on a rule or deviation that nothing
 * matches, on a state that tern cannot be brought into, and on memory not given back.
 */
#include "endpoint.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNS_PER_INSTANCE = 1024,
    V6_EVERY = 1,
    SHOWN = 40,
    SHOWN_PER_RULE = 3,
    MEMORY_MIB = 64,
    DONT_CARE = PSH | URG | ECE | CWR
};

struct tally {
    uint64_t n, agree, deviate, fault, differ, holes, unreached;
};

struct run {
    struct rules rules, deviations;
    struct tally of[N_STATES];
    struct endpoint *e;
    bool json, v6, leaked;
    uint32_t n_on_instance, n_instances;
    uint32_t v6_every, n_to_show, n_per_rule;
    uint64_t n_v6;
    int only; /* state, or -1: all */
};

/* ---- which combinations there are ---- */

static bool is_synchronized(enum state s)
{
    return s >= ST_ESTABLISHED;
}

/** May its receive window be closed? Not once the peer has finished: its FIN takes no buffer. */
static bool can_close_window(enum state s)
{
    return s == ST_ESTABLISHED || s == ST_FIN_WAIT_1 || s == ST_FIN_WAIT_2;
}

static bool has_unacked_text(enum state s)
{
    return is_synchronized(s) && s != ST_FIN_WAIT_2 && s != ST_TIME_WAIT;
}

/** Does the position exist, and is it another than its neighbours? */
static bool exists(const struct situation *at)
{
    const enum state s = at->state;
    if ((at->ack == ACK_OFF) != ((at->flags & ACK) == 0))
        return false;
    if (at->wnd == WND_ZERO
        && (!can_close_window(s) || (at->seq >= SEQ_INSIDE && at->seq <= SEQ_BEYOND)))
        return false;
    if (at->ts != TS_OFF && s < ST_SYN_RCVD_P)
        return false;
    if (at->ack == ACK_MID)
        return has_unacked_text(s);
    return at->ack != ACK_UNA || (s != ST_FIN_WAIT_2 && s != ST_TIME_WAIT);
}

static uint64_t hash_of(const struct situation *at)
{
    const int parts[] = {(int)at->state, at->flags, (int)at->ts, (int)at->seq, (int)at->len,
        (int)at->wnd, (int)at->ack};
    uint64_t h = 1469598103934665603u; /* FNV-1a, then mixed */
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        h = (h ^ (uint64_t)parts[i]) * 1099511628211u;
    h ^= h >> 29;
    return h * 0xbf58476d1ce4e5b9u >> 20;
}

/* ---- trying one ---- */

/** Where to tell of problems: standard output belongs to the JSON when that is asked for. */
static FILE *report_of(const struct run *r)
{
    return r->json ? stderr : stdout;
}

static void renew_instance(struct run *r, enum state s)
{
    if (r->e != NULL && !endpoint_close(r->e)) {
        fprintf(report_of(r), "an instance has not given everything back\n");
        r->leaked = true;
    }
    r->n_on_instance = 0;
    /* every second one with an ISN that wraps; TIME-WAIT is to choose its own (MAY-2) */
    r->e = endpoint_open(r->v6, r->n_instances++ % 2 == 1 && s != ST_TIME_WAIT);
    if (r->e == NULL)
        exit(EXIT_FAILURE);
}

static bool may_show(struct run *r, struct rule *rule)
{
    if (r->n_to_show == 0 || (rule != NULL && rule->n_shown++ >= r->n_per_rule))
        return false;
    r->n_to_show--;
    return true;
}

static void show(struct run *r, const struct situation *at, struct rule *rule,
    const struct rules *in, const struct outcome *seen)
{
    if (!may_show(r, rule))
        return;
    FILE *to = report_of(r);
    print_situation(to, at);
    fprintf(to, " %s\n    expected ", r->v6 ? "IPv6" : "IPv4");
    print_outcome(to, &rule->then);
    fprintf(to, "   (%s:%u %s, %s)\n    got      ", in->file, rule->line, rule->id, rule->source);
    print_outcome(to, seen);
    fprintf(to, "   ");
    endpoint_print_answer(r->e, to);
    fprintf(to, "\n");
}

static void show_problem(struct run *r, const struct situation *at, const char *what)
{
    FILE *to = report_of(r);
    if (!may_show(r, NULL))
        return;
    print_situation(to, at);
    fprintf(to, " %s\n    %s\n", r->v6 ? "IPv6" : "IPv4", what);
}

static void compare(struct run *r, const struct situation *at, struct rule *base)
{
    struct tally *t = &r->of[at->state];
    struct rule *deviation = deviation_find(&r->deviations, at, base);
    struct rule *rule = deviation != NULL ? deviation : base;
    const struct outcome seen = endpoint_try(r->e, at);
    base->n_matched++;
    if (deviation != NULL)
        deviation->n_matched++;
    if (outcome_agrees(&rule->then, &seen, at)) {
        rule->n_agreed++;
        (*(deviation == NULL ? &t->agree : is_fault(deviation) ? &t->fault : &t->deviate))++;
        return;
    }
    t->differ++;
    rule->n_differed++;
    show(r, at, rule, deviation != NULL ? &r->deviations : &r->rules, &seen);
}

static void try_one(struct run *r, const struct situation *at)
{
    struct tally *t = &r->of[at->state];
    struct rule *rule = rules_find(&r->rules, at);
    t->n++;
    r->n_v6 += r->v6;
    if (rule == NULL) {
        t->holes++;
        show_problem(r, at, "no rule matches: a hole in the table");
        return;
    }
    if (r->n_on_instance++ == CONNS_PER_INSTANCE)
        renew_instance(r, at->state);
    if (endpoint_reach(r->e, at)) {
        compare(r, at, rule);
    } else {
        t->unreached++;
        show_problem(r, at, "tern could not be brought into this state");
    }
    endpoint_leave(r->e);
}

/* ---- all of them ---- */

static void try_variants(struct run *r, struct situation at)
{
    if (!exists(&at))
        return;
    const uint64_t hash = hash_of(&at);
    if (at.ts != TS_OFF) {
        if ((at.flags & DONT_CARE) != 0)
            return;
        at.flags |= (uint8_t)(hash >> 8 & DONT_CARE);
    }
    if (!r->v6 || hash % r->v6_every == 0)
        try_one(r, &at);
}

static void try_positions(struct run *r, struct situation at)
{
    for (int seq = 0; seq < N_SEQ; seq++)
        for (int ack = 0; ack < N_ACK; ack++)
            for (int len = 0; len < N_LEN; len++) {
                at.seq = (enum seq_at)seq;
                at.ack = (enum ack_at)ack;
                at.len = (enum len_at)len;
                try_variants(r, at);
            }
}

static void try_state(struct run *r, enum state s)
{
    renew_instance(r, s);
    for (int ts = 0; ts < N_TS; ts++)
        for (int wnd = 0; wnd < N_WND; wnd++)
            for (int flags = 0; flags < 256; flags++)
                try_positions(r, (struct situation){.state = s,
                                     .flags = (uint8_t)flags,
                                     .ts = (enum ts_at)ts,
                                     .wnd = (enum wnd_at)wnd});
}

static void try_all(struct run *r)
{
    for (int family = 0; family < 2; family++) {
        r->v6 = family == 1;
        for (int s = 0; s < N_STATES; s++)
            if (r->only < 0 || r->only == s)
                try_state(r, (enum state)s);
    }
    if (!endpoint_close(r->e))
        r->leaked = true;
}

/* ---- the report ---- */

static struct tally total_of(const struct run *r)
{
    struct tally sum = {0};
    for (int s = 0; s < N_STATES; s++) {
        const struct tally *t = &r->of[s];
        sum.n += t->n;
        sum.agree += t->agree;
        sum.deviate += t->deviate;
        sum.fault += t->fault;
        sum.differ += t->differ;
        sum.holes += t->holes;
        sum.unreached += t->unreached;
    }
    return sum;
}

/** Rules that nothing has matched; each is named. */
static unsigned report_idle(const struct run *r, const struct rules *rs)
{
    unsigned n = 0;
    for (unsigned i = 0; i < rs->n && r->only < 0; i++)
        if (rs->rule[i].n_matched == 0) {
            fprintf(report_of(r), "%s:%u: nothing matches rule %s\n", rs->file, rs->rule[i].line,
                rs->rule[i].id);
            n++;
        }
    return n;
}

static void report_rules_that_differ(const struct rules *rs)
{
    for (unsigned i = 0; i < rs->n; i++) {
        const struct rule *rule = &rs->rule[i];
        if (rule->n_differed > 0)
            printf("%s:%u %s: %llu differ, %llu agree\n", rs->file, rule->line, rule->id,
                (unsigned long long)rule->n_differed, (unsigned long long)rule->n_agreed);
    }
}

static void print_row(const char *name, const struct tally *t)
{
    const uint64_t wrong = t->differ + t->holes + t->unreached;
    printf("%-12s %10llu %10llu %10llu %12llu %10llu\n", name, (unsigned long long)t->n,
        (unsigned long long)t->agree, (unsigned long long)t->deviate, (unsigned long long)t->fault,
        (unsigned long long)wrong);
}

static void print_table(const struct run *r, double seconds)
{
    const struct tally sum = total_of(r);
    printf("%-12s %10s %10s %10s %12s %10s\n", "state", "tried", "as RFC", "deviating",
        "known fault", "wrong");
    for (int s = 0; s < N_STATES; s++)
        if (r->of[s].n > 0)
            print_row(state_names[s], &r->of[s]);
    print_row("all", &sum);
    for (unsigned i = 0; i < r->deviations.n; i++) {
        const struct rule *d = &r->deviations.rule[i];
        printf("%-9s %-4s %9llu  %s\n", is_fault(d) ? "fault" : "deviation", d->id,
            (unsigned long long)d->n_matched, d->source);
    }
    printf(
        "%llu combinations (%llu of them IPv6), %u rules, %u deviations, %.1f s: %.4f %% agree\n",
        (unsigned long long)sum.n, (unsigned long long)r->n_v6, r->rules.n, r->deviations.n,
        seconds, 100.0 * (double)(sum.agree + sum.deviate) / (double)(sum.n > 0 ? sum.n : 1));
}

static void print_json_tally(const struct tally *t)
{
    printf(
        "{\"combinations\": %llu, \"as_rfc\": %llu, \"deviating\": %llu, \"known_faults\": %llu, "
        "\"differing\": %llu, \"holes\": %llu, \"unreached\": %llu}",
        (unsigned long long)t->n, (unsigned long long)t->agree, (unsigned long long)t->deviate,
        (unsigned long long)t->fault, (unsigned long long)t->differ, (unsigned long long)t->holes,
        (unsigned long long)t->unreached);
}

static void print_json_string(const char *s)
{
    putchar('"');
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            putchar('\\');
        putchar(*s);
    }
    putchar('"');
}

static void print_json(const struct run *r, bool passed, unsigned n_idle)
{
    const struct tally sum = total_of(r);
    printf("{\"passed\": %s, \"rules\": %u, \"idle_rules\": %u, \"ipv6\": %llu,\n \"total\": ",
        passed ? "true" : "false", r->rules.n, n_idle, (unsigned long long)r->n_v6);
    print_json_tally(&sum);
    printf(",\n \"states\": {");
    for (int s = 0; s < N_STATES; s++) {
        printf("%s\n  \"%s\": ", s > 0 ? "," : "", state_names[s]);
        print_json_tally(&r->of[s]);
    }
    printf("\n },\n \"deviations\": [");
    for (unsigned i = 0; i < r->deviations.n; i++) {
        const struct rule *d = &r->deviations.rule[i];
        printf("%s\n  {\"id\": \"%s\", \"fault\": %s, \"combinations\": %llu, \"why\": ",
            i > 0 ? "," : "", d->id, is_fault(d) ? "true" : "false",
            (unsigned long long)d->n_matched);
        print_json_string(d->source);
        printf("}");
    }
    printf("\n ]\n}\n");
}

/* ---- */

static int usage(const char *what)
{
    fprintf(stderr,
        "%s\ntest_conform arrival.rules deviations.rules [--json] [--show N] [--per-rule N] "
        "[--v6-every N] [--state NAME]\n",
        what);
    return EXIT_FAILURE;
}

static int state_called(const char *name)
{
    for (int s = 0; s < N_STATES; s++)
        if (strcmp(name, state_names[s]) == 0)
            return s;
    return -1;
}

/** @return false: not an option, or its value is wrong */
static bool read_option(struct run *r, char **argv, int *i)
{
    const char *value = argv[*i + 1];
    if (strcmp(argv[*i], "--json") == 0)
        return r->json = true;
    if (value == NULL)
        return false;
    (*i)++;
    if (strcmp(argv[*i - 1], "--show") == 0)
        r->n_to_show = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(argv[*i - 1], "--per-rule") == 0)
        r->n_per_rule = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(argv[*i - 1], "--v6-every") == 0)
        return (r->v6_every = (uint32_t)strtoul(value, NULL, 10)) > 0;
    else if (strcmp(argv[*i - 1], "--state") == 0)
        return (r->only = state_called(value)) >= 0;
    else
        return false;
    return true;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int judge(struct run *r, double seconds)
{
    const struct tally sum = total_of(r);
    const unsigned n_idle = report_idle(r, &r->rules) + report_idle(r, &r->deviations);
    const bool passed =
        sum.n > 0 && sum.differ + sum.holes + sum.unreached + n_idle == 0 && !r->leaked;
    if (r->json) {
        print_json(r, passed, n_idle);
    } else {
        report_rules_that_differ(&r->rules);
        report_rules_that_differ(&r->deviations);
        print_table(r, seconds);
    }
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct run r = {
        .v6_every = V6_EVERY, .n_to_show = SHOWN, .n_per_rule = SHOWN_PER_RULE, .only = -1};
    struct tern_error err = {0};
    if (argc < 3)
        return usage("two tables are needed");
    for (int i = 3; i < argc; i++)
        if (!read_option(&r, argv, &i))
            return usage(argv[i]);
    if (!rules_read(&r.rules, argv[1], false) || !rules_read(&r.deviations, argv[2], true))
        return EXIT_FAILURE;
    if (tern_embed_start(MEMORY_MIB, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    const double from = now_s();
    try_all(&r);
    return judge(&r, now_s() - from);
}
