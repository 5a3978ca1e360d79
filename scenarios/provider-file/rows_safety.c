/*
 * rows_safety.c - row 1.11 and the faults of the machine: two users, folders that cannot be
 * written, a full disk, an upstream that goes and comes back. What needs root or a mount of its own
 * is done where that is allowed, and counted, so that a run says what it has shown.
 */
#include "rows.h"

#include "scenarios/disk/small_disk.h"
#include "scenarios/upstream/upstream.h"
#include "tidemark.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER_A 1001
#define USER_B 1002

/* Two users. ------------------------------------------------------------------------------------
 */

static uid_t user;
static mode_t file_mode = 0644;
static bool take_foreign;
static uint64_t later_s;

static enum ending load_as_user(struct member *member)
{
    if (geteuid() == 0 && (setgid(user) != 0 || setuid(user) != 0)) {
        return ENDING_NONE;
    }
    struct file_options options = member_options(member);
    options.mode = file_mode;
    options.foreign = take_foreign;
    member->virtual_ns = later_s * 1000000000u;
    return member_get(&options, member);
}

static enum ending as_user(struct herd *herd, uid_t who, uint64_t seconds)
{
    user = who;
    later_s = seconds;
    herd->steps[STEP_START] = 0;
    herd_run(herd, load_as_user);
    return (enum ending)herd->endings[0];
}

START_TEST(two_users_share_one_file_when_they_say_so)
{
    struct herd *herd = herd_new(path, 1);
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: two users need root\n");
        herd_free(&herd); /* one user can only be itself */
        return;
    }
    chmod(folder, 0777);
    take_foreign = true;
    file_mode = 0666;
    ck_assert_int_eq(as_user(herd, USER_A, 0), ENDING_FETCHED);
    ck_assert_int_eq(as_user(herd, USER_B, 0), ENDING_HIT);
    ck_assert_int_eq(as_user(herd, USER_B, 4000), ENDING_FETCHED); /* renews the other's file */
    ck_assert_int_eq(as_user(herd, USER_A, 4000), ENDING_HIT);
    ck_assert_uint_eq(herd->fetches, 2);
    tidemark_count("two_users", 1);
    herd_free(&herd);
    take_foreign = false;
    file_mode = 0644;
}
END_TEST

START_TEST(a_file_of_another_user_is_not_believed_and_stops_nobody)
{
    struct herd *herd = herd_new(path, 1);
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: two users need root\n");
        herd_free(&herd);
        return;
    }
    chmod(folder, 01777); /* as /tmp: B can neither replace nor remove A's file */
    ck_assert_int_eq(as_user(herd, USER_A, 0), ENDING_FETCHED);
    ck_assert_int_eq(as_user(herd, USER_B, 0), ENDING_FETCHED);
    ck_assert_int_eq(as_user(herd, USER_B, 0), ENDING_FETCHED);
    ck_assert_int_eq(as_user(herd, USER_A, 0), ENDING_HIT); /* its own, untouched */
    ck_assert_uint_eq(herd->serials[0], 1);
    ck_assert_uint_eq(folder_count(".tmp"), 0);
    herd_free(&herd);
}
END_TEST

START_TEST(in_a_folder_that_cannot_be_written_everybody_has_an_answer)
{
    struct herd *herd = herd_new(path, 1);
    chmod(folder, 0777);
    uid_t who = geteuid() == 0 ? USER_A : geteuid();
    take_foreign = true;
    chmod(folder, 0555);
    ck_assert_int_eq(as_user(herd, who, 0), ENDING_FETCHED); /* no file, no lock, no place */
    ck_assert_uint_eq(folder_count("providers"), 0);
    chmod(folder, 0777);
    ck_assert_int_eq(as_user(herd, who, 0), ENDING_FETCHED);
    chmod(folder, 0555);
    ck_assert_int_eq(as_user(herd, who, 0), ENDING_HIT); /* a file put there before is used */
    ck_assert_int_eq(as_user(herd, who, 4000),
                     ENDING_FETCHED); /* and when it is old, not changed */
    ck_assert_int_eq(as_user(herd, who, 0), ENDING_HIT);
    ck_assert_uint_eq(herd->fetches, 3);
    chmod(folder, 0777);
    take_foreign = false;
    herd_free(&herd);
}
END_TEST

/* A full disk. ----------------------------------------------------------------------------------
 */

static enum ending look(struct member *member, uint64_t seconds, enum file_trouble *trouble,
                        int *error)
{
    struct file_options options = member_options(member);
    struct file_answer answer;
    member->virtual_ns = seconds * 1000000000u;
    struct file_cache *cache = file_cache_new(&options);
    (void)file_cache_get(cache, &answer);
    *trouble = answer.trouble;
    *error = answer.error;
    enum ending ending = answer.outcome == FILE_FETCHED ? ENDING_FETCHED
                         : answer.outcome == FILE_HIT   ? ENDING_HIT
                         : answer.outcome == FILE_STALE ? ENDING_OLD
                                                        : ENDING_NO_SOURCE;
    uint32_t serial = 0;
    if (answer.snapshot &&
        !document_check(answer.snapshot->data, answer.snapshot->head.bytes, &serial)) {
        ending = ENDING_CORRUPT;
    }
    file_answer_release(&answer);
    file_cache_free(&cache);
    return ending;
}

#define MUST SMALL_DISK_MUST

static void on_full_tmpfs(void *herd)
{
    struct member member = {.herd = herd};
    enum file_trouble trouble;
    int error;
    if (!small_disk_mount(folder, 64)) {
        _exit(SMALL_DISK_CANNOT);
    }
    MUST(look(&member, 0, &trouble, &error) == ENDING_FETCHED && trouble == FILE_FINE);
    MUST(small_disk_fill(folder));
    MUST(look(&member, 0, &trouble, &error) == ENDING_HIT);        /* what is there is there */
    MUST(look(&member, 4000, &trouble, &error) == ENDING_FETCHED); /* old: the answer is right */
    MUST(trouble == FILE_NOT_PUBLISHED && error == ENOSPC);
    MUST(look(&member, 0, &trouble, &error) == ENDING_HIT); /* the old file was not touched */
    MUST(folder_count(".tmp") == 0);
    MUST(small_disk_free(folder));
    MUST(look(&member, 4000, &trouble, &error) == ENDING_FETCHED && trouble == FILE_FINE);
    MUST(look(&member, 4000, &trouble, &error) == ENDING_HIT); /* recovered */
}

/* The same by a limit of the file's length, which any user can set. */
static void on_file_limit(void *herd)
{
    struct member member = {.herd = herd};
    struct rlimit limit = {1000, RLIM_INFINITY};
    enum file_trouble trouble;
    int error;
    signal(SIGXFSZ, SIG_IGN);
    MUST(look(&member, 0, &trouble, &error) == ENDING_FETCHED && trouble == FILE_FINE);
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    MUST(look(&member, 4000, &trouble, &error) == ENDING_FETCHED);
    MUST(trouble == FILE_NOT_PUBLISHED && error == EFBIG);
    MUST(look(&member, 0, &trouble, &error) == ENDING_HIT);
    MUST(folder_count(".tmp") == 0);
    limit.rlim_cur = RLIM_INFINITY;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    MUST(look(&member, 4000, &trouble, &error) == ENDING_FETCHED && trouble == FILE_FINE);
    MUST(look(&member, 4000, &trouble, &error) == ENDING_HIT);
}

START_TEST(on_a_full_disk_answers_are_right_the_old_file_stays_and_space_mends_it)
{
    struct herd *herd = herd_new(path, 1);
    int code = small_disk_child(on_full_tmpfs, herd);
    herd_free(&herd);
    tidemark_count("full_tmpfs", code == 0);
    ck_assert(code == 0 || code == SMALL_DISK_CANNOT);
    herd = herd_new(path, 1);
    ck_assert_int_eq(small_disk_child(on_file_limit, herd), 0);
    herd_free(&herd);
}
END_TEST

/* The upstream. ---------------------------------------------------------------------------------
 */

static enum ending load_old(struct member *member)
{
    struct file_options options = member_options(member);
    member->virtual_ns = 4000000000000u;
    return member_get(&options, member);
}

START_TEST(an_upstream_that_goes_is_asked_once_and_when_it_is_back_all_is_well)
{
    struct upstream upstream;
    struct herd *herd = herd_new(path, 1), *many = herd_new(path, 14);
    ck_assert(upstream_start(&upstream));
    herd->port = many->port = upstream.port;
    herd_run(herd, shipped->load);
    ck_assert_int_eq(herd->endings[0], ENDING_FETCHED);
    upstream_stop(&upstream);
    herd_rule(many, -1, STEP_FETCHING, STEP_ARRIVED, 14);
    herd_run(many, load_old);
    tidemark_count("asked_while_gone", many->fetches);
    ck_assert_uint_eq(many->fetches, 1); /* the other 13 see that it has just failed */
    ck_assert_uint_eq(herd_ended(many, ENDING_OLD), 14);
    for (unsigned i = 0; i < 14; i++) {
        ck_assert_uint_eq(many->serials[i], 1);
    }
    ck_assert(upstream_start_at(&upstream, upstream.port));
    struct member member = {.herd = herd};
    struct file_options options = member_options(&member);
    options.retry_ns = 1;
    member.virtual_ns = 4000000000000u;
    ck_assert_int_eq(member_get(&options, &member), ENDING_FETCHED);
    ck_assert_uint_eq(upstream_count(upstream.port), 1);
    upstream_stop(&upstream);
    herd_free(&herd);
    herd_free(&many);
}
END_TEST

/* A client of the upstream as a program has one: with a deadline, and with the ETag of what it has.
 */
struct client {
    int port;
    const char *url;
    long deadline_ms;
    struct upstream_body body;
};

static bool client_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    struct client *client = context;
    free(client->body.text);
    long status = upstream_get(client->port, client->url, etag, client->deadline_ms, &client->body);
    *answer = (struct file_answer_of_source){.data = client->body.text,
                                             .bytes = client->body.bytes,
                                             .etag = client->body.etag,
                                             .not_modified = status == 304};
    return status == 200 || status == 304;
}

static enum file_outcome client_ask(struct client *client, struct file_statistics *s)
{
    struct file_answer answer;
    struct file_options options = {.path = path,
                                   .ttl_ns = 1, /* each look-up asks */
                                   .retry_ns = 1,
                                   .fetch = client_fetch,
                                   .context = client};
    struct file_cache *cache = file_cache_new(&options);
    uint32_t serial;
    ck_assert(file_cache_get(cache, &answer));
    ck_assert(document_check(answer.snapshot->data, answer.snapshot->head.bytes, &serial));
    enum file_outcome outcome = answer.outcome;
    file_answer_release(&answer);
    file_cache_statistics(cache, s);
    file_cache_free(&cache);
    return outcome;
}

START_TEST(what_has_not_changed_is_not_sent_again_over_http)
{
    struct upstream upstream;
    struct file_statistics s;
    ck_assert(upstream_start(&upstream));
    struct client client = {.port = upstream.port, .url = "/0/0/0/fixed", .deadline_ms = 30000};
    ck_assert_int_eq(client_ask(&client, &s), FILE_FETCHED);
    ck_assert_uint_gt(client.body.bytes, 0);
    ck_assert_int_eq(client_ask(&client, &s), FILE_FETCHED);
    ck_assert_uint_eq(client.body.bytes, 0); /* 304 */
    ck_assert_uint_eq(s.not_modified, 1);
    client.url = "/0/0/0/providers";
    ck_assert_int_eq(client_ask(&client, &s), FILE_FETCHED);
    ck_assert_uint_gt(client.body.bytes, 0);
    ck_assert_uint_eq(s.not_modified, 0);
    free(client.body.text);
    upstream_stop(&upstream);
}
END_TEST

/* Each of them fails once there is a list, and the list stays. */
START_TEST(hangs_errors_and_bodies_that_drip_end_at_the_deadline_with_the_old_list)
{
    static const char *const urls[] = {"/0/0/2/providers", "/0/2/0/providers",
                                       "/0/0/0/body=2000/providers", "/0/0/0/no-such-list"};
    struct upstream upstream;
    struct file_statistics s;
    ck_assert(upstream_start(&upstream));
    struct client client = {.port = upstream.port, .url = "/0/0/0/providers", .deadline_ms = 30000};
    ck_assert_int_eq(client_ask(&client, &s), FILE_FETCHED);
    client.url = urls[_i];
    client.deadline_ms = 200;
    ck_assert_int_eq(client_ask(&client, &s), FILE_STALE);
    ck_assert_uint_eq(s.fetch_failures, 1);
    client.url = "/0/0/0/jitter=5/providers";
    client.deadline_ms = 30000;
    ck_assert_int_eq(client_ask(&client, &s), FILE_FETCHED);
    free(client.body.text);
    upstream_stop(&upstream);
}
END_TEST

TCase *rows_safety(void)
{
    TCase *tcase = tcase_create("safety");
    tcase_add_test(tcase, two_users_share_one_file_when_they_say_so);
    tcase_add_test(tcase, a_file_of_another_user_is_not_believed_and_stops_nobody);
    tcase_add_test(tcase, in_a_folder_that_cannot_be_written_everybody_has_an_answer);
    tcase_add_test(tcase, on_a_full_disk_answers_are_right_the_old_file_stays_and_space_mends_it);
    tcase_add_test(tcase, an_upstream_that_goes_is_asked_once_and_when_it_is_back_all_is_well);
    tcase_add_test(tcase, what_has_not_changed_is_not_sent_again_over_http);
    tcase_add_loop_test(
        tcase, hangs_errors_and_bodies_that_drip_end_at_the_deadline_with_the_old_list, 0, 4);
    return tcase;
}
