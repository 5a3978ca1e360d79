/*
 * survivors.h - what is alive at the end of a program that ran its tests by itself, of one of its
 * tests: where it was allocated, and who holds it. Supervisor only.
 */
#ifndef CAMPAIGN_SURVIVORS_H
#define CAMPAIGN_SURVIVORS_H

#include "harness/campaign/session.h"

/* Adds the sites to the result, and what the test keeps to `test`. `runs` is the program after so
 * many passes, waiting; `accused`: growth that is held is accused, too. Returns whether most of the
 * first site is lost. */
bool survivors_report(struct session *session, struct session *runs, uint32_t number,
                      unsigned passes, struct result_test *test, bool accused);

/* By which rule something that the test keeps in many passes is suppressed; or NULL. */
const struct suppression *survivors_rule(struct session *runs, uint32_t number, unsigned passes);

#endif
