/*
 * phase.h - where a run is, kept up to date for whoever waits for it: in runner_options.at, which
 * every session of a run shares. Costs a few stores a test; nothing where nobody waits. Supervisor
 * only.
 */
#ifndef CAMPAIGN_PHASE_H
#define CAMPAIGN_PHASE_H

#include "harness/campaign/session.h"

/* What is done now: "repeating", "shuffled order 2 of 4". */
void phase_begin(const struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What the whole hunt may take, once that is known. */
void phase_budget(const struct session *session, double budget_ns);
/* This test is run now; `done` of all tests of this phase were before it. */
void phase_test(const struct session *session, uint32_t test, size_t done);
/* It has been called `before` times; the next command calls it up to `calls` times in all. 0: it is
 * called once. */
void phase_calls(const struct session *session, unsigned before, unsigned calls);
/* For worker.tick, with the session for its context: the worker is in this repetition of a command.
 */
void phase_tick(void *context, uint32_t repetition);

#endif
