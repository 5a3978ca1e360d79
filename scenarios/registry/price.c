/* price.c - prices in micro-USD per million tokens: 0 is free, unknown is unknown. */
#include "module.h"
#include "session.h"

#include <check.h>
#include <stdio.h>

static const uint64_t limits[] = {0,          1,
                                  1000,       10000,
                                  50000,      100000,
                                  150000,     250000,
                                  500000,     1000000,
                                  1500000,    2000000,
                                  3000000,    5000000,
                                  10000000,   15000000,
                                  30000000,   75000000,
                                  150000000,  600000000,
                                  UINT32_MAX, (uint64_t)UINT32_MAX * 1000};

static unsigned subject_limits(void)
{
    return sizeof limits / sizeof limits[0];
}

static void label_limit(unsigned subject, char *text, size_t room)
{
    snprintf(text, room, "%llu", (unsigned long long)limits[subject]);
}

static void filter_agrees(const struct registry_filter *filter, uint64_t limit, bool output)
{
    registry_index next = registry_filter_next(filter, 0);
    unsigned found = 0;
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        uint64_t price = output ? model.price_output : model.price_input;
        bool fits = price != REGISTRY_UNKNOWN && price <= limit;
        ck_assert_msg((i == next) == fits, "model %u costs %llu, the filter says %s", i,
                      (unsigned long long)price, i == next ? "yes" : "no");
        if (fits) {
            next = registry_filter_next(filter, i + 1);
            if (found++ < 200) {
                ck_assert_uint_eq(session_find_model(i), i);
            }
        }
    }
}

static void input_costs_at_most(unsigned subject)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.price_input_max = limits[subject];
    filter_agrees(&filter, limits[subject], false);
}

static void output_costs_at_most(unsigned subject)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.price_output_max = limits[subject];
    filter_agrees(&filter, limits[subject], true);
}

static void an_unknown_price_is_never_cheap(void)
{
    struct registry_filter filter;
    registry_filter_init(&filter);
    filter.price_input_max = REGISTRY_UNKNOWN - 1;
    for (registry_index i = registry_filter_next(&filter, 0); i != REGISTRY_NONE;
         i = registry_filter_next(&filter, i + 1)) {
        struct registry_model model;
        registry_model(i, &model);
        ck_assert_uint_ne(model.price_input, REGISTRY_UNKNOWN);
    }
}

static void a_free_model_costs_zero_and_not_unknown(void)
{
    unsigned nothing = 0, unknown = 0;
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_model model;
        registry_model(i, &model);
        nothing += model.price_input == 0;
        unknown += model.price_input == REGISTRY_UNKNOWN;
    }
    ck_assert_uint_ge(nothing, subject_models() ? 1 : 0);
    ck_assert_uint_gt(unknown, 0);
}

static const struct suite_single singles[] = {
    SINGLE(an_unknown_price_is_never_cheap),
    SINGLE(a_free_model_costs_zero_and_not_unknown),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(input_costs_at_most, subject_limits, label_limit),
    FAMILY(output_costs_at_most, subject_limits, label_limit),
};

MODULE(module_price, "price", families);
