/* tiered_usage_test.c - TTLs and sizes proposed from traces whose right answers are known. */
#include "harness/base/suite.h"
#include "registry/tiered/tiered_usage.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000000000ull

static struct store_key key_of(unsigned number)
{
    static char text[16];
    snprintf(text, sizeof text, "key-%u", number);
    return (struct store_key){text, strlen(text)};
}

/* `keys` keys, each looked up every `period` seconds for an hour. */
static struct tiered_usage *polled(unsigned keys, unsigned period)
{
    struct tiered_usage *usage = usage_new(100000);
    ck_assert_ptr_nonnull(usage);
    for (unsigned s = 0; s < 3600; s += period) {
        for (unsigned k = 0; k < keys; k++) {
            usage_lookup(usage, 0, key_of(k), 100, s * SECOND);
        }
    }
    return usage;
}

static const struct usage_bounds bounds = {10 * SECOND, 600 * SECOND};

START_TEST(loads_are_counted_as_the_cache_would_make_them)
{
    static const struct {
        unsigned ttl_s, loads;
    } rows[] = {{1, 120}, {30, 120}, {31, 60}, {60, 60}, {61, 40}, {600, 6}, {3600, 1}};
    struct tiered_usage *usage = polled(1, 30);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct usage_proposal p;
        ck_assert(usage_propose(usage, 0, rows[i].ttl_s * SECOND, &bounds, &p));
        ck_assert_msg(p.loads_now == rows[i].loads, "TTL %u s: %llu loads", rows[i].ttl_s,
                      (unsigned long long)p.loads_now);
        ck_assert_uint_eq(p.lookups, 120);
    }
    usage_free(&usage);
}
END_TEST

/* Every second look-up is after an event: no TTL spares a load, so the shortest is right. */
START_TEST(where_events_decide_the_ttl_stays_short_and_where_they_do_not_it_grows)
{
    struct usage_proposal p;
    struct tiered_usage *usage = usage_new(10000);
    for (unsigned s = 0; s < 3600; s += 30) {
        usage_lookup(usage, 0, key_of(1), 100, s * SECOND);
        usage_event(usage, 0, key_of(1), s * SECOND + 1);
    }
    ck_assert(usage_propose(usage, 0, 300 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.loads_now, 120);
    ck_assert_uint_eq(p.loads, 120);
    ck_assert_uint_eq(p.ttl_ns, bounds.ttl_least_ns);
    usage_free(&usage);
    usage = polled(1, 30);
    ck_assert(usage_propose(usage, 0, 20 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.loads_now, 120);
    ck_assert_uint_eq(p.loads, 6);
    ck_assert_uint_gt(p.ttl_ns, 570 * SECOND);
    ck_assert_uint_le(p.ttl_ns, bounds.ttl_most_ns);
    usage_free(&usage);
}
END_TEST

START_TEST(the_size_is_what_is_held_at_once)
{
    struct usage_proposal p;
    struct tiered_usage *usage = usage_new(10000);
    for (unsigned s = 0; s < 1000; s++) { /* each key once: a TTL holds as many as it has seconds */
        usage_lookup(usage, 0, key_of(s), 100, s * SECOND);
    }
    ck_assert(usage_propose(usage, 0, 300 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.keys, 1000);
    ck_assert_uint_eq(p.ttl_ns, bounds.ttl_least_ns); /* it spares nothing */
    ck_assert_uint_eq(p.bytes, 10 * 100);
    usage_free(&usage);
    usage = polled(50, 30);
    ck_assert(usage_propose(usage, 0, 300 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.bytes, 50 * 100);
    usage_free(&usage);
}
END_TEST

START_TEST(a_ring_keeps_the_last_records_in_order_and_rules_are_apart)
{
    struct usage_proposal p;
    struct tiered_usage *usage = usage_new(100);
    for (unsigned i = 0; i < 250; i++) {
        usage_lookup(usage, i % 2, key_of(i % 2), 100, i * SECOND);
    }
    ck_assert(usage_propose(usage, 1, 20 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.lookups, 50); /* the last hundred seconds */
    ck_assert_uint_eq(p.keys, 1);
    ck_assert_uint_eq(p.loads_now, 5);
    ck_assert(usage_propose(usage, 2, 20 * SECOND, &bounds, &p));
    ck_assert_uint_eq(p.lookups, 0);
    ck_assert_uint_eq(p.ttl_ns, 20 * SECOND); /* nothing is known: it stays */
    ck_assert(!usage_propose(usage, 1, 1, &(struct usage_bounds){2, 1}, &p));
    usage_free(&usage);
}
END_TEST

SUITE("tiered_usage", &loads_are_counted_as_the_cache_would_make_them,
      &where_events_decide_the_ttl_stays_short_and_where_they_do_not_it_grows,
      &the_size_is_what_is_held_at_once,
      &a_ring_keeps_the_last_records_in_order_and_rules_are_apart)
