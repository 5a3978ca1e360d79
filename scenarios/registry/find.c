/* find.c - a key finds its own model and nothing else does. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The first model whose key passes, or REGISTRY_NONE. */
static registry_index first_with(bool (*passes)(struct registry_text key))
{
    for (registry_index i = 0; i < registry_count(); i++) {
        if (passes(registry_key(i))) {
            return i;
        }
    }
    return REGISTRY_NONE;
}

static void all_with_are_found(bool (*passes)(struct registry_text key))
{
    for (registry_index i = 0; i < registry_count(); i++) {
        if (passes(registry_key(i))) {
            ck_assert_uint_eq(session_find_model(i), i);
        }
    }
}

static bool id_has(struct registry_text key, char byte)
{
    const char *colon = memchr(key.data, ':', key.length);
    return colon && memchr(colon + 1, byte, key.length - (size_t)(colon + 1 - key.data));
}

static bool has_colon(struct registry_text key)
{
    return id_has(key, ':');
}

static bool has_slash(struct registry_text key)
{
    return id_has(key, '/');
}

static bool has_space(struct registry_text key)
{
    return id_has(key, ' ');
}

static bool has_upper(struct registry_text key)
{
    for (uint32_t i = 0; i < key.length; i++) {
        if (key.data[i] >= 'A' && key.data[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

static bool has_wide(struct registry_text key)
{
    for (uint32_t i = 0; i < key.length; i++) {
        if ((unsigned char)key.data[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

static bool is_any(struct registry_text key)
{
    return key.length > 0;
}

static void finds_the_first_model(void)
{
    ck_assert_uint_eq(session_find_model(0), 0);
}

static void finds_the_last_model(void)
{
    ck_assert_uint_eq(session_find_model(registry_count() - 1), registry_count() - 1);
}

static void finds_ids_with_a_colon(void)
{
    all_with_are_found(has_colon);
}

static void finds_ids_with_a_slash(void)
{
    all_with_are_found(has_slash);
}

static void finds_ids_with_a_space(void)
{
    all_with_are_found(has_space);
}

static void finds_ids_with_capitals(void)
{
    all_with_are_found(has_upper);
}

static void finds_ids_beyond_ascii(void)
{
    all_with_are_found(has_wide);
}

static void finds_every_model(void)
{
    all_with_are_found(is_any);
}

static void finds_the_longest_key(void)
{
    registry_index longest = 0;
    for (registry_index i = 1; i < registry_count(); i++) {
        longest = registry_key(i).length > registry_key(longest).length ? i : longest;
    }
    ck_assert_uint_eq(session_find_model(longest), longest);
}

static void finds_the_shortest_key(void)
{
    registry_index shortest = 0;
    for (registry_index i = 1; i < registry_count(); i++) {
        shortest = registry_key(i).length < registry_key(shortest).length ? i : shortest;
    }
    ck_assert_uint_eq(session_find_model(shortest), shortest);
}

static void keys_need_no_terminator(void)
{
    struct registry_text key = registry_key(registry_count() / 2);
    char text[256];
    memset(text, 'x', sizeof text);
    memcpy(text, key.data, key.length);
    ck_assert_uint_eq(session_find(text, key.length), registry_count() / 2);
}

static void case_tells_keys_apart(void)
{
    registry_index i = first_with(has_upper);
    if (i == REGISTRY_NONE) {
        return;
    }
    struct registry_text key = registry_key(i);
    char text[256];
    for (uint32_t at = 0; at < key.length; at++) {
        text[at] = key.data[at];
        if (text[at] >= 'A' && text[at] <= 'Z') {
            text[at] = (char)(text[at] + 32);
        }
    }
    ck_assert_uint_ne(session_find(text, key.length), i);
}

static void a_key_is_where_the_index_says(void)
{
    for (registry_index i = 0; i < registry_count(); i += 7) {
        struct registry_text key = registry_key(i);
        ck_assert_uint_eq(registry_find(key.data, key.length), i);
    }
}

static void keys_are_unique(void)
{
    static uint8_t seen[(1u << 22) / 8];
    memset(seen, 0, sizeof seen);
    for (registry_index i = 0; i < registry_count() && i < 1u << 22; i++) {
        struct registry_text key = registry_key(i);
        registry_index found = registry_find(key.data, key.length);
        ck_assert_uint_eq(seen[found / 8] >> (found % 8) & 1, 0);
        seen[found / 8] = (uint8_t)(seen[found / 8] | 1u << (found % 8));
    }
}

static void the_catalogue_is_of_the_incidents_size(void)
{
    ck_assert_uint_ge(registry_count(), subject_models() ? 1000 : 1); /* any can be compiled in */
    ck_assert_uint_ge(registry_provider_count(), subject_keys_have_one_part() ? 1 : 2);
}

static unsigned lengths(void)
{
    return 96;
}

static void label_length(unsigned length, char *text, size_t room)
{
    snprintf(text, room, "%u_bytes", length);
}

/* A length that no key has is looked up all the same: with a key of that length, absent. */
static void finds_all_keys_of(unsigned length)
{
    char absent[96];
    for (registry_index i = 0; i < registry_count(); i++) {
        if (registry_key(i).length == length) {
            ck_assert_uint_eq(session_find_model(i), i);
        }
    }
    memset(absent, '~', sizeof absent);
    ck_assert_uint_eq(session_find(absent, length), REGISTRY_NONE);
}

static const struct suite_single singles[] = {
    SINGLE(finds_the_first_model),
    SINGLE(finds_the_last_model),
    SINGLE(finds_the_longest_key),
    SINGLE(finds_the_shortest_key),
    SINGLE(finds_ids_with_a_colon),
    SINGLE(finds_ids_with_a_slash),
    SINGLE(finds_ids_with_a_space),
    SINGLE(finds_ids_with_capitals),
    SINGLE(finds_ids_beyond_ascii),
    SINGLE(finds_every_model),
    SINGLE(keys_need_no_terminator),
    SINGLE(case_tells_keys_apart),
    SINGLE(a_key_is_where_the_index_says),
    SINGLE(keys_are_unique),
    SINGLE(the_catalogue_is_of_the_incidents_size),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(finds_all_keys_of, lengths, label_length),
};

MODULE(module_find, "find", families);
