/* suggest.c - what a mistyped key may have meant. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <string.h>

#define MOST 8

static bool suggests(const char *key, size_t length, registry_index wanted)
{
    registry_index out[MOST];
    size_t count = registry_suggest(key, length, out, MOST);
    ck_assert_uint_le(count, MOST);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_lt(out[i], registry_count());
        if (out[i] == wanted) {
            return true;
        }
    }
    return false;
}

static void suggestions_for_a_typing_error_at(unsigned provider)
{
    registry_index first;
    uint32_t count;
    char text[256];
    registry_provider_models(provider, &first, &count);
    struct registry_text key = registry_key(first + count / 2);
    memcpy(text, key.data, key.length);
    text[key.length - 1] = '~'; /* in no key */
    if (session_find(text, key.length) == REGISTRY_NONE) {
        registry_index out[MOST];
        size_t given = registry_suggest(text, key.length, out, MOST);
        ck_assert_uint_gt(given, 0);
        for (size_t i = 0; i < given; i++) {
            for (size_t j = 0; j < i; j++) {
                ck_assert_uint_ne(out[i], out[j]);
            }
        }
    }
}

static void a_wrong_last_letter_leads_to_the_model(void)
{
    char text[256];
    unsigned led = 0, asked = 0;
    for (registry_index i = 100; i < registry_count() && asked < 20; i += registry_count() / 20) {
        struct registry_text key = registry_key(i);
        memcpy(text, key.data, key.length);
        text[key.length - 1] = '~';
        asked++;
        led += suggests(text, key.length, i);
    }
    ck_assert_msg(led * 4 >= asked * 3, "only %u of %u", led, asked);
}

static void nothing_is_written_beyond_the_room(void)
{
    registry_index out[3] = {1, 2, 4711};
    struct registry_text key = registry_key(5);
    ck_assert_uint_le(registry_suggest(key.data, key.length - 1u, out, 2), 2);
    ck_assert_uint_eq(out[2], 4711);
}

static void no_room_no_suggestion(void)
{
    registry_index out[1] = {4711};
    struct registry_text key = registry_key(5);
    ck_assert_uint_eq(registry_suggest(key.data, key.length, out, 0), 0);
    ck_assert_uint_eq(out[0], 4711);
}

static void suggestions_are_the_same_every_time(void)
{
    registry_index a[MOST], b[MOST];
    size_t first = registry_suggest("openai:gtp-4o", 13, a, MOST);
    ck_assert_uint_eq(registry_suggest("openai:gtp-4o", 13, b, MOST), first);
    ck_assert_int_eq(memcmp(a, b, first * sizeof a[0]), 0);
}

static const struct suite_single singles[] = {
    SINGLE(a_wrong_last_letter_leads_to_the_model),
    SINGLE(nothing_is_written_beyond_the_room),
    SINGLE(no_room_no_suggestion),
    SINGLE(suggestions_are_the_same_every_time),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(suggestions_for_a_typing_error_at, subject_providers, label_provider),
};

MODULE(module_suggest, "suggest", families);
