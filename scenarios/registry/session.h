/*
 * session.h - what every test stands in: a cache (or none) in front of the registry, and a session
 * that opens by resolving models of the catalogue through it.
 *
 * Every test opens a session. With TIDEMARK_SUITE_SESSION=test a cache key is
 * "<session>|provider:id", as in the incident, where each test module filled the cache anew and
 * none cleared it; with `suite` all tests share their entries. The teardown policy says when the
 * cache is emptied.
 *
 * Nothing here allocates; only the strategy under test does.
 */
#ifndef SUITE_SESSION_H
#define SUITE_SESSION_H

#include "registry/registry.h"
#include "registry/strategy.h"

/* Chooses the source, prepares the workload. False: the reason was written to stderr. */
bool session_prepare(void);

/* Fixtures of every module: checked ones around each test, unchecked ones around the module. */
void session_open(void);
void session_close(void);
void session_module_close(void);
/* After the whole suite: the clean-up that an out-of-memory kill never reaches. */
void session_suite_close(void);

/* Called by main when a test is registered and by each test's first fixture: sessions are numbered
 * by test, not by run, so that a repeated test meets its own entries again. */
void session_number(unsigned test);

/* Looks a key up through the strategy under test. `value` may be NULL. */
bool session_get(const char *key, size_t length, struct strategy_value *value);
/* The same, as a record number; REGISTRY_NONE when absent. Fails the test if the value is not what
 * the source would have said. */
registry_index session_find(const char *key, size_t length);
registry_index session_find_model(registry_index index);
bool session_drop(const char *key, size_t length);
void session_reset(void);
void session_statistics(struct strategy_statistics *statistics);

/* Models that look-ups choose from: the registry's, or the tier's. */
uint32_t session_models(void);
struct registry_text session_key(uint32_t model);

#endif
