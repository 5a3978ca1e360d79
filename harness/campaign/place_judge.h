/*
 * place_judge.h - which places of a suite grow with every further test: asks harness/judge for each
 * place and each pass, and says what the places hold. Supervisor only.
 */
#ifndef CAMPAIGN_PLACE_JUDGE_H
#define CAMPAIGN_PLACE_JUDGE_H

#include "harness/campaign/place.h"

struct places_verdict {
    enum result_verdict verdict; /* ACCUMULATES, SATURATING, INCONCLUSIVE, CLEAN, or NONE */
    unsigned accusing;           /* passes that accuse the place which most passes accuse */
};
struct places_verdict places_judge(struct places *places);

/* Without a verdict: shows every place of level 3 that holds something after the last test. */
void places_show_all(struct places *places);

/* What a place held after the last test of the first pass in order (pass 0), what is left out not
 * counted; and after a second pass. */
struct place_event place_end(const struct places *places, const struct place *place);
struct place_event place_end_again(const struct places *places, const struct place *place);

/* Fills first and added of a place, after a pass that was followed by a second in its process.
 * Returns the bytes that the second added. */
int64_t place_again_get(const struct places *places, struct place *place);
/* Judges each shown place by them: a log beside a cache grows without bound, and the cache does
 * not. Returns what is worst of them. */
enum result_verdict places_judge_again(struct places *places);

/* Adds what each test left at the place in the first pass to bytes[test]; what a test gave back of
 * it is taken away. */
void place_left(const struct places *places, const struct place *place, int64_t *bytes);

#endif
