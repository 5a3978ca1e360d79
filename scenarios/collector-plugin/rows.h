/* rows.h - the test cases of the suite, each of some rows 0.x of docs/incidents.md. */
#ifndef COLLECTOR_ROWS_H
#define COLLECTOR_ROWS_H

#include <check.h>
#include <stdbool.h>

extern bool as_it_was; /* the variant whose cache crashes */

TCase *rows_crash(void); /* 0.1, 0.2 */
TCase *rows_fetch(void); /* 0.3, 0.4, 0.9, 0.10 */
TCase *rows_host(void);  /* 0.5, 0.6, 0.8, 0.12 */
TCase *rows_http(void);  /* 0.4, 0.6, 0.7 over HTTP */

#endif
