/*
 * jobs.h - the tests of a hunt repeated by several supervisors side by side (`hunt --jobs N`): each
 * is a child of this one, with a worker and a TMPDIR of its own. The tests are shared out in
 * parcels of a few; a job takes the next parcel when it is done with one, and writes its results
 * into a result file, which comes into the result in the order of the tests. So results, and the
 * file, are those of one job. Supervisor only.
 */
#ifndef CAMPAIGN_JOBS_H
#define CAMPAIGN_JOBS_H

#include "harness/campaign/session.h"

/* One job's part, in the job. */
struct jobs_part;

/* Is this test for this job? They come in order. When it is the first of another parcel, the
 * results of the one before are handed over. */
bool jobs_takes(struct jobs_part *part, uint32_t test);

/* Repeats the tests of the session in `jobs` jobs, and waits for them. `course`: the pass in order
 * that was made before. */
void session_repeat_jobs(struct session *session, struct spending *spending,
                         const struct session *course, unsigned jobs);

#endif
