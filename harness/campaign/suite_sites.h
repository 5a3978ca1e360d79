/*
 * suite_sites.h - the places of a suite that are shown, as sites of the result: what each holds, a
 * stack of it, and who holds it. Supervisor only.
 */
#ifndef CAMPAIGN_SUITE_SITES_H
#define CAMPAIGN_SUITE_SITES_H

#include "harness/campaign/place.h"
#include "harness/campaign/session.h"

/* `traced` is a worker that has run the tests in order, and waits. */
void suite_sites_write(struct session *traced, const struct places *places);

/* Runs all tests once more in order for it. */
void suite_sites_ask(struct session *session, const struct places *places);

#endif
