/*
 * strategy_registry_test.c - every strategy in front of the compiled-in registry answers as the
 * registry itself: all keys, all providers, 10,000 absent keys, in both forms of the source.
 */
#include "registry/cache/source_registry.h"

#include "harness/base/suite.h"
#include "registry/cache/strategy_fake.h"

static const struct strategy_options bounds = {.entries = 1024};

static void check_packed(const struct strategy *strategy, void *state, registry_index index)
{
    struct registry_text key = registry_key(index);
    struct strategy_value value;
    registry_index got;
    ck_assert(strategy->get(state, key.data, key.length, &value));
    ck_assert_uint_eq(value.bytes, sizeof got);
    memcpy(&got, value.data, sizeof got);
    ck_assert_uint_eq(got, index);
}

START_TEST(every_key_resolves_through_every_strategy)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct made made;
        uint64_t random = 1;
        ck_assert(made_init(&made, *at, &source_registry_packed, &bounds));
        for (int pass = 0; pass < 2; pass++) {
            for (registry_index i = 0; i < registry_count(); i++) {
                check_packed(*at, made.state, i);
            }
        }
        for (int i = 0; i < 20000; i++) { /* in no order, some again and again */
            uint64_t dice = fake_random(&random);
            check_packed(*at, made.state,
                         (registry_index)((dice >> 8) % registry_count() >> (dice & 7)));
        }
        made_fini(&made);
    }
}
END_TEST

START_TEST(every_provider_resolves_through_every_strategy)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct made made;
        ck_assert(made_init(&made, *at, &source_registry_packed, &bounds));
        for (uint32_t p = 0; p < registry_provider_count(); p++) {
            registry_index first;
            uint32_t count;
            registry_provider_models(p, &first, &count);
            ck_assert_uint_gt(count, 0);
            check_packed(*at, made.state, first);
            check_packed(*at, made.state, first + count - 1);
            struct registry_text name = registry_provider_name(p); /* alone it is no key */
            struct strategy_value value;
            ck_assert(!(*at)->get(made.state, name.data, name.length, &value));
        }
        made_fini(&made);
    }
}
END_TEST

START_TEST(ten_thousand_absent_keys_are_absent_through_every_strategy)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct made made;
        uint64_t random = 9;
        unsigned tried = 0;
        ck_assert(made_init(&made, *at, &source_registry_packed, &bounds));
        while (tried < 10000) { /* a real key with one byte changed, or cut, or longer */
            char key[256];
            struct strategy_value value;
            uint64_t dice = fake_random(&random);
            registry_index index = (registry_index)((dice >> 16) % registry_count());
            struct registry_text real = registry_key(index);
            size_t length = real.length < 250 ? real.length : 250;
            memcpy(key, real.data, length);
            if ((dice & 3) == 0) {
                key[length++] = '~';
            } else if ((dice & 3) == 1) {
                length--;
            } else {
                key[(dice >> 2) % length] ^= 1;
            }
            if (tried % 10 == 0) {
                check_packed(*at, made.state, index);
            }
            registry_index is = registry_find(key, length);
            ck_assert((*at)->get(made.state, key, length, &value) == (is != REGISTRY_NONE));
            tried += is == REGISTRY_NONE;
        }
        made_fini(&made);
    }
}
END_TEST

START_TEST(materialised_records_are_whole_and_the_same_everywhere)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct made made;
        ck_assert(made_init(&made, *at, &source_registry_materialised, &bounds));
        for (registry_index i = 0; i < registry_count(); i += 7) {
            struct registry_text key = registry_key(i);
            static struct model_record right;
            struct strategy_value value;
            model_record_fill(&right, i);
            for (int again = 0; again < 2; again++) {
                ck_assert((*at)->get(made.state, key.data, key.length, &value));
                ck_assert_uint_eq(value.bytes, sizeof right);
                ck_assert(memcmp(value.data, &right, sizeof right) == 0);
            }
            ck_assert(strncmp(right.key, key.data, key.length) == 0 || key.length > 127);
        }
        made_fini(&made);
    }
}
END_TEST

/* 60 GB / (27,000 keys x 450 tests) = 4,938 bytes an entry. */
START_TEST(an_unbounded_cache_costs_what_the_incident_paid)
{
    const struct strategy *unbounded = strategy_find("unbounded");
    struct made made;
    if (!unbounded) {
        return;
    }
    ck_assert(made_init(&made, unbounded, &source_registry_materialised, &bounds));
    for (registry_index i = 0; i < registry_count(); i++) {
        struct registry_text key = registry_key(i);
        struct strategy_value value;
        ck_assert(unbounded->get(made.state, key.data, key.length, &value));
    }
    struct strategy_statistics s = made_statistics(&made);
    double each = (double)s.bytes / (double)s.entries;
    ck_assert_uint_eq(s.entries, registry_count());
    ck_assert_msg(each > 4938 * 0.99 && each < 4938 * 1.01, "%.1f bytes an entry", each);
    made_fini(&made);
}
END_TEST

SUITE("strategies over the registry", &every_key_resolves_through_every_strategy,
      &every_provider_resolves_through_every_strategy,
      &ten_thousand_absent_keys_are_absent_through_every_strategy,
      &materialised_records_are_whole_and_the_same_everywhere,
      &an_unbounded_cache_costs_what_the_incident_paid)
