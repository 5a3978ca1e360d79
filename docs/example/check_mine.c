#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct session {
    char name[48];
    struct session *next;
};
static struct session *g_sessions;
static struct session *session_open(const char *name)
{
    struct session *s = calloc(1, sizeof *s);
    strncpy(s->name, name, sizeof s->name - 1);
    s->next = g_sessions;
    g_sessions = s;
    return s;
}
START_TEST(opens_a_session)
{
    ck_assert_str_eq(session_open("alice")->name, "alice");
}
END_TEST
START_TEST(parses_a_number)
{
    ck_assert_int_eq(atoi("42"), 42);
}
END_TEST
int main(void)
{
    Suite *suite = suite_create("mine");
    TCase *tcase = tcase_create("session");
    tcase_add_test(tcase, opens_a_session);
    tcase_add_test(tcase, parses_a_number);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
