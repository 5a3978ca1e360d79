/* whole_file_test.c - a file appears whole, or not at all. */
#include "harness/base/suite.h"
#include "harness/base/whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[64], path[96];

static void folder_make(void)
{
    strcpy(folder, "/tmp/tidemark-whole.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
}

static unsigned files_in(void)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing));) {
        count += entry->d_name[0] != '.';
    }
    closedir(listing);
    return count;
}

static void content_is(const char *want)
{
    char text[64] = "";
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    ck_assert_str_eq(text, want);
}

START_TEST(appears_when_it_is_closed_and_not_before)
{
    struct whole_file file;
    folder_make();
    ck_assert(whole_file_open(&file, path));
    fputs("one", file.out);
    fflush(file.out);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert(whole_file_close(&file, true));
    content_is("one");
    ck_assert(whole_file_open(&file, path));
    fputs("two", file.out);
    ck_assert(whole_file_close(&file, false)); /* the command failed */
    content_is("one");
    ck_assert_uint_eq(files_in(), 1);
    unlink(path);
    rmdir(folder);
}
END_TEST

/* A limit on file lengths is a disk that is full. */
START_TEST(leaves_nothing_of_what_could_not_be_written)
{
    struct rlimit before, small = {.rlim_cur = 8192, .rlim_max = RLIM_INFINITY};
    struct whole_file file;
    folder_make();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    for (unsigned bytes = 9000; bytes < 100000; bytes += 30000) { /* fails late, and early */
        ck_assert(whole_file_open(&file, path));
        setrlimit(RLIMIT_FSIZE, &small);
        for (unsigned i = 0; i < bytes; i++) {
            fputc('x', file.out);
        }
        errno = EDOM; /* somebody else's */
        bool ok = whole_file_close(&file, true);
        int error = errno;
        setrlimit(RLIMIT_FSIZE, &before);
        ck_assert(!ok);
        ck_assert_int_eq(error, EFBIG);
        ck_assert_uint_eq(files_in(), 0);
    }
    rmdir(folder);
}
END_TEST

START_TEST(writes_to_devices_and_says_what_cannot_be_opened)
{
    struct whole_file file;
    ck_assert(whole_file_open(&file, "/dev/null"));
    fputs("x", file.out);
    ck_assert(whole_file_close(&file, true));
    ck_assert(whole_file_open(&file, "/dev/full"));
    fputs("x", file.out);
    ck_assert(!whole_file_close(&file, true));
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert(!whole_file_open(&file, "/nonexistent/out"));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(whole_file_close(&file, true));
    ck_assert(!whole_file_open(&file, "/tmp"));
    ck_assert_int_eq(errno, EISDIR);
}
END_TEST

SUITE("whole_file", &appears_when_it_is_closed_and_not_before,
      &leaves_nothing_of_what_could_not_be_written,
      &writes_to_devices_and_says_what_cannot_be_opened)
