/* rows.h - the test cases of the suite, each of some rows of docs/incidents.md; and what they
 * share. */
#ifndef SUITE_ROWS_H
#define SUITE_ROWS_H

#include "panel.h"

#include <check.h>

/* Loops of millions take a tenth of their length under a sanitizer, which makes each step that much
 * slower; the figures are those of the plain build. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHORTER 10
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHORTER 10
#endif
#ifndef SHORTER
#define SHORTER 1
#endif

/* An expensive endpoint: says which state of the orchestrator it saw, counts its calls. */
struct endpoint {
    _Atomic uint32_t state, calls;
};
bool endpoint_load(void *endpoint, const char *key, size_t length, struct strategy_value *value);

/* The state that a look-up through the cache under test says; fails the test when there is none. */
uint32_t ask(void *cache, const char *key, uint64_t ttl_ns, struct endpoint *endpoint);
struct panel_statistics statistics_of(void *cache);
bool is_as_it_was(void);
bool is_ttl(void);

TCase *rows_expiry(void);       /* 2.1 - 2.4, 2.15 */
TCase *rows_memory(void);       /* 2.5, 2.6 */
TCase *rows_threads(void);      /* 2.7, 2.10 */
TCase *rows_invalidation(void); /* 2.8, 2.9, 2.11 - 2.13 */
TCase *rows_future(void);       /* 2.14, and beyond the report: early refresh, grace, negative */

#endif
