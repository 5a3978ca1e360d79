/*
 * ablate.h - what a cache has to do with the growth: each variant beside the same without its
 * cache. Supervisor only.
 */
#ifndef CAMPAIGN_ABLATE_H
#define CAMPAIGN_ABLATE_H

struct plan;
struct result;

/* After runner_expect: a note for each pair that plan_without_caches made, from the growth of the
 * run that is over. Where the variant is expected to be stopped, the one without its cache may be
 * too. */
void ablate_conclude(const struct plan *plan, struct result *result);

#endif
