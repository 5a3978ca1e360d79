/* pass_log_test.c - what a pass keeps of its boundaries, and what is made of survivors. */
#include "harness/campaign/pass_log.h"

#include "harness/base/suite.h"

static struct observed seen;
static struct pass_log pass;

static void begin(void)
{
    pass = (struct pass_log){0};
    observed_init(&seen);
    observed_worker_begins(&seen);
}

static void site_take(uint32_t number, int64_t blocks, int64_t bytes, int64_t born, bool stack)
{
    struct wire_site site;
    WIRE_INIT(&site, WIRE_SITE);
    site.site = site.family = number;
    site.live_blocks = blocks;
    site.live_bytes = bytes;
    site.born_blocks = born;
    site.frame_count = stack;
    ck_assert(observed_take(&seen, &site.head));
}

static void change_is(size_t at, struct pass_change want)
{
    const struct pass_change *is = &pass.changes[at];
    ck_assert_msg(is->position == want.position && is->site == want.site &&
                      is->blocks == want.blocks && is->bytes == want.bytes &&
                      is->allocated == want.allocated,
                  "change %zu: position %u, site %u, %lld blocks of %lld B, %d", at, is->position,
                  is->site, (long long)is->blocks, (long long)is->bytes, is->allocated);
}

START_TEST(a_boundary_keeps_what_its_answer_brought)
{
    begin();
    seen.round = 1;
    site_take(2, 1, 100, 1, true);
    site_take(4, 3, 50, 0, true);
    site_take(5, 3, 50, 1, false); /* without a stack it cannot be placed */
    pass_log_boundary(&pass, 7, &seen);
    seen.round = 2;
    pass_log_boundary(&pass, 3, &seen); /* nothing changed */
    pass_log_call(&pass, 250, true);
    seen.round = 3;
    site_take(4, 0, 0, 2, true);
    pass_log_boundary(&pass, 7, &seen);
    ck_assert_uint_eq(pass.count, 3);
    ck_assert(pass.tests[0] == 7 && pass.tests[1] == 3 && pass.tests[2] == 7);
    ck_assert(pass.call_ns[0] == 0 && pass.call_ns[1] == 250 && pass.call_ns[2] == 0);
    ck_assert(!pass.keeps[0] && pass.keeps[1] && !pass.keeps[2]);
    ck_assert_uint_eq(pass.change_count, 3);
    change_is(0, (struct pass_change){0, 2, 1, 100, true});
    change_is(1, (struct pass_change){0, 4, 3, 50, false});
    change_is(2, (struct pass_change){2, 4, 0, 0, true});
    ck_assert_uint_eq(pass.first_pass, 0); /* whoever runs the pass says it */
    pass_log_fini(&pass);
    ck_assert(pass.count == 0 && pass.change_count == 0);
    observed_fini(&seen);
}
END_TEST

static void survivor_take(uint32_t site, uint32_t birth, int64_t blocks, int64_t bytes)
{
    struct wire_survivor left;
    WIRE_INIT(&left, WIRE_SURVIVOR);
    left.site = site;
    left.birth = birth;
    left.blocks = blocks;
    left.bytes = bytes;
    ck_assert(observed_take(&seen, &left.head));
}

START_TEST(survivors_add_up_in_the_order_of_their_births)
{
    static const uint32_t tests[] = {5, 2, 9};
    begin();
    site_take(1, 0, 0, 0, true);
    site_take(3, 0, 0, 0, true);
    survivor_take(1, 2, 10, 1000);
    survivor_take(3, 5, 1, 7);
    survivor_take(1, 9, 1, 1);
    survivor_take(1, 5, 2, 20);
    survivor_take(1, WIRE_NO_TEST, 90, 90); /* born outside of any test */
    survivor_take(1, 4, 90, 90);            /* of a test that is not in the pass */
    survivor_take(4, 5, 90, 90);            /* of a site that was never sent */
    survivor_take(UINT32_MAX, 5, 90, 90);
    pass_log_survivors(&pass, tests, 3, &seen);
    ck_assert_uint_eq(pass.count, 3);
    ck_assert_uint_eq(pass.first_pass, 3);
    ck_assert(pass.tests[0] == 5 && pass.tests[2] == 9);
    ck_assert_uint_eq(pass.change_count, 4);
    change_is(0, (struct pass_change){0, 3, 1, 7, true});
    change_is(1, (struct pass_change){0, 1, 2, 20, true});
    change_is(2, (struct pass_change){1, 1, 12, 1020, true});
    change_is(3, (struct pass_change){2, 1, 13, 1021, true});
    pass_log_fini(&pass);
    observed_fini(&seen);
}
END_TEST

SUITE("pass log", &a_boundary_keeps_what_its_answer_brought,
      &survivors_add_up_in_the_order_of_their_births)
