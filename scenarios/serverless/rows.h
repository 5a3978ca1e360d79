/* rows.h - the test cases of the suite, each of some rows 3.x of docs/incidents.md. */
#ifndef SERVERLESS_ROWS_H
#define SERVERLESS_ROWS_H

#include "instance.h"
#include "tidemark.h"

#include <check.h>

/* Loops over processes and an hour of load are shorter under a sanitizer, whose programs start that
 * much slower, and where no tidemark listens; the figures are those that tidemark gets. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#define SHORTER (SANITIZED ? 10u : tidemark_counter_add ? 1u : 5u)

#define DAY (86400 * SECOND)

extern const struct service_kind *variant; /* the one of the workload */

TCase *rows_workload(void);   /* the same day for each variant: 3.1, 3.2, 3.11 */
TCase *rows_cold(void);       /* 3.1 - 3.3 */
TCase *rows_tiers(void);      /* 3.5 - 3.7 */
TCase *rows_load(void);       /* 3.4, 3.8, 3.13, 3.16 */
TCase *rows_figures(void);    /* 3.9, 3.10, 3.12, 3.14, 3.15 */
TCase *rows_production(void); /* the report's second phase on both servers, by eight processes */
TCase *rows_fault(void);      /* levels that die and come back, an hour under load */

#endif
