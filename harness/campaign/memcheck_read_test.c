/* memcheck_read_test.c - valgrind's XML, as it comes and as it is cut off. */
#include "harness/base/suite.h"
#include "harness/base/text.h"
#include "harness/campaign/memcheck_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void mark_note(void *context, enum memcheck_mark mark, uint32_t test, uint32_t errors)
{
    static const char *const words[] = {"begin", "end", "child"};
    text_format(context, "%s %" PRIu32 " %" PRIu32 "\n", words[mark], test, errors);
}

static void seen_note(void *context, struct memcheck_seen *seen)
{
    text_format(context, "%s", seen->kind);
    if (seen->leak != MEMCHECK_NO_LEAK) {
        text_format(context, " %d %" PRId64 " %" PRId64, seen->leak, seen->bytes, seen->blocks);
    } else {
        text_format(context, " '%s' '%s'", seen->what, seen->detail);
    }
    for (size_t i = 0; i < seen->frame_count; i++) {
        text_format(context, " %s@%s:%u", seen->frames[i].function, seen->frames[i].file,
                    seen->frames[i].line);
    }
    text_put(context, "\n");
}

/* What is read from `xml`, a line an event; "FALSE" behind it when the reader says so. The caller
 * frees. */
static char *events_of(const char *xml)
{
    char path[] = "/tmp/tidemark-memcheck-XXXXXX";
    struct text text = {0};
    struct memcheck_events events = {mark_note, seen_note, &text};
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, xml, strlen(xml)), (ssize_t)strlen(xml));
    close(fd);
    if (!memcheck_read(path, "/lib/libtidemark.so", &events)) {
        text_put(&text, "FALSE\n");
    }
    unlink(path);
    return text_take(&text);
}

static void events_are(const char *xml, const char *expected)
{
    char *events = events_of(xml);
    ck_assert_str_eq(events, expected);
    free(events);
}

#define HEAD       "<?xml version=\"1.0\"?>\n<valgrindoutput>\n"
#define MARK(text) "<clientmsg><tid>1</tid><text>tidemark " text "\n  </text></clientmsg>\n"
#define FRAME(object, name, file, line)                                                            \
    "<frame><ip>0x1</ip><obj>" object "</obj><fn>" name "</fn><dir>/src</dir><file>" file          \
    "</file><line>" line "</line></frame>"
#define READ_ERROR                                                                                 \
    "<error><unique>0x7</unique><tid>1</tid><kind>InvalidRead</kind><what>Invalid read of size "   \
    "1</what><stack>" FRAME("/bin/t", "f&lt;int&gt;", "t.c",                                       \
                            "13") FRAME("/lib/libtidemark.so", "serve_run", "serve.c", "3")        \
        FRAME("/bin/t", "main", "t.c", "22") "</stack>"                                            \
                                             "<auxwhat>Address 0x4a452fa is 0 bytes after a "      \
                                             "block of size 10 alloc'd</auxwhat><stack>"           \
                                             "<frame><ip>0x2</ip><obj>/usr/libexec/valgrind/"      \
                                             "vgpreload_memcheck-amd64-linux.so</obj>"             \
                                             "<fn>malloc</fn><file>vg_replace_malloc.c</file>"     \
                                             "<line>381</line></frame>" FRAME(                     \
                                                 "/bin/t", "g", "t.c", "12") "</stack></error>\n"
#define READ_SEEN                                                                                  \
    "InvalidRead 'Invalid read of size 1' '0 bytes after a block of size 10 alloc'd, g "           \
    "(/src/t.c:12)' f<int>@/src/t.c:13 main@/src/t.c:22\n"
#define LEAK(kind, text)                                                                           \
    "<error><unique>0x8</unique><tid>1</tid><kind>Leak_" kind "</kind><xwhat><text>" text          \
    "</text><leakedbytes>1</leakedbytes></xwhat><stack>" FRAME("/bin/t", "h", "t.c",               \
                                                               "5") "</stack></error>\n"

START_TEST(what_stands_between_marks_comes_between_them)
{
    events_are(HEAD MARK("begin 4") READ_ERROR MARK("end 4 2")
                   MARK("child 7") "<clientmsg><tid>1</tid><text>hello</text></clientmsg>",
               "begin 4 0\n" READ_SEEN "end 4 2\nchild 7 0\n");
}
END_TEST

START_TEST(leaks_tell_what_was_lost_since_the_last_look)
{
    events_are(
        HEAD LEAK("DefinitelyLost", "64 (+32) bytes in 2 (+1) blocks are definitely lost")
            LEAK("IndirectlyLost", "1,064 (+1,000) bytes in 2 (+1) blocks are indirectly")
                LEAK("PossiblyLost", "5 bytes in 1 blocks are possibly lost"),
        "Leak_DefinitelyLost 1 32 1 h@/src/t.c:5\nLeak_IndirectlyLost 2 1000 1 h@/src/t.c:5\n"
        "Leak_PossiblyLost 3 5 1 h@/src/t.c:5\n");
}
END_TEST

START_TEST(what_is_reachable_and_the_look_at_the_very_end_are_left_out)
{
    events_are(
        HEAD LEAK("StillReachable",
                  "5 bytes in 1 blocks are still reachable") "<status><state>FINISHED</state></"
                                                             "status>" LEAK("DefinitelyLost",
                                                                            "64 bytes in 2 blocks "
                                                                            "are definitely lost")
                                                                 READ_ERROR,
        READ_SEEN);
}
END_TEST

START_TEST(what_was_finished_before_the_cut_is_told)
{
    const char *whole = HEAD MARK("begin 4") READ_ERROR MARK("end 4 1");
    const char *first = "begin 4 0\n", *second = "begin 4 0\n" READ_SEEN;
    size_t from = strlen(HEAD MARK("begin 4")), past = strlen(HEAD MARK("begin 4") READ_ERROR);
    for (size_t length = from; length < past + 4; length++) {
        char *cut = strndup(whole, length);
        events_are(cut, length + 1 < past ? first : second);
        free(cut);
    }
}
END_TEST

START_TEST(what_is_no_xml_is_said_to_be_damaged)
{
    events_are(HEAD MARK("begin 4") "<error></what>", "begin 4 0\nFALSE\n");
    ck_assert(!memcheck_read("/nonexistent", "", &(struct memcheck_events){0}));
}
END_TEST

START_TEST(the_words_of_a_loss_become_numbers)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t bytes, blocks;
    } rows[] = {
        {"32 bytes in 1 blocks are definitely lost in loss record 1 of 2", true, 32, 1},
        {"32 (+16) bytes in 2 (+1) blocks are definitely lost", true, 16, 1},
        {"1,032 (-16) bytes in 2 (-1) blocks are definitely lost", true, -16, -1},
        {"64 (32 direct, 32 indirect) bytes in 1 blocks are definitely lost", true, 32, 1},
        {"64 (+64) (1,016 (+16) direct, 48 (+48) indirect) bytes in 3 (+2) blocks are", true, 16,
         2},
        {"0 bytes in 0 blocks are", true, 0, 0},
        {"", false, 0, 0},
        {"bytes in 1 blocks", false, 0, 0},
        {"32 bytes", false, 0, 0},
        {"32 (+16 bytes in 2 (+1) blocks", false, 0, 0},
        {"64 (32 indirect) bytes in 1 blocks", false, 0, 0},
        {"64 (32 direct bytes in 1 blocks", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t bytes = -1, blocks = -1;
        ck_assert_msg(memcheck_lost(rows[i].text, &bytes, &blocks) == rows[i].ok, "%s",
                      rows[i].text);
        if (rows[i].ok) {
            ck_assert_msg(bytes == rows[i].bytes && blocks == rows[i].blocks,
                          "%s: %" PRId64 " in %" PRId64, rows[i].text, bytes, blocks);
        }
    }
}
END_TEST

SUITE("memcheck_read", &what_stands_between_marks_comes_between_them,
      &leaks_tell_what_was_lost_since_the_last_look,
      &what_is_reachable_and_the_look_at_the_very_end_are_left_out,
      &what_was_finished_before_the_cut_is_told, &what_is_no_xml_is_said_to_be_damaged,
      &the_words_of_a_loss_become_numbers)
