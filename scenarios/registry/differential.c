/*
 * differential.c - the strategy in use says exactly what the registry says: all keys, all
 * providers, absent keys, in several orders. Runs in the test program.
 */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void equals_the_registry_on_every_key(void)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        ck_assert_uint_eq(session_find_model(i), i);
    }
}

static void equals_the_registry_backwards(void)
{
    for (registry_index i = registry_count(); i-- > 0;) {
        ck_assert_uint_eq(session_find_model(i), i);
    }
}

static void equals_the_registry_on_repeated_keys(void)
{
    for (registry_index i = 0; i < 3000; i++) {
        registry_index hot = i * i % 17 * 1009 % registry_count();
        ck_assert_uint_eq(session_find_model(hot), hot);
    }
}

static void equals_the_registry_on_ten_thousand_absent_keys(void)
{
    char text[64];
    for (unsigned i = 0; i < 10000; i++) {
        int length = snprintf(text, sizeof text, "openai:absent-%08x", i * 2246822519u);
        ck_assert_uint_eq(session_find(text, (size_t)length), REGISTRY_NONE);
    }
}

static void equals_the_registry_on_mixed_hits_and_misses(void)
{
    for (registry_index i = 0; i < registry_count(); i += 3) {
        struct registry_text key = registry_key(i);
        session_find(key.data, key.length);
        session_find(key.data, key.length - 1u);
    }
}

static void equals_the_registry_on_every_provider(void)
{
    for (uint32_t p = 0; p < registry_provider_count(); p++) {
        registry_index first;
        uint32_t count;
        registry_provider_models(p, &first, &count);
        ck_assert_uint_eq(session_find_model(first), first);
        ck_assert_uint_eq(session_find_model(first + count - 1), first + count - 1);
    }
}

static void equals_the_registry_after_drops_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i += count / 100 + 1) {
        struct registry_text key = registry_key(first + i);
        session_drop(key.data, key.length);
        ck_assert_uint_eq(session_find_model(first + i), first + i);
    }
}

static const struct suite_single singles[] = {
    SINGLE(equals_the_registry_on_every_key),
    SINGLE(equals_the_registry_backwards),
    SINGLE(equals_the_registry_on_repeated_keys),
    SINGLE(equals_the_registry_on_ten_thousand_absent_keys),
    SINGLE(equals_the_registry_on_mixed_hits_and_misses),
    SINGLE(equals_the_registry_on_every_provider),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(equals_the_registry_after_drops_of, subject_providers, label_provider),
};

MODULE(module_differential, "differential", families);
