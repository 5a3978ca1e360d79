/* rows_herd.c - rows 1.1, 1.2, 1.6 and 1.9: many processes, no file, one source. */
#include "rows.h"

#include "scenarios/upstream/upstream.h"
#include "tidemark.h"
#include "torture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned errors_of(const struct herd *herd)
{
    return herd_ended(herd, ENDING_TIMEOUT) + herd_ended(herd, ENDING_NOT_WRITTEN) +
           herd_ended(herd, ENDING_CORRUPT) + herd_ended(herd, ENDING_NO_SOURCE) +
           herd_ended(herd, ENDING_NONE);
}

/* Who renames the one temporary name first wins, when all have written it. */
static bool shares_temporary(void)
{
    return under_test->load == variant_find("ttl-only")->load;
}

START_TEST(of_fourteen_that_start_together_one_fetches)
{
    struct herd *herd = herd_new(path, 14);
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    if (shares_temporary()) {
        herd_rule(herd, -1, STEP_WRITTEN, STEP_WRITTEN, 14);
    }
    herd_run(herd, under_test->load);
    unsigned hits = herd_ended(herd, ENDING_HIT);
    tidemark_count("loads", herd->fetches);
    tidemark_count("hits", hits);
    tidemark_count("misses", 14 - hits);
    tidemark_count("errors", errors_of(herd));
    ck_assert_uint_eq(herd->fetches, under_test->fetches);
    ck_assert_uint_eq(errors_of(herd), under_test->errors);
    if (under_test == shipped) {
        ck_assert_uint_eq(hits, 13);
        ck_assert_uint_eq(herd_ended(herd, ENDING_FETCHED), 1);
    }
    herd_free(&herd);
}
END_TEST

/* The source takes longer than anybody waits: it answers when all others have given up. */
START_TEST(who_cannot_wait_for_a_slow_source_is_served_what_there_is)
{
    struct herd *herd = herd_new(path, 14);
    herd->impatient = true;
    herd->fallback = true;
    if (under_test->waits) {
        herd_rule(herd, -1, STEP_FETCHING, STEP_GAVE_UP, 13);
    }
    if (shares_temporary()) {
        herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 14);
        herd_rule(herd, -1, STEP_WRITTEN, STEP_WRITTEN, 14);
    }
    herd_run(herd, under_test->load);
    tidemark_count("slow_fetches", herd->fetches);
    tidemark_count("slow_errors", errors_of(herd));
    ck_assert_uint_eq(errors_of(herd), under_test->slow_errors);
    if (under_test == shipped) {
        ck_assert_uint_eq(herd->fetches, 1);
        ck_assert_uint_eq(herd_ended(herd, ENDING_OLD), 13);
    }
    herd_free(&herd);
}
END_TEST

/* There is a file, and it is no document. */
static bool path_is_torn(void)
{
    struct stat status;
    uint32_t serial;
    char text[2 * DOCUMENT_BYTES];
    bool torn = false;
    if (stat(path, &status) == 0) {
        FILE *file = fopen(path, "r");
        size_t bytes = fread(text, 1, sizeof text, file);
        fclose(file);
        size_t head = under_test == shipped && bytes >= FILE_HEAD_BYTES ? FILE_HEAD_BYTES : 0;
        torn = !document_check(text + head, bytes - head, &serial);
    }
    return torn;
}

/* Takes the lock and goes no further. */
static enum ending hold(struct member *member)
{
    char lock[HERD_PATH + 8];
    snprintf(lock, sizeof lock, "%s.lock", member->herd->path);
    if (under_test->load == variant_find("excl")->load ||
        under_test->load == variant_find("excl-recheck")->load) {
        close(open(lock, O_CREAT | O_EXCL | O_WRONLY, 0644)); /* as the lock is taken there */
        member_step(member, STEP_FETCHING);
    }
    return under_test->load(member); /* stands in its fetch */
}

START_TEST(a_holder_that_was_killed_stops_nobody)
{
    struct herd *dead = herd_new(path, 1), *herd = herd_new(path, 14);
    pid_t pids[HERD_MOST];
    herd_rule(dead, -1, STEP_FETCHING, STEP_LOOKED, 1); /* which nobody does */
    herd_begin(dead, hold, pids);
    herd_wait(dead, STEP_FETCHING, 1); /* the lock is held for sure */
    kill(pids[0], SIGKILL);
    herd_end(dead, pids);
    herd->impatient = under_test != shipped; /* waits that never end are cut short */
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    if (shares_temporary()) {
        herd_rule(herd, -1, STEP_WRITTEN, STEP_WRITTEN, 14);
    }
    herd_run(herd, under_test->load);
    tidemark_count("stuck_fetches", herd->fetches);
    tidemark_count("stuck_errors", errors_of(herd));
    ck_assert_uint_eq(herd->fetches, under_test->stuck_fetches);
    ck_assert_uint_eq(errors_of(herd), under_test->stuck_errors);
    herd_free(&herd);
    herd_free(&dead);
}
END_TEST

/* In place, each of them leaves a file that is no document. */
START_TEST(a_writer_killed_at_any_of_64_pieces_leaves_a_whole_file)
{
    unsigned kills = 0, torn = 0;
    for (unsigned at = 1;; at++) {
        struct herd *herd = herd_new(path, 1);
        herd->kill_at = at;
        herd_run(herd, under_test->load);
        bool killed = herd_ended(herd, ENDING_NONE) == 1;
        herd_free(&herd);
        if (!killed) {
            break;
        }
        kills++;
        torn += path_is_torn();
        folder_remove(); /* the lock too: that it stays is another test's */
        folder_make();
    }
    tidemark_count("writers_killed", kills);
    tidemark_count("torn_files", torn);
    ck_assert_uint_ge(kills, 64);
    ck_assert_uint_eq(torn, under_test->whole ? 0 : kills);
}
END_TEST

/* A holder that neither dies nor goes on. */
START_TEST(a_holder_that_is_stopped_delays_nobody_for_longer_than_the_wait)
{
    struct herd *stopped = herd_new(path, 1), *herd = herd_new(path, 5);
    pid_t pids[HERD_MOST];
    herd_rule(stopped, -1, STEP_FETCHING, STEP_LOOKED, 1);
    herd_begin(stopped, shipped->load, pids);
    herd_wait(stopped, STEP_FETCHING, 1);
    kill(pids[0], SIGSTOP);
    herd->impatient = true;
    herd->fallback = true;
    herd_run(herd, shipped->load);
    ck_assert_uint_eq(herd->fetches, 0);
    ck_assert_uint_eq(herd_ended(herd, ENDING_OLD), 5);
    stopped->steps[STEP_LOOKED] = 1;
    kill(pids[0], SIGCONT);
    herd_end(stopped, pids);
    ck_assert_uint_eq(herd_ended(stopped, ENDING_FETCHED), 1);
    herd_free(&herd);
    herd_free(&stopped);
}
END_TEST

START_TEST(one_miss_in_twenty_starts_is_a_hit_rate_of_95_percent)
{
    struct herd *herd = herd_new(path, 1);
    unsigned hits = 0;
    for (int i = 0; i < 20; i++) {
        herd_run(herd, shipped->load);
        herd->steps[STEP_START] = 0;
        hits += herd_ended(herd, ENDING_HIT);
    }
    tidemark_count("twenty_starts_hits", hits);
    ck_assert_uint_eq(hits, 19); /* 19 / 20; 13 of 14 at once is 92.9 % */
    ck_assert_uint_eq(herd->fetches, 1);
    herd_free(&herd);
}
END_TEST

static const unsigned herds[] = {3, 10, 14, 32, 64};

START_TEST(herds_of_any_size_make_one_request_over_http)
{
    struct upstream upstream;
    struct herd *herd = herd_new(path, herds[_i]);
    char name[48];
    ck_assert(upstream_start(&upstream));
    herd->port = upstream.port;
    herd->latency_ms = 30;
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, herds[_i]);
    herd_run(herd, shipped->load);
    uint64_t requests = upstream_count(upstream.port);
    snprintf(name, sizeof name, "http_requests_of_%u", herds[_i]);
    tidemark_count(name, requests);
    ck_assert_uint_eq(requests, 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_FETCHED), 1);
    ck_assert_uint_eq(herd_ended(herd, ENDING_HIT), herds[_i] - 1);
    for (unsigned i = 0; i < herds[_i]; i++) {
        ck_assert_uint_eq(herd->serials[i], 1); /* the upstream's first answer */
    }
    upstream_stop(&upstream);
    herd_free(&herd);
}
END_TEST

START_TEST(an_upstream_that_takes_one_at_a_time_turns_nobody_away)
{
    struct upstream upstream;
    struct herd *was = herd_new(path, 14), *herd = herd_new(path, 14);
    ck_assert(upstream_start(&upstream));
    was->port = herd->port = upstream.port;
    was->latency_ms = herd->latency_ms = 100;
    was->most = herd->most = 1;
    herd_rule(was, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    herd_run(was, variant_find("as-it-was")->load);
    ck_assert_uint_eq(upstream_count(upstream.port), 14);
    tidemark_count("turned_away_as_it_was", herd_ended(was, ENDING_NO_SOURCE)); /* 13, mostly */
    unlink(path);
    herd_run(herd, shipped->load);
    ck_assert_uint_eq(upstream_count(upstream.port), 15);
    ck_assert_uint_eq(errors_of(herd), 0);
    upstream_stop(&upstream);
    herd_free(&herd);
    herd_free(&was);
}
END_TEST

/* 64 processes for a minute: make torture. */
START_TEST(killed_at_random_for_a_second_sixteen_processes_read_nothing_wrong)
{
    struct torture torture = {.processes = 16, .seconds = 1, .ttl_ns = 100000000, .latency_ms = 5};
    ck_assert(torture_run(&torture, path));
    ck_assert_uint_gt(torture.kills_outside + torture.kills_inside, 0);
    ck_assert_msg(torture_holds(&torture),
                  "corrupt %llu, back %llu, conflicts %llu, failed %llu, early %llu, left %llu, "
                  "requests %llu, published %llu, died refreshing %llu",
                  (unsigned long long)torture.corrupt, (unsigned long long)torture.went_back,
                  (unsigned long long)torture.conflicts, (unsigned long long)torture.failed,
                  (unsigned long long)torture.too_early, (unsigned long long)torture.temporaries,
                  (unsigned long long)torture.requests, (unsigned long long)torture.published,
                  (unsigned long long)torture.died_refreshing);
}
END_TEST

TCase *rows_herd(void)
{
    TCase *tcase = tcase_create("herd");
    tcase_add_test(tcase, of_fourteen_that_start_together_one_fetches);
    tcase_add_test(tcase, who_cannot_wait_for_a_slow_source_is_served_what_there_is);
    tcase_add_test(tcase, a_holder_that_was_killed_stops_nobody);
    tcase_add_test(tcase, a_writer_killed_at_any_of_64_pieces_leaves_a_whole_file);
    return tcase;
}

TCase *rows_many(void)
{
    TCase *tcase = tcase_create("many");
    tcase_add_test(tcase, a_holder_that_is_stopped_delays_nobody_for_longer_than_the_wait);
    tcase_add_test(tcase, one_miss_in_twenty_starts_is_a_hit_rate_of_95_percent);
    tcase_add_test(tcase, an_upstream_that_takes_one_at_a_time_turns_nobody_away);
    tcase_add_test(tcase, killed_at_random_for_a_second_sixteen_processes_read_nothing_wrong);
    tcase_add_loop_test(tcase, herds_of_any_size_make_one_request_over_http, 0,
                        sizeof herds / sizeof herds[0]);
    return tcase;
}
