/*
 * ablate.h - what a cache has to do with the growth: each variant beside the same without its
 * cache. Supervisor only.
 */
#ifndef RUNNER_ABLATE_H
#define RUNNER_ABLATE_H

struct plan;
struct result;

/* One note for each pair that plan_without_caches made, from the growth of a run that is over. */
void ablate_note(const struct plan *plan, struct result *result);

#endif
