/* describe_memcheck.c - the words for what memcheck found, the same in every report. Supervisor
 * only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

const char *describe_test_word(const struct result_test *test)
{
    if (test->status != RESULT_PASS) {
        return result_status_name(test->status);
    }
    bool quiet = !result_verdict_bad(test->verdict);
    return quiet && result_memcheck_bad(test->memcheck) ? "memcheck"
                                                        : result_verdict_name(test->verdict);
}

static void lost_put(struct text *text, int64_t bytes, int64_t blocks, const char *how)
{
    char size[UNIT_TEXT_BYTES];
    if (blocks > 0) {
        text_format(text, "%s%s %s lost", text->length > 0 ? ", " : "",
                    unit_bytes(size, (double)bytes), how);
    }
}

void describe_memcheck(struct text *text, const struct result_memcheck *memcheck)
{
    struct text line = {0};
    char number[UNIT_TEXT_BYTES];
    if (!memcheck) {
        return;
    }
    if (result_memcheck_stopped(memcheck)) {
        text_format(&line, "does not pass (%s%s%s)", result_status_name(memcheck->status),
                    memcheck->message[0] ? ": " : "", memcheck->message);
    }
    if (memcheck->errors > 0) {
        text_format(&line, "%s%s error%s", line.length > 0 ? ", " : "",
                    unit_count(number, (double)memcheck->errors), memcheck->errors == 1 ? "" : "s");
    }
    lost_put(&line, memcheck->definite_bytes, memcheck->definite_blocks, "definitely");
    lost_put(&line, memcheck->indirect_bytes, memcheck->indirect_blocks, "indirectly");
    lost_put(&line, memcheck->possible_bytes, memcheck->possible_blocks, "possibly");
    text_put(text, text_peek(&line));
    text_fini(&line);
}

void describe_error(struct text *text, const struct result_error *error)
{
    text_format(text, "%s%s%s", error->what, error->detail[0] ? ": " : "", error->detail);
}

void describe_error_lines(struct text *text, const struct result_test *test, size_t most)
{
    size_t count = test->memcheck ? test->memcheck->list_count : 0;
    for (size_t i = 0; i < count && i < most; i++) {
        const struct result_error *error = &test->memcheck->list[i];
        text_put(text, "\nmemcheck: ");
        describe_error(text, error);
        text_put_char(text, '\n');
        for (size_t k = 0; k < error->frame_count; k++) {
            text_put(text, "  ");
            describe_frame(text, &error->frames[k]);
            text_put_char(text, '\n');
        }
    }
    if (count > most) {
        text_format(text, "\nmemcheck: %zu more\n", count - most);
    }
}

const struct result_frame *describe_error_place(const struct result_test *test)
{
    const struct result_frame *place = NULL;
    for (size_t i = 0; test->memcheck && i < test->memcheck->list_count && !place; i++) {
        const struct result_error *error = &test->memcheck->list[i];
        place = describe_place(error->frames, error->frame_count);
    }
    return place;
}
