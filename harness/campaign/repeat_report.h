/*
 * repeat_report.h - from the calls of a test to its result: verdict, evidence, and the sites of
 * what grows, with who holds it and where such things are released. Supervisor only.
 */
#ifndef CAMPAIGN_REPEAT_REPORT_H
#define CAMPAIGN_REPEAT_REPORT_H

#include "harness/campaign/repeat.h"

struct session;

/* The test passed all of its calls. `most_ns`: what looking for releases may take. The worker may
 * be gone afterwards; the result stands. */
void session_repeat_report(struct session *session, uint32_t number, const struct repeat *repeat,
                           double most_ns);

#endif
