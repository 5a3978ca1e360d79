#include <check.h>
#include <stdlib.h>
#include <string.h>
struct message {
    struct message *next;
    char text[24];
};
static struct message *g_inbox, *g_last;
static struct message *message_new(const char *text)
{
    struct message *m = malloc(sizeof *m);
    strncpy(m->text, text, sizeof m->text - 1);
    m->next = NULL;
    return m;
}
static void inbox_put(struct message *m)
{
    m->next = g_inbox;
    g_inbox = m;
}
START_TEST(puts_a_message)
{
    inbox_put(message_new("hello"));
    ck_assert_str_eq(g_inbox->text, "hello");
}
END_TEST
START_TEST(forwards_a_message)
{
    struct message *m = message_new("hello"), *copy = message_new("Fwd: ");
    strcat(copy->text, m->text);
    free(m);
    ck_assert_str_eq(copy->text, "Fwd: hello");
}
END_TEST
START_TEST(deletes_a_message)
{
    struct message *m = message_new("hello");
    free(m);
    ck_assert(m->next == NULL);
}
END_TEST
START_TEST(keeps_the_last)
{
    if (g_last == NULL) {
        g_last = message_new("never looked at");
        g_last = message_new("bye");
    }
    ck_assert_str_eq(g_last->text, "bye");
}
END_TEST
START_TEST(compares_messages)
{
    struct message *a = message_new("a"), *b = message_new("a");
    ck_assert(memcmp(a->text, b->text, 1) == 0);
    free(a);
    free(b);
}
END_TEST
int main(void)
{
    Suite *suite = suite_create("inbox");
    TCase *tcase = tcase_create("message");
    tcase_add_test(tcase, puts_a_message);
    tcase_add_test(tcase, forwards_a_message);
    tcase_add_test(tcase, deletes_a_message);
    tcase_add_test(tcase, keeps_the_last);
    tcase_add_test(tcase, compares_messages);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
