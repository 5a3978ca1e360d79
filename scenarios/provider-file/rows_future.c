/* rows_future.c - row 1.10: what the report put off until later. Checksum: rows_file.c. */
#include "rows.h"

#include "scenarios/environment/environment.h"
#include "tidemark.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static enum ending load_after(struct member *member, uint64_t seconds)
{
    struct file_options options = member_options(member);
    member->virtual_ns = seconds * 1000000000u;
    return member_get(&options, member);
}

START_TEST(the_ttl_comes_from_the_environment)
{
    static const struct {
        char *ttl;
        uint64_t seconds;
        enum ending ending;
    } cases[] = {{"PROVIDER_TTL=90", 80, ENDING_HIT},
                 {"PROVIDER_TTL=90", 91, ENDING_FETCHED},
                 {"PROVIDER_TTL=7200", 4000, ENDING_HIT}};
    struct herd *herd = herd_new(path, 1);
    struct member member = {.herd = herd};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        environment_put(cases[i].ttl);
        unlink(path);
        ck_assert_int_eq(load_after(&member, 0), ENDING_FETCHED);
        ck_assert_int_eq(load_after(&member, cases[i].seconds), cases[i].ending);
    }
    environment_take("PROVIDER_TTL");
    herd_free(&herd);
}
END_TEST

static enum ending load_thrice(struct member *member)
{
    struct file_options options = member_options(member);
    struct file_cache *cache = file_cache_new(&options);
    for (int i = 0; i < 3; i++) {
        struct file_answer answer;
        (void)file_cache_get(cache, &answer);
        file_answer_release(&answer);
    }
    file_cache_free(&cache);
    return ENDING_HIT;
}

START_TEST(the_counters_of_fourteen_processes_add_up)
{
    struct herd *herd = herd_new(path, 14);
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member);
    struct file_statistics s;
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    herd_run(herd, load_thrice);
    struct file_cache *cache = file_cache_new(&options);
    file_cache_totals(cache, &s);
    file_cache_free(&cache);
    ck_assert_uint_eq(s.lookups, 42);
    ck_assert_uint_eq(s.hits, 13);
    ck_assert_uint_eq(s.fetched, 1);
    ck_assert_uint_eq(s.memory_hits, 28);
    ck_assert_uint_eq(s.hits + s.fetched + s.memory_hits, s.lookups);
    ck_assert_uint_eq(s.lock_waits, 13);
    ck_assert_uint_eq(s.published, 1);
    herd_free(&herd);
}
END_TEST

/* Look-ups of 1,000 that were answered from memory while no file could be opened by anybody. */
static unsigned hits_without_descriptors(struct file_cache *cache)
{
    struct rlimit limit, none;
    unsigned hits = 0;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 1000; i++) {
        struct file_answer answer;
        hits += file_cache_get(cache, &answer) && answer.outcome == FILE_MEMORY_HIT;
        file_answer_release(&answer);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return hits;
}

START_TEST(the_second_look_up_opens_no_file)
{
    struct herd *herd = herd_new(path, 1);
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member);
    struct file_answer answer;
    ck_assert_int_eq(shipped->load(&member), ENDING_FETCHED);
    struct file_cache *cache = file_cache_new(&options);
    ck_assert(file_cache_get(cache, &answer));
    ck_assert_int_eq(answer.outcome, FILE_HIT);
    file_answer_release(&answer);
    unsigned hits = hits_without_descriptors(cache);
    tidemark_count("memory_hits_without_descriptors", hits);
    ck_assert_uint_eq(hits, 1000);
    options.no_memory = true; /* the same without memory: it has to open the file, and cannot */
    struct file_cache *other = file_cache_new(&options);
    ck_assert_uint_eq(hits_without_descriptors(other), 0);
    file_cache_free(&other);
    file_cache_free(&cache);
    herd_free(&herd);
}
END_TEST

START_TEST(clear_removes_all_but_the_lock_and_the_totals)
{
    struct herd *herd = herd_new(path, 1);
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member);
    struct file_answer answer;
    struct file_cache *cache = file_cache_new(&options);
    for (int i = 0; i < 3; i++) {
        ck_assert(file_cache_refresh(cache, &answer));
        file_answer_release(&answer);
    }
    ck_assert_uint_eq(folder_count("providers.json"), 5); /* itself, two versions, lock, state */
    ck_assert(file_cache_clear(cache));
    ck_assert_uint_eq(folder_count("providers.json"), 2);
    ck_assert(file_cache_get(cache, &answer));
    ck_assert_int_eq(answer.outcome, FILE_FETCHED);
    file_answer_release(&answer);
    file_cache_free(&cache);
    herd_free(&herd);
}
END_TEST

static void never_pause(void *clock, uint64_t ns)
{
    (void)ns;
    ((struct member *)clock)->virtual_ns = UINT64_MAX; /* marks it */
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum ending load_old(struct member *member)
{
    return load_after(member, 3700);
}

static int sooner(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The 99th percentile of 1,000 look-ups that all end in the same way: the least of five rounds, for
 * others may be at work on this machine, and what they take is not the cache's. */
static uint64_t p99_of_readers(struct file_cache *cache, enum file_outcome outcome,
                               enum file_trouble trouble, bool sample)
{
    static uint64_t took[1000];
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1000; i++) {
            struct file_answer answer;
            uint64_t begun = monotonic_ns();
            ck_assert(file_cache_get(cache, &answer));
            took[i] = monotonic_ns() - begun;
            if (sample && round == 0) {
                tidemark_sample("lookup_ns", took[i], 1);
            }
            ck_assert_int_eq(answer.outcome, outcome);
            ck_assert_int_eq(answer.trouble, trouble);
            file_answer_release(&answer);
        }
        qsort(took, 1000, sizeof took[0], sooner);
        least = took[989] < least ? took[989] : least;
    }
    return least;
}

START_TEST(while_one_refreshes_a_thousand_readers_are_not_kept_waiting)
{
    struct herd *herd = herd_new(path, 1), *other = herd_new(path, 1);
    struct member member = {.herd = herd};
    pid_t pids[HERD_MOST];
    ck_assert_int_eq(shipped->load(&member), ENDING_FETCHED);
    struct file_options options = member_options(&member);
    options.grace_ns = 600000000000u;
    options.pause = never_pause;
    struct file_cache *cache = file_cache_new(&options);
    struct file_answer answer;
    ck_assert(file_cache_get(cache, &answer)); /* into memory */
    file_answer_release(&answer);
    uint64_t quiet = p99_of_readers(cache, FILE_MEMORY_HIT, FILE_FINE, false);
    member.virtual_ns = 3700000000000u;
    herd_rule(other, -1, STEP_FETCHING, STEP_LOOKED, 1); /* a source that takes its time */
    herd_begin(other, load_old, pids);
    herd_wait(other, STEP_FETCHING, 1);
    uint64_t refreshing = p99_of_readers(cache, FILE_STALE, FILE_REFRESHING, true);
    ck_assert_uint_eq(member.virtual_ns, 3700000000000u); /* nobody paused */
    tidemark_count("reader_p99_quiet_ns", quiet);
    tidemark_count("reader_p99_refreshing_ns", refreshing);
    /* They look whether the lock is free, which takes microseconds; a wait takes a millisecond at
     * least, and the source here as long as the readers need. */
    ck_assert_uint_lt(refreshing, quiet + 1000000);
    other->steps[STEP_LOOKED] = 1;
    herd_end(other, pids);
    ck_assert(file_cache_get(cache, &answer));
    ck_assert_int_eq(answer.outcome, FILE_HIT); /* and now the new one */
    file_answer_release(&answer);
    file_cache_free(&cache);
    herd_free(&herd);
    herd_free(&other);
}
END_TEST

/* One process that lives for an hour, with a list that is good for 3 s: what it holds is one
 * document, and on disk there are three. */
START_TEST(an_hour_of_look_ups_leaves_no_more_than_one_list_and_two_versions)
{
    struct herd *herd = herd_new(path, 1);
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member);
    struct file_statistics s;
    options.ttl_ns = 3000000000u;
    struct file_cache *cache = file_cache_new(&options);
    for (unsigned i = 0; i < 3600; i++) {
        struct file_answer answer;
        ck_assert(file_cache_get(cache, &answer));
        ck_assert(answer.outcome == FILE_FETCHED || answer.outcome == FILE_MEMORY_HIT);
        file_answer_release(&answer);
        member.virtual_ns += 1000000000u;
    }
    file_cache_statistics(cache, &s);
    tidemark_count("fetches_of_an_hour", s.fetches);
    ck_assert_uint_ge(s.fetches, 1200); /* real time goes on as well: one or two more */
    ck_assert_uint_le(s.fetches, 1300);
    ck_assert_uint_eq(s.published, s.fetches);
    ck_assert_uint_eq(folder_count("providers.json"), 5); /* with lock and state */
    file_cache_free(&cache);
    herd_free(&herd);
}
END_TEST

static bool not_the_fourth(void *context, const void *data, uint64_t bytes)
{
    uint32_t serial;
    (void)context;
    return document_check(data, bytes, &serial) && serial != 4;
}

START_TEST(after_a_bad_publication_the_last_good_list_is_served_and_can_be_put_back)
{
    struct herd *herd = herd_new(path, 1);
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member), strict;
    struct file_answer answer;
    uint32_t serial;
    struct file_cache *cache = file_cache_new(&options);
    for (int i = 0; i < 4; i++) { /* the fourth is published, and then turns out to be bad */
        ck_assert(file_cache_refresh(cache, &answer));
        file_answer_release(&answer);
    }
    strict = options; /* a newer program sees it, and has no source at hand */
    strict.valid = not_the_fourth;
    strict.retry_ns = UINT64_MAX / 2;
    herd->port = 1; /* where nobody listens */
    struct file_cache *wise = file_cache_new(&strict);
    ck_assert(file_cache_get(wise, &answer));
    ck_assert_int_eq(answer.outcome, FILE_STALE);
    ck_assert(document_check(answer.snapshot->data, answer.snapshot->head.bytes, &serial));
    ck_assert_uint_eq(serial, 3);
    file_answer_release(&answer);
    ck_assert(file_cache_rollback(wise));
    ck_assert(file_cache_get(cache, &answer)); /* for everybody */
    ck_assert_int_eq(answer.outcome, FILE_HIT);
    ck_assert(document_check(answer.snapshot->data, answer.snapshot->head.bytes, &serial));
    ck_assert_uint_eq(serial, 3);
    file_answer_release(&answer);
    file_cache_free(&wise);
    file_cache_free(&cache);
    herd_free(&herd);
}
END_TEST

TCase *rows_future(void)
{
    TCase *tcase = tcase_create("future");
    tcase_add_test(tcase, the_ttl_comes_from_the_environment);
    tcase_add_test(tcase, the_counters_of_fourteen_processes_add_up);
    tcase_add_test(tcase, the_second_look_up_opens_no_file);
    tcase_add_test(tcase, clear_removes_all_but_the_lock_and_the_totals);
    tcase_add_test(tcase, while_one_refreshes_a_thousand_readers_are_not_kept_waiting);
    tcase_add_test(tcase, an_hour_of_look_ups_leaves_no_more_than_one_list_and_two_versions);
    tcase_add_test(tcase, after_a_bad_publication_the_last_good_list_is_served_and_can_be_put_back);
    return tcase;
}
