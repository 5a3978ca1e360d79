/*
 * registry_portable_test.c - the look-up without SIMD, over the same tables as the one with it: a
 * machine without SSE2 takes this path, and a build with -DREGISTRY_PORTABLE does.
 */
#define REGISTRY_PORTABLE 1
#include "registry/registry_inline.h"

#include "harness/base/suite.h"

#include <string.h>

_Static_assert(!REGISTRY_SSE2, "this suite is about the other form");

START_TEST(the_portable_form_finds_every_key)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_text key = registry_key(i);
        char copy[REGISTRY_KEY_MOST];
        memcpy(copy, key.data, key.length);
        if (registry_find_inline(copy, key.length) != i) {
            ck_abort_msg("%.*s", (int)key.length, key.data);
        }
    }
}
END_TEST

START_TEST(the_portable_form_agrees_on_keys_changed_in_one_byte)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_text key = registry_key(i);
        char copy[REGISTRY_KEY_MOST];
        memcpy(copy, key.data, key.length);
        for (uint32_t at = 0; at < key.length; at++) {
            copy[at] ^= 1;
            if (registry_find_inline(copy, key.length) != registry_find(copy, key.length)) {
                ck_abort_msg("%.*s", (int)key.length, copy);
            }
            copy[at] ^= 1;
        }
    }
}
END_TEST

SUITE("registry, portable", &the_portable_form_finds_every_key,
      &the_portable_form_agrees_on_keys_changed_in_one_byte)
