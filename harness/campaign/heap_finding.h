/*
 * heap_finding.h - what a test did to the heap that it must not, as its worker said it: names and
 * lines for the stacks, and the test's result by it. Supervisor only.
 */
#ifndef CAMPAIGN_HEAP_FINDING_H
#define CAMPAIGN_HEAP_FINDING_H

#include "harness/campaign/session.h"

/* Into the result of a test that failed by heap errors of the last command: the place of the first
 * that is best known, where its block was allocated and freed. Nothing if there were none. */
void heap_finding_fill(const struct session *session, struct result_test *test);

/* A quiet session found what the hunt had not: the test's result fails by it, and is written again.
 * Returns false if it found nothing, or the test has no result yet. */
bool heap_finding_fail(struct session *session, uint32_t number, const char *message);

#endif
