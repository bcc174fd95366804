/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The reference table as data: what a segment met, what should come of it, and the rules that lead
 * from one to the other. arrival.rules explains the words; here they are only numbers.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A word of the table and its number, by kind. The names are in rules.c, in this order. */
enum state {
    ST_CLOSED,
    ST_LISTEN,
    ST_SYN_SENT,
    ST_SYN_RCVD_P,
    ST_SYN_RCVD_A,
    ST_ESTABLISHED,
    ST_FIN_WAIT_1,
    ST_FIN_WAIT_2,
    ST_CLOSE_WAIT,
    ST_CLOSING,
    ST_LAST_ACK,
    ST_TIME_WAIT,
    N_STATES,
    ST_SAME = N_STATES /* in a rule: no other state */
};
enum ts_at { TS_OFF, TS_NEW, TS_SAME, TS_OLD, TS_GONE, N_TS };
enum seq_at {
    SEQ_FAR_LEFT,
    SEQ_LEFT,
    SEQ_BEFORE,
    SEQ_AT,
    SEQ_AFTER,
    SEQ_INSIDE,
    SEQ_LAST,
    SEQ_EDGE,
    SEQ_BEYOND,
    SEQ_FAR_RIGHT,
    N_SEQ
};
enum len_at { LEN_0, LEN_SOME, N_LEN };
enum wnd_at { WND_OPEN, WND_ZERO, N_WND };
enum ack_at {
    ACK_OFF,
    ACK_OLD,
    ACK_OLDEST,
    ACK_BELOW,
    ACK_UNA,
    ACK_MID,
    ACK_NXT,
    ACK_BEYOND,
    ACK_FAR,
    N_ACK
};
enum answer {
    ANS_NONE,
    ANS_ACK,
    ANS_ACK_OR_NONE,
    ANS_RST,
    ANS_RST_ACK,
    ANS_SYN_ACK,
    N_ANSWERS,
    ANS_OTHER = N_ANSWERS /* seen, never in a rule */
};
/* ACKED_UNSEEN: nothing new is acknowledged, or nobody is left to see it. */
enum acked { ACKED_NOT, ACKED_TAKEN, N_ACKED, ACKED_UNSEEN = N_ACKED, ACKED_OTHER };
enum deliver { DEL_0, DEL_ALL, DEL_REST, DEL_LATER, N_DELIVER, DEL_OTHER = N_DELIVER };
enum user { USER_TOLD_NOTHING, USER_RESET, USER_REFUSED, USER_DONE, USER_OVER, N_USER };

/* Control bits, as the RFC calls them. */
enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    URG = 0x20,
    ECE = 0x40,
    CWR = 0x80
};

extern const char *const state_names[N_STATES + 1];
extern const char *const ts_names[N_TS];
extern const char *const seq_names[N_SEQ];
extern const char *const len_names[N_LEN];
extern const char *const wnd_names[N_WND];
extern const char *const ack_names[N_ACK];

/** What a segment is and what it meets: one combination. */
struct situation {
    enum state state;
    uint8_t flags;
    enum ts_at ts;
    enum seq_at seq;
    enum len_at len;
    enum wnd_at wnd;
    enum ack_at ack; /* ACK_OFF exactly when the ACK bit is clear */
};

/** What comes of it. */
struct outcome {
    enum answer answer;
    enum state next; /* in a rule ST_SAME, or a state; seen, always a state */
    enum acked acked;
    enum deliver deliver;
    bool eof;
    enum user user;
    bool
        stuck; /* never in a rule: the connection should live on, and the next octet is not taken */
};

enum { WORD_MAX = 12, SOURCE_MAX = 160, OF_MAX = 8, RULES_MAX = 256, SETS_MAX = 32 };

/** A line of arrival.rules or deviations.rules. */
struct rule {
    char id[WORD_MAX];
    unsigned line;
    uint32_t states, ts, seqs, lens, wnds, acks; /* bit n: value n matches */
    uint8_t flags_set, flags_clear;
    struct outcome then;
    char source[SOURCE_MAX];
    /* a deviation's: the rules it departs from */
    char of[OF_MAX][WORD_MAX];
    unsigned n_of; /* 0: any */
    /* what the run has seen */
    uint64_t n_matched, n_agreed, n_differed, n_shown;
};

struct rules {
    const char *file; /* its last part */
    struct rule rule[RULES_MAX];
    unsigned n;
};

/** Read a table. A deviations table has a column more, behind the id. Says what is wrong on stderr.
 */
bool rules_read(struct rules *rs, const char *path, bool deviations);

/** The first rule that matches, or NULL. */
struct rule *rules_find(struct rules *rs, const struct situation *at);

/** The first deviation from `base` that matches; NULL when there is none, or it says what `base`
 * does. */
struct rule *deviation_find(struct rules *rs, const struct situation *at, const struct rule *base);

/** A fault that is known, not a choice. */
bool is_fault(const struct rule *deviation);

/** Is what was seen what the rule says? */
bool outcome_agrees(
    const struct outcome *want, const struct outcome *seen, const struct situation *at);

void print_situation(FILE *to, const struct situation *at);
void print_outcome(FILE *to, const struct outcome *o);
