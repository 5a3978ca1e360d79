/* capability.c - three-valued capabilities: stated, denied, unknown. Runs in the test program. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <string.h>

static void three_values_add_up_for(unsigned capability)
{
    uint32_t count[3] = {0};
    for (registry_index i = 0; i < registry_count(); i++) {
        enum registry_tri tri = registry_capability(i, capability);
        ck_assert(tri == REGISTRY_YES || tri == REGISTRY_NO || tri == REGISTRY_TRI_UNKNOWN);
        count[tri]++;
    }
    ck_assert_uint_eq(count[0] + count[1] + count[2], registry_count());
}

static void record_agrees_about(unsigned capability)
{
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        enum registry_tri tri = registry_capability(i, capability);
        ck_assert_int_eq(model.caps_yes >> capability & 1, tri == REGISTRY_YES);
        ck_assert_int_eq(model.caps_no >> capability & 1, tri == REGISTRY_NO);
    }
}

static void filter_gives_models_with(unsigned capability)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.caps = 1u << capability;
    registry_index next = registry_filter_next(&filter, 0);
    for (registry_index i = 0; i < registry_count(); i++) {
        bool has = registry_capability(i, capability) == REGISTRY_YES;
        ck_assert_int_eq(i == next, has);
        if (has) {
            next = registry_filter_next(&filter, i + 1);
        }
    }
    ck_assert_uint_eq(next, REGISTRY_NONE);
}

static void models_are_found_with(unsigned capability)
{
    unsigned found = 0;
    for (registry_index i = 0; i < registry_count() && found < 500; i++) {
        if (registry_capability(i, capability) == REGISTRY_YES) {
            ck_assert_uint_eq(session_find_model(i), i);
            found++;
        }
    }
}

static void finds_the_number_of(unsigned capability)
{
    uint32_t number = UINT32_MAX;
    ck_assert(registry_capability_find(registry_capability_name(capability), &number));
    ck_assert_uint_eq(number, capability);
}

static void an_unknown_capability_is_not_found(void)
{
    uint32_t number;
    ck_assert(!registry_capability_find("levitation", &number));
    ck_assert(!registry_capability_find("", &number));
}

static void capabilities_fit_a_bit_set(void)
{
    ck_assert_uint_ge(registry_capability_count(), subject_models() ? 1 : 0);
    ck_assert_uint_le(registry_capability_count(), 32);
}

static const struct suite_single singles[] = {
    SINGLE(an_unknown_capability_is_not_found),
    SINGLE(capabilities_fit_a_bit_set),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(three_values_add_up_for, subject_capabilities, label_capability),
    FAMILY(record_agrees_about, subject_capabilities, label_capability),
    FAMILY(filter_gives_models_with, subject_capabilities, label_capability),
    FAMILY(models_are_found_with, subject_capabilities, label_capability),
    FAMILY(finds_the_number_of, subject_capabilities, label_capability),
};

MODULE(module_capability, "capability", families);
