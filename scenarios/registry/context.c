/* context.c - context windows and output lengths in tokens. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>

static const uint64_t windows[] = {
    1,      7,      512,    2048,    4096,    8192,    16384,    32000,
    32768,  64000,  65536,  100000,  128000,  131072,  200000,   256000,
    262144, 400000, 500000, 1000000, 1048576, 2000000, 10000000, (uint64_t)UINT32_MAX + 1};

static unsigned subject_windows(void)
{
    return sizeof windows / sizeof windows[0];
}

static void label_window(unsigned subject, char *text, size_t room)
{
    snprintf(text, room, "%llu_tokens", (unsigned long long)windows[subject]);
}

static void context_is_at_least(unsigned subject)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.context_min = windows[subject];
    registry_index next = registry_filter_next(&filter, 0);
    unsigned found = 0;
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        bool fits = model.context != REGISTRY_UNKNOWN && model.context >= windows[subject];
        ck_assert_int_eq(i == next, fits);
        if (fits) {
            next = registry_filter_next(&filter, i + 1);
            if (found++ < 200) {
                ck_assert_uint_eq(session_find_model(i), i);
            }
        }
    }
}

/* The same window with a capability besides: both must hold. */
static void tools_and_context_of_at_least(unsigned subject)
{
    struct registry_filter filter;
    uint32_t capability = 0;
    registry_capability_find("tools", &capability);
    registry_filter_init(&filter);
    filter.context_min = windows[subject];
    filter.caps = 1u << capability;
    unsigned found = 0, expected = 0;
    for (registry_index i = registry_filter_next(&filter, 0); i != REGISTRY_NONE;
         i = registry_filter_next(&filter, i + 1)) {
        found++;
    }
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        expected += model.context != REGISTRY_UNKNOWN && model.context >= windows[subject] &&
                    (model.caps_yes >> capability & 1);
    }
    ck_assert_uint_eq(found, expected);
}

static void no_window_asked_matches_unknown_ones_too(void)
{
    struct registry_filter filter;
    unsigned found = 0;
    registry_filter_init(&filter);
    for (registry_index i = registry_filter_next(&filter, 0); i != REGISTRY_NONE;
         i = registry_filter_next(&filter, i + 1)) {
        found++;
    }
    ck_assert_uint_eq(found, registry_count());
}

static const struct suite_single singles[] = {SINGLE(no_window_asked_matches_unknown_ones_too)};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(context_is_at_least, subject_windows, label_window),
    FAMILY(tools_and_context_of_at_least, subject_windows, label_window),
};

MODULE(module_context, "context", families);
