/* record_test.c - a command that runs test programs in several ways, and what is noted of them. */
#include "harness/record/record.h"

#include "harness/base/memory.h"
#include "harness/base/suite.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool record_shell(struct record *record, const char *script, const char *const *tests,
                         int *status)
{
    const char *build = getenv("B");
    char error[256] = "", shell[] = "/bin/sh", c[] = "-c";
    char *text = memory_format("P=%s/fixtures; exec >/dev/null 2>&1; %s",
                               build == NULL ? "build" : build, script);
    char *argv[] = {shell, c, text, NULL};
    bool ran = record_run(record, argv, tests, status, error, sizeof error);
    free(text);
    return ran;
}

static bool env_has(char *const *env, const char *entry)
{
    for (; *env != NULL; env++) {
        if (strcmp(*env, entry) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(notes_test_programs_however_they_are_started)
{
    struct record record;
    int status = -1;
    ck_assert(record_shell(&record,
                           "env COLOUR=red nice $P/cmocka_program one 'two words'; ls /; "
                           "(cd / && $OLDPWD/$P/check_basic-nopie & wait); "
                           "exec $P/glib_program",
                           NULL, &status));
    ck_assert_uint_eq(record.count, 3);
    ck_assert_uint_ge(record.executed, 6); /* sh, env, nice, ls and the three */
    const struct record_program *first = &record.programs[0];
    ck_assert_str_eq(first->framework, "cmocka");
    ck_assert_str_eq(first->argv[1], "one");
    ck_assert_str_eq(first->argv[2], "two words");
    ck_assert_ptr_null(first->argv[3]);
    ck_assert(env_has(first->env, "COLOUR=red"));
    ck_assert(WIFEXITED(first->status) && WEXITSTATUS(first->status) == 1);
    ck_assert_str_eq(record.programs[1].folder, "/");
    ck_assert_str_eq(record.programs[2].framework, "GLib");
    ck_assert_int_eq(record.programs[2].status, status); /* the command itself became it */
    record_fini(&record);
}
END_TEST

START_TEST(notes_a_program_once_that_ran_twice_alike)
{
    struct record record;
    int status = -1;
    ck_assert(record_shell(&record, "$P/cunit_program; $P/cunit_program; $P/cunit_program x", NULL,
                           &status));
    ck_assert_uint_eq(record.count, 2);
    ck_assert_uint_eq(record.programs[0].times, 2);
    ck_assert_uint_eq(record.programs[1].times, 1);
    record_fini(&record);
}
END_TEST

START_TEST(notes_what_a_glob_names_without_a_framework)
{
    static const char *const tests[] = {"plain_*", "*/check_basic-static", NULL};
    struct record record;
    int status = -1;
    ck_assert(record_shell(&record, "$P/plain_main; $P/check_basic-static; kill -TERM $$", tests,
                           &status));
    ck_assert_uint_eq(record.count, 2);
    ck_assert_ptr_null(record.programs[0].framework);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    record_fini(&record);
}
END_TEST

START_TEST(takes_a_program_that_executes_itself_for_one)
{
    struct record record;
    int status = -1;
    static const char *const tests[] = {"*sh", NULL}; /* the shell is the test program here */
    ck_assert(record_shell(&record, "sh -c 'sh -c true; env true; exit 3'; (sh -c true); exit 0",
                           tests, &status));
    ck_assert_uint_eq(record.count, 1);
    ck_assert_uint_ge(record.executed, 5);
    ck_assert_uint_eq(record.programs[0].times, 1);
    record_fini(&record);
}
END_TEST

START_TEST(joins_runs_that_only_select_tests)
{
    struct record record;
    int status = -1;
    /* "-tc=" selects where the framework is doctest, "g" nowhere. */
    ck_assert(record_shell(&record,
                           "$P/cmocka_program -tc=a; $P/cmocka_program -tc=b; $P/glib_program g",
                           NULL, &status));
    ck_assert_uint_eq(record.count, 3);
    record_join(&record);
    ck_assert_uint_eq(record.count, 3);
    record.programs[0].framework = record.programs[1].framework = "doctest";
    record_join(&record);
    ck_assert_uint_eq(record.count, 2);
    ck_assert_str_eq(record.programs[0].argv[1], "--test-case=a,b");
    ck_assert_uint_eq(record.programs[0].times, 2);
    ck_assert_str_eq(record.programs[1].framework, "GLib");
    record_fini(&record);
}
END_TEST

START_TEST(leaves_running_what_the_command_leaves_running)
{
    struct record record;
    int status = -1;
    char folder[] = "/tmp/recordXXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *script = memory_format("(sleep 0.5; echo > %s/done) & "
                                 "(sleep 0.1; kill -CONT $$) & kill -STOP $$; exit 3",
                                 folder);
    char *done = memory_format("%s/done", folder);
    ck_assert(record_shell(&record, script, NULL, &status));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3); /* stopped and continued, too */
    ck_assert_int_eq(access(done, F_OK), -1);                 /* it was not waited for */
    for (int i = 0; i < 100 && access(done, F_OK) != 0; i++) {
        usleep(20000);
    }
    ck_assert_int_eq(access(done, F_OK), 0);
    unlink(done);
    rmdir(folder);
    free(done);
    free(script);
    record_fini(&record);
}
END_TEST

START_TEST(says_when_there_is_no_such_command)
{
    struct record record;
    int status = -1;
    char error[256] = "", name[] = "/nonexistent/command";
    char *argv[] = {name, NULL};
    ck_assert(record_run(&record, argv, NULL, &status, error, sizeof error));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 127);
    record_fini(&record);
}
END_TEST

SUITE("record", &notes_test_programs_however_they_are_started,
      &notes_a_program_once_that_ran_twice_alike, &notes_what_a_glob_names_without_a_framework,
      &takes_a_program_that_executes_itself_for_one, &joins_runs_that_only_select_tests,
      &leaves_running_what_the_command_leaves_running, &says_when_there_is_no_such_command)
