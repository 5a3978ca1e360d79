/*
 * tier.h - a fixture of few models that stands in for the registry (5, 15 or 50 of them), so that
 * tests can do without it. Read once, before any test, into static memory.
 */
#ifndef SUITE_TIER_H
#define SUITE_TIER_H

#include "registry/registry.h"
#include "registry/strategy.h"

extern const struct strategy_source tier_source;

/* `name`: minimal, standard, comprehensive, or a path. False: the reason was written to stderr. */
bool tier_read(const char *name);
uint32_t tier_count(void);
struct registry_text tier_key(uint32_t model);
bool tier_value_is(const struct strategy_value *value, uint32_t model);

#endif
