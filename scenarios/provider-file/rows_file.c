/* rows_file.c - rows 1.3, 1.7, 1.8 and 1.12: age, damage, refreshing by hand, an empty answer. */
#include "rows.h"

#include "tidemark.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One process looks up; how it ended. */
static enum ending start(struct herd *herd, herd_load *load)
{
    herd->steps[STEP_START] = 0;
    herd_run(herd, load);
    return (enum ending)herd->endings[0];
}

static void mtime_set(int64_t ago_s)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - ago_s}, {.tv_sec = time(NULL) - ago_s}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(by_mtime_a_file_from_the_future_is_fresh_for_ever)
{
    herd_load *load = variant_find("ttl-only")->load;
    struct herd *herd = herd_new(path, 1);
    ck_assert_int_eq(start(herd, load), ENDING_FETCHED);
    mtime_set(3590);
    ck_assert_int_eq(start(herd, load), ENDING_HIT);
    mtime_set(3601);
    ck_assert_int_eq(start(herd, load), ENDING_FETCHED);
    mtime_set(-10 * 365 * 86400L);
    ck_assert_int_eq(start(herd, load), ENDING_HIT);
    herd_free(&herd);
}
END_TEST

static enum ending load_later(struct member *member, uint64_t seconds)
{
    struct file_options options = member_options(member);
    member->virtual_ns = seconds * 1000000000u;
    return member_get(&options, member);
}

static enum ending load_after_3599(struct member *member)
{
    return load_later(member, 3599);
}

static enum ending load_after_3601(struct member *member)
{
    return load_later(member, 3601);
}

START_TEST(the_file_cache_goes_by_its_own_clock_whatever_mtime_says)
{
    struct herd *herd = herd_new(path, 1);
    ck_assert_int_eq(start(herd, shipped->load), ENDING_FETCHED);
    mtime_set(-10 * 365 * 86400L);
    ck_assert_int_eq(start(herd, load_after_3601), ENDING_FETCHED);
    unlink(path);
    ck_assert_int_eq(start(herd, shipped->load), ENDING_FETCHED);
    mtime_set(100000);
    /* 3,599 s and the moments since: the test would need a second to fail */
    ck_assert_int_eq(start(herd, load_after_3599), ENDING_HIT);
    ck_assert_uint_eq(herd->fetches, 3);
    herd_free(&herd);
}
END_TEST

/* Each way to damage the file. */
static void damage_bit(void)
{
    int fd = open(path, O_RDWR);
    char byte;
    ck_assert_int_eq(pread(fd, &byte, 1, 1000), 1);
    byte = (char)(byte ^ 1);
    ck_assert_int_eq(pwrite(fd, &byte, 1, 1000), 1);
    close(fd);
}
static void damage_half(void)
{
    ck_assert_int_eq(truncate(path, 2000), 0);
}
static void damage_all(void)
{
    ck_assert_int_eq(truncate(path, 0), 0);
}
static void damage_text(void)
{
    FILE *file = fopen(path, "w");
    fputs("{\"providers\": []}\n", file); /* JSON, but nobody's file of ours */
    fclose(file);
}
static void damage_owner(void)
{
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 4711, 4711), 0);
    } else {
        damage_all();
    }
}
static void damage_kind(void)
{
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* an open that waits for a writer would hang */
}
static void (*const damages[])(void) = {damage_bit,  damage_half,  damage_all,
                                        damage_text, damage_owner, damage_kind};

START_TEST(of_fourteen_that_find_it_damaged_one_fetches_and_none_crashes)
{
    struct herd *herd = herd_new(path, 14);
    herd_load *load = shipped->load;
    struct herd *first = herd_new(path, 1);
    ck_assert_int_eq(start(first, load), ENDING_FETCHED);
    damages[_i]();
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    herd_run(herd, load);
    tidemark_count("fetches_after_damage", herd->fetches);
    ck_assert_uint_eq(herd->fetches, 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_FETCHED), 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_HIT), 13);
    herd_free(&herd);
    herd_free(&first);
}
END_TEST

static enum ending refresh(struct member *member)
{
    struct file_options options = member_options(member);
    struct file_answer answer;
    struct file_cache *cache = file_cache_new(&options);
    bool ok = file_cache_refresh(cache, &answer);
    enum ending ending = !ok                              ? ENDING_NO_SOURCE
                         : answer.outcome == FILE_FETCHED ? ENDING_FETCHED
                                                          : ENDING_HIT;
    file_answer_release(&answer);
    file_cache_free(&cache);
    return ending;
}

START_TEST(three_updates_by_hand_at_once_are_one_fetch_though_the_file_is_fresh)
{
    struct herd *herd = herd_new(path, 3), *first = herd_new(path, 1);
    ck_assert_int_eq(start(first, shipped->load), ENDING_FETCHED);
    ck_assert_int_eq(start(first, refresh), ENDING_FETCHED);
    ck_assert_uint_eq(first->fetches, 2);
    herd_rule(herd, -1, STEP_LOCKED, STEP_ARRIVED, 2);
    herd_run(herd, refresh);
    tidemark_count("fetches_of_three_updates", herd->fetches);
    ck_assert_uint_eq(herd->fetches, 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_FETCHED), 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_HIT), 2);
    ck_assert_uint_eq(folder_count(".tmp"), 0);
    herd_free(&herd);
    herd_free(&first);
}
END_TEST

static bool fetch_nothing(void *context, const char *etag, struct file_answer_of_source *answer)
{
    struct member *member = context;
    (void)etag;
    member->herd->fetches++;
    *answer = (struct file_answer_of_source){.data = "", .bytes = 0};
    return true;
}

static enum ending load_nothing(struct member *member)
{
    struct file_options options = member_options(member);
    options.fetch = fetch_nothing;
    member->virtual_ns = 4000000000000u;
    return member_get(&options, member);
}

START_TEST(an_empty_answer_keeps_the_last_good_list)
{
    struct herd *herd = herd_new(path, 1);
    ck_assert_int_eq(start(herd, shipped->load), ENDING_FETCHED);
    ck_assert_int_eq(start(herd, load_nothing), ENDING_OLD);
    ck_assert_uint_eq(herd->serials[0], 1);
    ck_assert_uint_eq(herd->fetches, 2);
    ck_assert_int_eq(start(herd, shipped->load), ENDING_HIT); /* on its own clock: fresh */
    herd_free(&herd);
}
END_TEST

TCase *rows_file(void)
{
    TCase *tcase = tcase_create("file");
    tcase_add_test(tcase, by_mtime_a_file_from_the_future_is_fresh_for_ever);
    tcase_add_test(tcase, the_file_cache_goes_by_its_own_clock_whatever_mtime_says);
    tcase_add_loop_test(tcase, of_fourteen_that_find_it_damaged_one_fetches_and_none_crashes, 0,
                        sizeof damages / sizeof damages[0]);
    tcase_add_test(tcase, three_updates_by_hand_at_once_are_one_fetch_though_the_file_is_fresh);
    tcase_add_test(tcase, an_empty_answer_keeps_the_last_good_list);
    return tcase;
}
