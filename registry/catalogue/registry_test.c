/* registry_test.c - the built-in catalogue, whichever it is: look-up, decoding, lists. */
#include "registry/registry.h"

#include "harness/base/suite.h"
#include "registry/image.h"
#include "registry/registry_inline.h"

#include <stdio.h>
#include <string.h>

static uint64_t state = 42;

static uint64_t random_next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static registry_index find(const char *key)
{
    return registry_find(key, strlen(key));
}

START_TEST(finds_every_key_at_its_own_index)
{
    ck_assert_uint_gt(registry_count(), 0);
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_text key = registry_key(i);
        /* A copy elsewhere: what counts are the bytes, not where they are. */
        char copy[REGISTRY_KEY_MOST];
        memcpy(copy, key.data, key.length);
        ck_assert_uint_eq(registry_find(copy, key.length), i);
        ck_assert_uint_eq(registry_find_inline(copy, key.length), i);
    }
}
END_TEST

START_TEST(a_key_changed_in_one_byte_is_absent_unless_it_is_another_key)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_text key = registry_key(i);
        char copy[REGISTRY_KEY_MOST];
        memcpy(copy, key.data, key.length);
        uint32_t at = (uint32_t)(random_next() % key.length);
        copy[at] ^= (char)(1 + random_next() % 255);
        registry_index found = registry_find(copy, key.length);
        if (found != REGISTRY_NONE) {
            struct registry_text other = registry_key(found);
            ck_assert_uint_ne(found, i);
            ck_assert_uint_eq(other.length, key.length);
            ck_assert_mem_eq(other.data, copy, key.length);
        }
        /* One byte less, and one more. */
        found = registry_find(copy, key.length - 1);
        ck_assert(found == REGISTRY_NONE || registry_key(found).length == key.length - 1);
        copy[at] = key.data[at];
        copy[key.length] = '\0';
        ck_assert_uint_eq(registry_find(copy, (size_t)key.length + 1), REGISTRY_NONE);
    }
}
END_TEST

START_TEST(ten_million_random_keys_are_absent)
{
    uint64_t prints = 0, found = 0;
    for (unsigned n = 0; n < 10 * 1000 * 1000; n++) {
        char key[128]; /* the tail is never read */
        size_t length = 7 + random_next() % 56;
        for (size_t at = 0; at < 64; at += 8) {
            uint64_t word = (random_next() & 0x3f3f3f3f3f3f3f3f) + 0x2020202020202020;
            memcpy(key + at, &word, 8);
        }
        uint64_t hash = registry_hash(key, length, registry_tables.seed);
        uint32_t slot = registry_image_slot(&registry_tables, hash);
        prints += registry_image_prints(&registry_tables)[slot] == registry_hash_print(hash);
        found += registry_find(key, length) != REGISTRY_NONE;
    }
    ck_assert_uint_eq(found, 0);
    /* Fingerprints let one of 256 through to the comparison: those were collisions, and held. */
    ck_assert_uint_gt(prints, 10 * 1000 * 1000 / 256 * 9 / 10);
    ck_assert_uint_lt(prints, 10 * 1000 * 1000 / 256 * 11 / 10);
}
END_TEST

START_TEST(batches_agree_with_single_look_ups)
{
    enum { MOST = 200 };
    struct registry_text keys[MOST];
    registry_index out[MOST];
    static const char *const absent[] = {"", ":", "a", "openai:no-such-model-anywhere-at-all",
                                         "0123456789abcdef"};
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 128, MOST};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        for (size_t i = 0; i < counts[c]; i++) {
            const char *text = absent[i % 5];
            keys[i] = i % 3 == 0 ? (struct registry_text){text, (uint32_t)strlen(text)}
                                 : registry_key((registry_index)(random_next() % registry_count()));
        }
        registry_find_batch(keys, counts[c], out);
        for (size_t i = 0; i < counts[c]; i++) {
            ck_assert_uint_eq(out[i], registry_find(keys[i].data, keys[i].length));
        }
    }
}
END_TEST

START_TEST(short_empty_and_endless_keys_are_absent)
{
    static char huge[100000];
    memset(huge, 'x', sizeof huge);
    ck_assert_uint_eq(registry_find(NULL, 0), REGISTRY_NONE);
    for (size_t length = 0; length < 300; length++) {
        ck_assert_uint_eq(registry_find(huge, length), REGISTRY_NONE);
    }
    ck_assert_uint_eq(registry_find(huge, sizeof huge), REGISTRY_NONE);
}
END_TEST

START_TEST(records_are_in_byte_order_and_split_at_the_first_colon)
{
    struct registry_model before = {.name = {"", 0}};
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        struct registry_text key = registry_key(i);
        registry_model(i, &model);
        ck_assert_ptr_null(memchr(model.provider.data, ':', model.provider.length));
        ck_assert_uint_eq(model.provider.length + 1 + model.id.length, key.length);
        ck_assert_int_eq(key.data[model.provider.length], ':');
        ck_assert_mem_eq(model.id.data, key.data + model.provider.length + 1, model.id.length);
        if (i > 0 && before.provider.length == model.provider.length &&
            memcmp(before.provider.data, model.provider.data, model.provider.length) == 0) {
            uint32_t shorter =
                before.id.length < model.id.length ? before.id.length : model.id.length;
            int order = memcmp(before.id.data, model.id.data, shorter);
            ck_assert(order < 0 || (order == 0 && before.id.length < model.id.length));
        }
        ck_assert_uint_eq(model.caps_yes & model.caps_no, 0);
        before = model;
    }
}
END_TEST

START_TEST(providers_cover_all_models_once)
{
    uint32_t all = 0;
    for (uint32_t p = 0; p < registry_provider_count(); p++) {
        registry_index first;
        uint32_t count, number;
        struct registry_text name = registry_provider_name(p);
        ck_assert(registry_provider_find(name.data, name.length, &number));
        ck_assert_uint_eq(number, p);
        registry_provider_models(p, &first, &count);
        ck_assert_uint_eq(first, all);
        ck_assert_uint_gt(count, 0);
        all += count;
        for (registry_index i = first; i < first + count; i++) {
            struct registry_model model;
            registry_model(i, &model);
            ck_assert_uint_eq(model.provider.length, name.length);
            ck_assert_mem_eq(model.provider.data, name.data, name.length);
        }
    }
    ck_assert_uint_eq(all, registry_count());
    uint32_t number;
    ck_assert(!registry_provider_find("no such provider", 16, &number));
}
END_TEST

START_TEST(filters_find_what_a_scan_finds)
{
    uint32_t tools;
    ck_assert(registry_capability_find("tools", &tools));
    ck_assert(!registry_capability_find("flying", &tools));
    struct registry_filter all, one;
    registry_filter_init(&all);
    registry_filter_init(&one);
    one.caps = 1u << tools;
    one.context_min = 100000;
    one.price_input_max = 2000000;
    uint32_t expected = 0, found = 0, total = 0;
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        expected += registry_capability(i, tools) == REGISTRY_YES &&
                    model.context != REGISTRY_UNKNOWN && model.context >= 100000 &&
                    model.price_input != REGISTRY_UNKNOWN && model.price_input <= 2000000;
    }
    for (registry_index i = 0; (i = registry_filter_next(&one, i)) != REGISTRY_NONE; i++) {
        found++;
    }
    for (registry_index i = 0; (i = registry_filter_next(&all, i)) != REGISTRY_NONE; i++) {
        total++;
    }
    ck_assert_uint_gt(expected, 0);
    ck_assert_uint_eq(found, expected);
    ck_assert_uint_eq(total, registry_count());
}
END_TEST

START_TEST(capabilities_have_three_values)
{
    unsigned seen[3] = {0};
    for (uint32_t c = 0; c < registry_capability_count(); c++) {
        uint32_t number;
        ck_assert(registry_capability_find(registry_capability_name(c), &number));
        ck_assert_uint_eq(number, c);
        for (registry_index i = 0; i < registry_count(); i++) {
            seen[registry_capability(i, c)]++;
        }
    }
    ck_assert_uint_gt(seen[REGISTRY_TRI_UNKNOWN], 0);
    ck_assert_uint_gt(seen[REGISTRY_NO], 0);
    ck_assert_uint_gt(seen[REGISTRY_YES], 0);
}
END_TEST

START_TEST(a_bare_id_resolves_to_a_model_of_that_id)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model, target;
        registry_model(i, &model);
        registry_index found = registry_alias_find(model.id.data, model.id.length);
        ck_assert_uint_ne(found, REGISTRY_NONE);
        registry_model(found, &target);
        ck_assert_uint_eq(target.id.length, model.id.length);
        ck_assert_mem_eq(target.id.data, model.id.data, model.id.length);
    }
    ck_assert_uint_eq(registry_alias_find("no such id", 10), REGISTRY_NONE);
    ck_assert_uint_eq(registry_alias_find("", 0), REGISTRY_NONE);
}
END_TEST

START_TEST(a_mistyped_key_is_suggested_first)
{
    for (unsigned n = 0; n < 50; n++) {
        registry_index wanted = (registry_index)(random_next() % registry_count());
        struct registry_text key = registry_key(wanted);
        if (key.length > 60) {
            continue;
        }
        char wrong[REGISTRY_KEY_MOST];
        memcpy(wrong, key.data, key.length);
        memmove(wrong + key.length - 2, wrong + key.length - 1, 1); /* the last but one left out */
        registry_index out[5];
        size_t length = key.length - 1;
        if (registry_find(wrong, length) != REGISTRY_NONE) {
            continue;
        }
        size_t count = registry_suggest(wrong, length, out, 5);
        bool there = false;
        for (size_t i = 0; i < count; i++) {
            there |= out[i] == wanted;
        }
        /* Five others may be as near in a row of versions; then they are one edit away, too. */
        ck_assert(there || count == 5);
    }
    registry_index out[3];
    ck_assert_uint_eq(registry_suggest("", 0, out, 3), 0);
    ck_assert_uint_eq(registry_suggest("~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", 30, out, 3), 0);
    ck_assert_uint_eq(find("~~~~"), REGISTRY_NONE);
}
END_TEST

SUITE("registry", &finds_every_key_at_its_own_index,
      &a_key_changed_in_one_byte_is_absent_unless_it_is_another_key,
      &ten_million_random_keys_are_absent, &batches_agree_with_single_look_ups,
      &short_empty_and_endless_keys_are_absent,
      &records_are_in_byte_order_and_split_at_the_first_colon, &providers_cover_all_models_once,
      &filters_find_what_a_scan_finds, &capabilities_have_three_values,
      &a_bare_id_resolves_to_a_model_of_that_id, &a_mistyped_key_is_suggested_first)
