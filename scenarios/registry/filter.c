/* filter.c - filters by provider and mode, and several conditions at once. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>

static unsigned subject_modes(void)
{
    return REGISTRY_MODE_COUNT - 1;
}

static void label_mode(unsigned mode, char *text, size_t room)
{
    static const char *const names[] = {
        "chat",  "completion", "embedding", "image",      "audio",  "speech", "transcription",
        "video", "rerank",     "realtime",  "moderation", "search", "ocr",    "other"};
    snprintf(text, room, "%s", names[mode]);
}

static void only_models_of_mode(unsigned subject)
{
    struct registry_filter filter;
    enum registry_mode mode = (enum registry_mode)(subject + 1);
    registry_filter_init(&filter);
    filter.mode = mode;
    registry_index next = registry_filter_next(&filter, 0);
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        ck_assert_int_eq(i == next, model.mode == mode);
        if (i == next) {
            next = registry_filter_next(&filter, i + 1);
        }
    }
}

static void only_models_of_provider(unsigned provider)
{
    struct registry_filter filter;
    registry_index first, next;
    uint32_t count, found = 0;
    registry_filter_init(&filter);
    filter.provider = provider;
    registry_provider_models(provider, &first, &count);
    for (next = registry_filter_next(&filter, 0); next != REGISTRY_NONE;
         next = registry_filter_next(&filter, next + 1)) {
        ck_assert_uint_eq(next, first + found);
        ck_assert_uint_eq(session_find_model(next), next);
        found++;
    }
    ck_assert_uint_eq(found, count);
}

/* All conditions at once against a look at every record. */
static void cheap_and_large_models_of(unsigned provider)
{
    struct registry_filter filter;
    registry_index first;
    uint32_t count, found = 0, expected = 0;
    registry_filter_init(&filter);
    filter.provider = provider;
    filter.context_min = 100000;
    filter.price_input_max = 2000000;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct registry_model model;
        registry_model(first + i, &model);
        expected += model.context != REGISTRY_UNKNOWN && model.context >= 100000 &&
                    model.price_input != REGISTRY_UNKNOWN && model.price_input <= 2000000;
    }
    for (registry_index i = registry_filter_next(&filter, 0); i != REGISTRY_NONE;
         i = registry_filter_next(&filter, i + 1)) {
        found++;
    }
    ck_assert_uint_eq(found, expected);
}

static void starting_beyond_the_end_finds_nothing(void)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    ck_assert_uint_eq(registry_filter_next(&filter, registry_count()), REGISTRY_NONE);
}

static void starting_at_the_last_finds_the_last(void)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    ck_assert_uint_eq(registry_filter_next(&filter, registry_count() - 1), registry_count() - 1);
}

static void a_filter_is_not_changed_by_its_use(void)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.mode = REGISTRY_CHAT;
    registry_index once = registry_filter_next(&filter, 0);
    ck_assert_uint_eq(registry_filter_next(&filter, 0), once);
}

static const struct suite_single singles[] = {
    SINGLE(starting_beyond_the_end_finds_nothing),
    SINGLE(starting_at_the_last_finds_the_last),
    SINGLE(a_filter_is_not_changed_by_its_use),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(only_models_of_mode, subject_modes, label_mode),
    FAMILY(only_models_of_provider, subject_providers, label_provider),
    FAMILY(cheap_and_large_models_of, subject_providers, label_provider),
};

MODULE(module_filter, "filter", families);
