/* observed_test.c - what records of a worker come to: tests, sites, families, and numbers that no
 * worker would send. */
#include "harness/campaign/observed.h"

#include "harness/base/suite.h"

#include <stdio.h>
#include <string.h>

static struct observed seen;

static void begin(void)
{
    observed_init(&seen);
    observed_worker_begins(&seen);
    seen.round = 1;
}

static struct wire_site site_record(uint32_t number, int64_t blocks, int64_t bytes)
{
    struct wire_site site;
    WIRE_INIT(&site, WIRE_SITE);
    site.site = site.family = number;
    site.live_blocks = blocks;
    site.live_bytes = bytes;
    site.floor_blocks = blocks - 1;
    site.floor_bytes = bytes - 10;
    site.frame_count = 1;
    site.frames[0] = 0x1000 + number;
    return site;
}

static void site_take(uint32_t number, uint32_t family, int64_t blocks, int64_t bytes)
{
    struct wire_site site = site_record(number, blocks, bytes);
    site.family = family;
    ck_assert(observed_take(&seen, &site.head));
}

static void family_take(uint32_t family, uint32_t kind, int64_t blocks, int64_t bytes)
{
    struct wire_family record;
    WIRE_INIT(&record, WIRE_FAMILY);
    record.family = family;
    record.kind = kind;
    record.live_blocks = blocks;
    record.live_bytes = bytes;
    record.floor_blocks = blocks - 2;
    record.floor_bytes = bytes - 20;
    ck_assert(observed_take(&seen, &record.head));
}

START_TEST(a_test_is_kept_once_by_its_number)
{
    struct wire_test_name name;
    begin();
    for (int worker = 0; worker < 2; worker++) {
        for (uint32_t i = 0; i < 3; i++) {
            WIRE_INIT(&name, WIRE_TEST_NAME);
            name.test = i;
            name.line = 10 + i;
            name.group = 7;
            name.flags = i == 1 ? WIRE_TEST_FORKED : WIRE_TEST_PASSIVE;
            snprintf(name.id, sizeof name.id, "suite/test%u", i);
            snprintf(name.file, sizeof name.file, "test.c");
            ck_assert(observed_take(&seen, &name.head));
        }
        observed_worker_begins(&seen);
    }
    ck_assert_uint_eq(seen.test_count, 3);
    ck_assert_str_eq(seen.tests[2].id, "suite/test2");
    ck_assert_str_eq(seen.tests[2].file, "test.c");
    ck_assert_uint_eq(seen.tests[2].line, 12);
    ck_assert_uint_eq(seen.tests[2].group, 7);
    ck_assert(seen.tests[1].forked && !seen.tests[2].forked);
    observed_fini(&seen);
}
END_TEST

START_TEST(a_site_is_found_by_its_number_once_its_stack_was_sent)
{
    begin();
    ck_assert_ptr_null(observed_site(&seen, 0));
    struct wire_site site = site_record(5, 2, 64);
    site.born_blocks = 3;
    site.born_bytes = 96;
    site.kind = WIRE_SITE_FILE;
    ck_assert(observed_take(&seen, &site.head));
    ck_assert_uint_eq(seen.site_count, 6);
    ck_assert_ptr_null(observed_site(&seen, 4)); /* it was never sent */
    ck_assert_ptr_null(observed_site(&seen, 6));
    ck_assert_ptr_null(observed_site(&seen, UINT32_MAX));
    const struct observed_site *kept = observed_site(&seen, 5);
    ck_assert_ptr_nonnull(kept);
    ck_assert_int_eq(kept->blocks, 2);
    ck_assert_int_eq(kept->bytes, 64);
    ck_assert_int_eq(kept->born_blocks, 3);
    ck_assert_int_eq(kept->born_bytes, 96);
    ck_assert_uint_eq(kept->kind, WIRE_SITE_FILE);
    ck_assert_uint_eq(kept->round, 1);
    ck_assert_uint_eq(kept->frames[0], 0x1005);
    seen.round = 2;
    site.frame_count = 0; /* stacks come once */
    site.frames[0] = 0;
    site.live_blocks = 9;
    ck_assert(observed_take(&seen, &site.head));
    ck_assert_uint_eq(observed_site(&seen, 5)->frames[0], 0x1005);
    ck_assert_int_eq(observed_site(&seen, 5)->blocks, 9);
    ck_assert_uint_eq(observed_site(&seen, 5)->round, 2);
    observed_worker_begins(&seen);
    ck_assert_ptr_null(observed_site(&seen, 5));
    observed_fini(&seen);
}
END_TEST

START_TEST(numbers_that_no_worker_gives_change_nothing)
{
    begin();
    site_take(3, 3, 1, 10);
    struct wire_site site = site_record((1u << 22) + 1, 1, 1);
    ck_assert(observed_take(&seen, &site.head));
    site = site_record(UINT32_MAX, 1, 1);
    ck_assert(observed_take(&seen, &site.head));
    family_take((1u << 22) + 1, WIRE_SITE_HEAP, 5, 50);
    family_take(UINT32_MAX, WIRE_SITE_HEAP, 5, 50);
    family_take(1u << 22, WIRE_SITE_HEAP, 5, 50); /* nor all at once */
    site = site_record(300000, 1, 1);
    ck_assert(observed_take(&seen, &site.head));
    ck_assert_uint_eq(seen.site_count, 4);
    site_take(100000, 100000, 1, 1); /* but they may be many */
    ck_assert_ptr_nonnull(observed_site(&seen, 100000));
    site_take(400000, 400000, 1, 1); /* one after the other */
    ck_assert_ptr_nonnull(observed_site(&seen, 400000));
    site_take(3, 4, 99, 99); /* a family has the smallest number of its sites */
    site_take(3, UINT32_MAX, 99, 99);
    ck_assert_int_eq(observed_site(&seen, 3)->blocks, 1);
    ck_assert_uint_eq(observed_site(&seen, 3)->family, 3);
    site = site_record(4, 1, 1);
    site.frame_count = UINT32_MAX;
    ck_assert(observed_take(&seen, &site.head));
    ck_assert_uint_eq(observed_site(&seen, 4)->frame_count, WIRE_FRAMES_MAX);
    observed_fini(&seen);
}
END_TEST

START_TEST(a_site_alone_is_a_family_of_its_own)
{
    begin();
    site_take(3, 0, 4, 100); /* as older workers say it */
    const struct observed_site *site = observed_site(&seen, 3);
    ck_assert_uint_eq(site->family, 3);
    ck_assert(!site->whole.joined && !site->left);
    ck_assert_uint_eq(site->whole.round, 1);
    ck_assert_int_eq(site->whole.held, 104);
    ck_assert_int_eq(site->whole.held_blocks, 4);
    ck_assert_int_eq(site->whole.floor, 93);
    ck_assert_int_eq(site->whole.floor_blocks, 3);
    ck_assert_int_eq(site->whole.before, 0);
    site_take(3, 3, 5, 200); /* twice in a round */
    ck_assert_int_eq(site->whole.before, 0);
    ck_assert_int_eq(site->whole.held, 205);
    seen.round = 2;
    site_take(3, 3, 6, 300);
    ck_assert_int_eq(site->whole.before, 205);
    ck_assert_int_eq(site->whole.before_blocks, 5);
    ck_assert_int_eq(site->whole.held, 306);
    ck_assert_uint_eq(site->whole.round, 2);
    observed_fini(&seen);
}
END_TEST

START_TEST(a_family_has_what_its_own_record_says)
{
    begin();
    site_take(3, 3, 4, 100);
    site_take(4, 4, 1, 7);
    seen.round = 2;
    site_take(4, 3, 2, 14);
    family_take(3, WIRE_SITE_HEAP, 6, 114);
    const struct observed_site *root = observed_site(&seen, 3), *part = observed_site(&seen, 4);
    ck_assert(root->whole.joined && !root->left && part->left);
    ck_assert_uint_eq(part->family, 3);
    ck_assert_int_eq(part->whole.held, 8); /* of before */
    ck_assert_int_eq(root->whole.held, 120);
    ck_assert_int_eq(root->whole.held_blocks, 6);
    ck_assert_int_eq(root->whole.floor, 98);
    ck_assert_int_eq(root->whole.floor_blocks, 4);
    ck_assert_int_eq(root->whole.before, 104);
    seen.round = 3;
    site_take(3, 3, 1, 1); /* its own part says nothing for the whole any more */
    ck_assert_int_eq(root->whole.held, 120);
    ck_assert_uint_eq(root->whole.round, 2);
    family_take(9, WIRE_SITE_MMAP, 1, 4096); /* the smallest of it was never sent */
    ck_assert_uint_eq(seen.sites[9].kind, WIRE_SITE_MMAP);
    ck_assert_ptr_null(observed_site(&seen, 9));
    observed_fini(&seen);
}
END_TEST

START_TEST(the_largest_of_a_family_stands_for_it)
{
    begin();
    site_take(2, 2, 1, 5000); /* of another */
    site_take(3, 3, 1, 100);
    site_take(4, 3, 50, 60);
    site_take(5, 3, 1, 109);
    family_take(3, WIRE_SITE_HEAP, 52, 269);
    ck_assert_uint_eq(observed_largest(&seen, 3), 4); /* as many as 5 has: the first */
    site_take(5, 3, 1, 110);
    ck_assert_uint_eq(observed_largest(&seen, 3), 5);
    ck_assert_uint_eq(observed_largest(&seen, 2), 2);
    site_take(6, 6, 0, 0);
    ck_assert_uint_eq(observed_largest(&seen, 6), 6);
    struct wire_site unsent = site_record(7, 9000, 9000);
    unsent.frame_count = 0;
    unsent.family = 3;
    ck_assert(observed_take(&seen, &unsent.head));
    ck_assert_uint_eq(observed_largest(&seen, 3), 5); /* what has no stack cannot be shown */
    family_take(9, WIRE_SITE_HEAP, 1, 1);
    ck_assert_uint_eq(observed_largest(&seen, 9), 9);
    observed_fini(&seen);
}
END_TEST

START_TEST(other_records_are_appended_or_left)
{
    static const uint32_t others[] = {WIRE_SAMPLE, WIRE_TEST, WIRE_NOTE,   WIRE_DONE,
                                      WIRE_READY,  WIRE_BYE,  WIRE_COUNTER};
    struct wire_hello hello;
    struct wire_survivor survivor;
    struct wire_held held;
    struct wire_release release;
    struct wire_given given;
    begin();
    WIRE_INIT(&hello, WIRE_HELLO);
    WIRE_INIT(&survivor, WIRE_SURVIVOR);
    WIRE_INIT(&held, WIRE_HELD);
    WIRE_INIT(&release, WIRE_RELEASE);
    WIRE_INIT(&given, WIRE_GIVEN_TO);
    hello.pid = 77;
    ck_assert(observed_take(&seen, &hello.head));
    for (uint32_t i = 1; i <= 20; i++) {
        survivor.site = held.site = release.site = given.site = i;
        ck_assert(observed_take(&seen, &survivor.head) && observed_take(&seen, &held.head));
        ck_assert(observed_take(&seen, &release.head) && observed_take(&seen, &given.head));
    }
    ck_assert_int_eq(seen.hello.pid, 77);
    ck_assert(seen.survivor_count == 20 && seen.held_count == 20);
    ck_assert(seen.release_count == 20 && seen.given_count == 20);
    ck_assert(seen.survivors[19].site == 20 && seen.held[19].site == 20);
    ck_assert(seen.releases[19].site == 20 && seen.givens[0].site == 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct wire_record other = {.type = others[i], .bytes = sizeof other};
        ck_assert_msg(!observed_take(&seen, &other), "type %u", others[i]);
    }
    observed_worker_begins(&seen);
    ck_assert(seen.survivor_count == 0 && seen.held_count == 0);
    ck_assert(seen.release_count == 0 && seen.given_count == 0);
    observed_fini(&seen);
}
END_TEST

SUITE("observed", &a_test_is_kept_once_by_its_number,
      &a_site_is_found_by_its_number_once_its_stack_was_sent,
      &numbers_that_no_worker_gives_change_nothing, &a_site_alone_is_a_family_of_its_own,
      &a_family_has_what_its_own_record_says, &the_largest_of_a_family_stands_for_it,
      &other_records_are_appended_or_left)
