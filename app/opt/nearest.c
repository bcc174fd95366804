/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distance is the number of letters left out, added, changed, or swapped with their neighbour
 * (Damerau 1964, in the restricted form that edits no stretch twice). A third of the letters may be
 * wrong, three at most: further away it is a guess that annoys.
 */
#include "nearest.h"

#include <string.h>

enum { NAME_CHARS_MAX = 40, DISTANCE_MAX = 3 };

static unsigned lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* d[i][j] is the distance between the first i letters of a and the first j of b. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    unsigned d[NAME_CHARS_MAX + 1][NAME_CHARS_MAX + 1];
    for (size_t i = 0; i <= n_a; i++)
        for (size_t j = 0; j <= n_b; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            d[i][j] = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = lesser(d[i][j], lesser(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = lesser(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n_a][n_b];
}

struct app_nearest app_nearest_to(const char *wrong)
{
    const unsigned third = (unsigned)lesser((unsigned)strlen(wrong), NAME_CHARS_MAX) / 3 + 1;
    return (struct app_nearest){.wrong = wrong, .distance = lesser(third, DISTANCE_MAX) + 1};
}

void app_nearest_try(struct app_nearest *n, const char *known)
{
    const size_t n_wrong = strlen(n->wrong), n_known = strlen(known);
    if (n_wrong == 0 || n_wrong > NAME_CHARS_MAX || n_known > NAME_CHARS_MAX)
        return;
    const unsigned found = distance(n->wrong, n_wrong, known, n_known);
    if (found >= n->distance)
        return;
    n->best = known;
    n->distance = found;
}
