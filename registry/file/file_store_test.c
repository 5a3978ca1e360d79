/* file_store_test.c - heads, ages, and files that are whole or not there, at every point where
 * writing can fail. */
#include "registry/file/file_lock.h"
#include "registry/file/file_state.h"

#include "harness/base/suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static void folder_make(void)
{
    /* In memory where that can be: it is synced again and again. */
    snprintf(folder, sizeof folder, "%s/tidemark-file-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/list.json", folder);
}

/* Removes what is there, and says how many files that were. */
static unsigned folder_remove(void)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.') {
            ck_assert_int_eq(unlinkat(dirfd(directory), entry->d_name, 0), 0);
            count++;
        }
    }
    closedir(directory);
    ck_assert_int_eq(rmdir(folder), 0);
    return count;
}

static struct file_store store_of(void)
{
    return (struct file_store){.path = path,
                               .versions = 2,
                               .bytes_max = 1 << 20,
                               .piece_bytes = 64,
                               .mode = 0644,
                               .allocate = malloc};
}

static bool put(struct file_store *store, uint64_t generation, const char *text)
{
    struct file_head head = {.bytes = strlen(text), .generation = generation};
    file_stamp_now(&head.begun);
    struct file_snapshot *snapshot = file_snapshot_new(store, &head, text);
    ck_assert_ptr_nonnull(snapshot);
    bool ok = file_store_publish(store, snapshot, true);
    int error = errno;
    file_snapshot_release(&snapshot);
    errno = error;
    return ok;
}

/* What a version says; "" where it cannot be read. */
static const char *said(const struct file_store *store, unsigned version)
{
    static char text[4096];
    struct file_snapshot *snapshot;
    text[0] = 0;
    if (file_store_read(store, version, &snapshot, NULL) == FILE_READ_OK) {
        memcpy(text, snapshot->data, snapshot->head.bytes);
        text[snapshot->head.bytes] = 0;
    }
    file_snapshot_release(&snapshot);
    return text;
}

START_TEST(the_checksum_is_crc_64_xz)
{
    ck_assert_uint_eq(file_crc(0, "123456789", 9), 0x995dc9bbdf1939fau);
    ck_assert_uint_eq(file_crc(file_crc(0, "1234", 4), "56789", 5), 0x995dc9bbdf1939fau);
}
END_TEST

static size_t image_make(char *file, const char *document)
{
    struct file_head head = {.bytes = strlen(document),
                             .generation = 7,
                             .begun = {.wall_ns = 123, .boot_ns = 45, .boot = "-"},
                             .etag = "\"abc\""};
    file_head_write(file, &head, document);
    memcpy(file + FILE_HEAD_BYTES, document, strlen(document));
    return FILE_HEAD_BYTES + strlen(document);
}

START_TEST(a_head_comes_back_as_it_was_written)
{
    char file[FILE_HEAD_BYTES + 100];
    struct file_head head;
    size_t bytes = image_make(file, "{\"providers\":[]}");
    ck_assert(file_head_read(file, bytes, &head));
    ck_assert_uint_eq(head.bytes, 16);
    ck_assert_uint_eq(head.generation, 7);
    ck_assert_uint_eq(head.begun.wall_ns, 123);
    ck_assert_uint_eq(head.begun.boot_ns, 45);
    ck_assert_str_eq(head.begun.boot, "-");
    ck_assert_str_eq(head.etag, "\"abc\"");
    ck_assert_int_eq(file[FILE_HEAD_BYTES - 1], '\n');
}
END_TEST

START_TEST(every_bit_that_flips_and_every_byte_that_is_missing_is_seen)
{
    char file[FILE_HEAD_BYTES + 100];
    struct file_head head;
    size_t bytes = image_make(file, "{\"providers\":[]}");
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(!file_head_read(file, bytes, &head), "bit %zu", bit);
        file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t length = 0; length < bytes; length++) {
        ck_assert_msg(!file_head_read(file, length, &head), "length %zu", length);
    }
    ck_assert(file_head_read(file, bytes, &head));
}
END_TEST

START_TEST(etags_that_cannot_stand_in_a_line_are_left_out)
{
    char file[FILE_HEAD_BYTES];
    struct file_head head = {.begun.boot = "-", .etag = "two words"}, read;
    file_head_write(file, &head, "");
    ck_assert(file_head_read(file, sizeof file, &read));
    ck_assert_str_eq(read.etag, "");
}
END_TEST

START_TEST(age_is_by_boot_time_and_by_the_wall_only_across_boots)
{
    static const struct {
        struct file_stamp then, now;
        uint64_t age;
    } cases[] = {
        {{1000, 50, "a"}, {1010, 60, "a"}, 10},
        {{1000, 50, "a"}, {999999, 60, "a"}, 10},           /* the wall clock was set forward */
        {{1000, 50, "a"}, {3, 60, "a"}, 10},                /* and back */
        {{1000, 50, "a"}, {1300, 7, "b"}, 300},             /* another boot */
        {{1000, 50, "a"}, {900, 7, "b"}, FILE_AGE_UNKNOWN}, /* from the future: old */
        {{1000, 50, "a"}, {1010, 40, "a"}, 10},             /* another time namespace */
        {{1000, 50, "-"}, {1020, 60, "-"}, 20},             /* no name for a boot */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_uint_eq(file_stamp_age(&cases[i].then, &cases[i].now), cases[i].age);
    }
    struct file_stamp a, b;
    file_stamp_now(&a);
    file_stamp_now(&b);
    ck_assert_uint_lt(file_stamp_age(&a, &b), 60000000000u);
}
END_TEST

START_TEST(versions_move_on_and_come_back)
{
    struct file_store store = store_of();
    folder_make();
    ck_assert(put(&store, 1, "one") && put(&store, 2, "two") && put(&store, 3, "three") &&
              put(&store, 4, "four"));
    ck_assert_str_eq(said(&store, 0), "four");
    ck_assert_str_eq(said(&store, 1), "three");
    ck_assert_str_eq(said(&store, 2), "two");
    ck_assert_str_eq(said(&store, 3), "");
    file_store_forget(&store);
    ck_assert_str_eq(said(&store, 1), "two");
    ck_assert_str_eq(said(&store, 2), "");
    ck_assert(file_store_clear(&store));
    ck_assert(file_store_clear(&store)); /* nothing there is no failure */
    ck_assert_uint_eq(folder_remove(), 0);
}
END_TEST

/* A writer dies between keeping a version and taking the name: then version 1 is the present file,
 * and rename does nothing where two names are one file. */
START_TEST(versions_that_are_the_present_file_are_no_trouble)
{
    struct file_store store = store_of();
    char first[128], second[128];
    folder_make();
    snprintf(first, sizeof first, "%s.1", path);
    snprintf(second, sizeof second, "%s.2", path);
    ck_assert(put(&store, 1, "one"));
    ck_assert(link(path, first) == 0 && link(path, second) == 0);
    ck_assert(put(&store, 2, "two"));
    ck_assert_str_eq(said(&store, 0), "two");
    ck_assert_str_eq(said(&store, 1), "one");
    ck_assert_str_eq(said(&store, 2), "one");
    ck_assert_uint_eq(folder_remove(), 3); /* no temporary file */
}
END_TEST

START_TEST(what_is_no_cache_file_is_told_apart)
{
    struct file_store store = store_of();
    struct file_snapshot *snapshot;
    folder_make();
    ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_ABSENT);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_CORRUPT);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_CORRUPT);
    rmdir(path);
    ck_assert(put(&store, 1, "a document"));
    store.bytes_max = 9; /* one too few */
    ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_CORRUPT);
    store.bytes_max = 10;
    ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_OK);
    file_snapshot_release(&snapshot);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 4711, 4711), 0);
        ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_FOREIGN);
        store.foreign = true;
        ck_assert_int_eq(file_store_read(&store, 0, &snapshot, NULL), FILE_READ_OK);
        file_snapshot_release(&snapshot);
    } else {
        fprintf(stderr, "skipped: a file of another user needs root\n");
    }
    folder_remove();
}
END_TEST

/* Fails the nth call of point. */
struct failing {
    unsigned calls, at;
    enum file_point where;
};

static bool fail_at(void *context, enum file_point point)
{
    struct failing *failing = context;
    if (++failing->calls != failing->at) {
        return true;
    }
    failing->where = point;
    errno = ENOSPC;
    return false;
}

START_TEST(a_publication_that_fails_anywhere_leaves_one_whole_file_and_no_temporary)
{
    char old[2000], new[2000];
    unsigned failed = 0;
    memset(old, 'o', sizeof old - 1);
    memset(new, 'n', sizeof new - 1);
    old[sizeof old - 1] = new[sizeof new - 1] = 0;
    for (unsigned at = 1;; at++) {
        struct file_store store = store_of();
        struct failing failing = {.at = at};
        folder_make();
        ck_assert(put(&store, 1, "the first") && put(&store, 2, old));
        store.point = fail_at;
        store.context = &failing;
        bool ok = put(&store, 3, new);
        bool renamed = failing.where == FILE_POINT_DIRECTORY || /* it has the name already */
                       failing.where == FILE_POINT_KEEP ||      /* versions are best effort */
                       failing.where == FILE_POINT_LINK;
        if (!ok) {
            ck_assert_int_eq(errno, ENOSPC);
        }
        ck_assert_str_eq(said(&store, 0), ok || renamed ? new : old);
        unsigned files = folder_remove();
        ck_assert_uint_le(files, 3); /* itself and two versions: no temporary one */
        ck_assert_uint_ge(files, 2);
        if (failing.calls < at) {
            break; /* there is no further point */
        }
        failed++;
    }
    ck_assert_uint_ge(failed, 38); /* 37 pieces of 64 bytes, and the points around them */
}
END_TEST

/* Two writers that both believe to hold the lock (its holder was stopped, and another went on
 * without it) must not write into one file: the second one begins while the first is about to sync,
 * sweeps its temporary file away, and still each file that can be read is whole. */
struct second_writer {
    struct file_store store;
    unsigned begun;
    char names[2][64];
};

static bool name_of_temporary(char name[64])
{
    DIR *directory = opendir(folder);
    bool found = false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, "list.json.tmp-", 14) == 0) {
            found = true;
            snprintf(name, 64, "%.63s", entry->d_name);
        }
    }
    closedir(directory);
    return found;
}

static bool write_between(void *context, enum file_point point)
{
    struct second_writer *second = context;
    if (point == FILE_POINT_SYNC && second->begun < 2) {
        ck_assert(name_of_temporary(second->names[second->begun]));
        if (++second->begun == 1) {
            ck_assert(put(&second->store, 7, "of the second"));
        }
    }
    return true;
}

START_TEST(two_writers_at_once_have_two_temporary_files)
{
    struct second_writer second = {.store = store_of()};
    struct file_store first = store_of();
    folder_make();
    second.store.path = first.path = path;
    second.store.point = first.point = write_between;
    second.store.context = first.context = &second;
    ck_assert(!put(&first, 6, "of the first, which is longer")); /* it was swept away: it fails */
    ck_assert_uint_eq(second.begun, 2);
    ck_assert_str_ne(second.names[0], second.names[1]);
    ck_assert_str_eq(said(&first, 0), "of the second");
    ck_assert_uint_le(folder_remove(), 2); /* itself, and at most a version of it */
}
END_TEST

START_TEST(temporaries_of_the_dead_are_swept_and_others_left)
{
    struct file_store store = store_of();
    char name[128];
    static const char *const ends[] = {"list.json.tmp-abcdef", "list.json.tmp-123456-1",
                                       "list.json.old", "other.json.tmp-abcdef"};
    folder_make();
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, ends[i]);
        fclose(fopen(name, "w"));
    }
    ck_assert(put(&store, 1, "one"));
    ck_assert_uint_eq(store.swept, 2);
    ck_assert_uint_eq(folder_remove(), 3);
}
END_TEST

START_TEST(a_lock_excludes_and_goes_with_its_holder)
{
    struct file_store store = store_of();
    struct file_lock a = FILE_LOCK_NONE, b = FILE_LOCK_NONE;
    int ends[2], status;
    char byte;
    folder_make();
    ck_assert_int_eq(file_lock_try(&a, &store), FILE_LOCK_TAKEN);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_BUSY);
    file_lock_fini(&a, &store);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_TAKEN);
    file_lock_fini(&b, &store);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t holder = fork();
    if (holder == 0) {
        bool taken = file_lock_try(&a, &store) == FILE_LOCK_TAKEN;
        _exit(write(ends[1], "", 1) == 1 && taken ? pause() : 1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_BUSY);
    kill(holder, SIGKILL);
    waitpid(holder, &status, 0);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_TAKEN);
    file_lock_fini(&b, &store);
    close(ends[0]);
    close(ends[1]);
    folder_remove();
}
END_TEST

START_TEST(a_lock_file_that_was_removed_locks_nobody_out_or_in)
{
    struct file_store store = store_of();
    struct file_lock a = FILE_LOCK_NONE, b = FILE_LOCK_NONE;
    char name[128];
    folder_make();
    snprintf(name, sizeof name, "%s.lock", path);
    ck_assert_int_eq(file_lock_try(&a, &store), FILE_LOCK_TAKEN);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_BUSY); /* has it open now */
    unlink(name);
    file_lock_fini(&a, &store);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_BUSY); /* locked what nobody will find */
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_TAKEN);
    file_lock_fini(&b, &store);
    snprintf(path, sizeof path, "%s/no/such/folder", folder);
    ck_assert_int_eq(file_lock_try(&b, &store), FILE_LOCK_IMPOSSIBLE);
    folder_remove();
}
END_TEST

/* What NFS asks of an exclusive flock; a file that only others may write has to do with reading. */
START_TEST(a_lock_is_open_for_writing_where_that_is_allowed)
{
    struct file_store store = store_of();
    struct file_lock lock = FILE_LOCK_NONE;
    char name[128];
    folder_make();
    snprintf(name, sizeof name, "%s.lock", path);
    for (int again = 0; again < 2; again++) { /* made, and found */
        ck_assert_int_eq(file_lock_try(&lock, &store), FILE_LOCK_TAKEN);
        ck_assert_int_eq(fcntl(lock.fd, F_GETFL) & O_ACCMODE, O_RDWR);
        file_lock_fini(&lock, &store);
    }
    if (geteuid() != 0) { /* root may write it all the same */
        ck_assert_int_eq(chmod(name, 0444), 0);
        ck_assert_int_eq(file_lock_try(&lock, &store), FILE_LOCK_TAKEN);
        ck_assert_int_eq(fcntl(lock.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        file_lock_fini(&lock, &store);
    } else {
        fprintf(stderr, "skipped: root may write what others may not\n");
    }
    folder_remove();
}
END_TEST

START_TEST(totals_add_up_and_damage_counts_as_empty)
{
    struct file_store store = store_of();
    struct file_state state;
    struct file_statistics part = {.lookups = 3, .hits = 2, .failed = 1};
    struct file_stamp stamp;
    char name[128];
    folder_make();
    ck_assert(!file_state_read(&store, &state));
    ck_assert_uint_eq(state.totals.lookups, 0);
    file_stamp_now(&stamp);
    ck_assert(file_state_add(&store, &part, &stamp));
    ck_assert(file_state_add(&store, &part, NULL));
    ck_assert(file_state_read(&store, &state));
    ck_assert_uint_eq(state.totals.lookups, 6);
    ck_assert_uint_eq(state.totals.hits, 4);
    ck_assert_uint_eq(state.failed.wall_ns, stamp.wall_ns);
    snprintf(name, sizeof name, "%s.state", path);
    FILE *file = fopen(name, "r+");
    fseek(file, 40, SEEK_SET);
    fputc('?', file);
    fclose(file);
    ck_assert(!file_state_read(&store, &state));
    ck_assert(file_state_add(&store, &part, NULL));
    ck_assert(file_state_read(&store, &state));
    ck_assert_uint_eq(state.totals.lookups, 3);
    folder_remove();
}
END_TEST

SUITE("file_store", &the_checksum_is_crc_64_xz, &a_head_comes_back_as_it_was_written,
      &every_bit_that_flips_and_every_byte_that_is_missing_is_seen,
      &etags_that_cannot_stand_in_a_line_are_left_out,
      &age_is_by_boot_time_and_by_the_wall_only_across_boots, &versions_move_on_and_come_back,
      &versions_that_are_the_present_file_are_no_trouble, &what_is_no_cache_file_is_told_apart,
      &a_publication_that_fails_anywhere_leaves_one_whole_file_and_no_temporary,
      &two_writers_at_once_have_two_temporary_files,
      &temporaries_of_the_dead_are_swept_and_others_left, &a_lock_excludes_and_goes_with_its_holder,
      &a_lock_file_that_was_removed_locks_nobody_out_or_in,
      &a_lock_is_open_for_writing_where_that_is_allowed, &totals_add_up_and_damage_counts_as_empty)
