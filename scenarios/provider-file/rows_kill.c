/*
 * rows_kill.c - rows 1.4 and 1.5: SIGKILL at every point of a refresh, each as often as it is
 * passed. Whoever reads afterwards sees the old file or the new one, whole; whoever looks up next
 * gets an answer without waiting for anything that the dead one held, and sweeps what it left.
 */
#include "rows.h"

#include "tidemark.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct death {
    struct member *member;
    enum file_point point;
    unsigned nth, passed;
};

static bool die(void *context, enum file_point point)
{
    struct death *death = context;
    if (point == death->point && ++death->passed == death->nth) {
        kill(getpid(), SIGKILL);
    }
    return true;
}

static enum ending refresh_and_die(struct member *member, enum file_point point, unsigned nth)
{
    struct death death = {.member = member, .point = point, .nth = nth};
    struct file_options options = member_options(member);
    struct file_answer answer;
    options.point = die;
    options.point_context = &death;
    struct file_cache *cache = file_cache_new(&options);
    (void)file_cache_refresh(cache, &answer);
    file_answer_release(&answer);
    file_cache_free(&cache);
    return ENDING_FETCHED;
}

/* True: it was killed there. */
static bool killed_at(struct herd *herd, enum file_point point, unsigned nth)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct member member = {.herd = herd};
        _exit(refresh_and_die(&member, point, nth) == ENDING_FETCHED ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) {
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    } else {
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    }
    return WIFSIGNALED(status);
}

/* The serial of what can be read: 0: no file. Anything but a whole file fails the test. */
static uint32_t serial_read(enum file_point point, unsigned nth)
{
    struct file_store store = {.path = path, .bytes_max = 1 << 20, .allocate = malloc};
    struct file_snapshot *snapshot;
    uint32_t serial = 0;
    enum file_read read = file_store_read(&store, 0, &snapshot, NULL);
    if (read == FILE_READ_ABSENT) {
        return 0;
    }
    ck_assert_msg(read == FILE_READ_OK, "%s, time %u: the file is damaged", file_point_words(point),
                  nth);
    ck_assert(document_check(snapshot->data, snapshot->head.bytes, &serial));
    file_snapshot_release(&snapshot);
    return serial;
}

/* One process dies at the nth passing of a point; old: there is a file from before. False: that
 * point was not passed so often. */
static bool die_and_recover(enum file_point point, unsigned nth, bool old)
{
    struct herd *herd = herd_new(path, 1), *next = herd_new(path, 1);
    bool died;
    for (unsigned i = 0; old && i < 3; i++) { /* with versions before it */
        (void)killed_at(herd, FILE_POINT_COUNT, 1);
    }
    uint32_t before = herd->fetches;
    if (point == FILE_POINT_LOCK_BUSY) {
        struct file_store store = {.path = path, .mode = 0644};
        struct file_lock lock = FILE_LOCK_NONE;
        ck_assert_int_eq(file_lock_try(&lock, &store), FILE_LOCK_TAKEN);
        died = nth == 1 && killed_at(herd, point, nth);
        file_lock_fini(&lock, &store);
    } else {
        died = killed_at(herd, point, nth);
    }
    if (died) {
        uint32_t serial = serial_read(point, nth);
        ck_assert_msg(serial == before || serial == before + 1, "%s: serial %u",
                      file_point_words(point), serial);
        next->fetches = 100;
        herd_run(next, shipped->load); /* has fallback neither of memory nor compiled in */
        unsigned ending = next->endings[0];
        ck_assert(ending == (serial ? ENDING_HIT : ENDING_FETCHED));
        ck_assert_uint_eq(serial_read(point, nth), serial ? serial : 101);
        ck_assert(!killed_at(herd, FILE_POINT_COUNT, 1)); /* one that refreshes meets nothing */
        ck_assert_uint_eq(folder_count(".tmp"), 0);
        ck_assert_uint_eq(herd->steps[STEP_BUSY], 0);
    }
    herd_free(&herd);
    herd_free(&next);
    folder_remove();
    folder_make();
    return died;
}

START_TEST(killed_anywhere_in_a_refresh_it_leaves_a_whole_file_and_no_lock)
{
    unsigned kills = 0;
    for (unsigned nth = 1; die_and_recover((enum file_point)_i, nth, false); nth++) {
        kills++;
    }
    for (unsigned nth = 1; die_and_recover((enum file_point)_i, nth, true); nth++) {
        kills++;
    }
    tidemark_count("killed_in_refresh", kills);
    tidemark_count("points_of_refresh", 1);
    ck_assert_uint_ge(kills, 1); /* each point is passed */
    if (_i == FILE_POINT_WRITE) {
        ck_assert_uint_ge(kills, 2 * 64);
    }
}
END_TEST

/* Two processes write the one temporary file: the first gives the second's empty one the name. */
START_TEST(with_one_temporary_name_a_reader_sees_an_empty_file)
{
    struct herd *herd = herd_new(path, 2);
    char text[16];
    pid_t pids[HERD_MOST];
    herd_rule(herd, -1, STEP_FETCHING, STEP_ARRIVED, 2);
    herd_rule(herd, 1, STEP_OPENING, STEP_WRITTEN, 1);
    herd_rule(herd, 0, STEP_WRITTEN, STEP_OPENED, 2);
    herd_rule(herd, 1, STEP_OPENED, STEP_LOOKED, 1);
    herd_begin(herd, variant_find("ttl-only")->load, pids);
    herd_wait(herd, STEP_RENAMED, 1);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    herd->steps[STEP_LOOKED] = 1;
    herd_end(herd, pids);
    tidemark_count("empty_files_seen", bytes == 0);
    ck_assert_uint_eq(bytes, 0);
    ck_assert_int_eq(herd->endings[1], ENDING_NOT_WRITTEN); /* its rename finds nothing */
    herd_free(&herd);
}
END_TEST

TCase *rows_kill(void)
{
    TCase *tcase = tcase_create("kill");
    tcase_add_loop_test(tcase, killed_anywhere_in_a_refresh_it_leaves_a_whole_file_and_no_lock, 0,
                        FILE_POINT_COUNT);
    tcase_add_test(tcase, with_one_temporary_name_a_reader_sees_an_empty_file);
    return tcase;
}
