/* terminal_hunt.c - findings by test: verdict, bytes a repetition, stack, who holds it, what the
 * verdict is worth, and what is not shown. Supervisor only. */
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/report/terminal_part.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define FINDINGS_MAX 50
#define SITES_MAX    3
#define FRAMES_MAX   6
#define RELEASES_MAX 3
#define LABEL        18 /* columns before what a label names */

/* "  held by       text", wrapped under itself. */
void terminal_label(const char *label, const char *text, FILE *out, unsigned columns)
{
    struct text body = {0};
    text_wrap(&body, text, LABEL, columns);
    fprintf(out, "    %-*s%s", LABEL - 4, label, body.length > LABEL ? body.data + LABEL : "-\n");
    text_fini(&body);
}

/* Equal frames behind each other, as of a recursion, are one line with their number. */
void terminal_stack(const char *label, const struct result_frame *frames, size_t count, FILE *out,
                    unsigned columns)
{
    struct text text = {0}, next = {0};
    count = describe_frames_own(frames, count);
    size_t at = 0, folded = 0;
    for (size_t line = 0; at < count && line < FRAMES_MAX; line++) {
        size_t times = 0;
        if (describe_frame_folded(frames, count, at)) {
            at++;
            folded++;
            line--;
            continue;
        }
        text_reset(&text);
        describe_frame(&text, &frames[at]);
        do {
            times++;
            text_reset(&next);
            if (++at < count) {
                describe_frame(&next, &frames[at]);
            }
        } while (at < count && strcmp(text_peek(&next), text_peek(&text)) == 0 &&
                 !describe_frame_folded(frames, count, at));
        if (times > 1) {
            text_format(&text, " x %zu", times);
        }
        terminal_label(line == 0 ? label : "", text_peek(&text), out, columns);
    }
    if (at < count || folded > 0) {
        size_t more = count - at;
        text_reset(&text);
        if (more > 0) {
            text_format(&text, "... %zu more frame%s", more, more == 1 ? "" : "s");
        }
        if (folded > 0) {
            text_format(&text, "%s %zu frame%s of headers", more > 0 ? ", and" : "...", folded,
                        folded == 1 ? "" : "s");
        }
        terminal_label("", text.data, out, columns);
    }
    text_fini(&text);
    text_fini(&next);
}

static void site_print(const struct result_site *site, unsigned repetitions, FILE *out,
                       unsigned columns)
{
    struct text text = {0};
    describe_kept(&text, site, repetitions);
    terminal_label("kept", text.data, out, columns);
    terminal_stack(describe_origin(site), site->frames, site->frame_count, out, columns);
    if (site->held_by_count > 0) {
        text_reset(&text);
        describe_held(&text, site);
        terminal_label("held by", text_peek(&text), out, columns);
    } else if (site->reach == REACH_UNREACHABLE) {
        terminal_label("held by", "nothing: no pointer to it is left", out, columns);
    }
    for (size_t i = 0; i < site->released_by_count && i < RELEASES_MAX; i++) {
        text_reset(&text);
        describe_release(&text, site, &site->released_by[i]);
        terminal_label(i == 0 ? "look at" : "", text.data, out, columns);
    }
    text_fini(&text);
}

/* Places of less than 1 % of the memory are folded, unless they are all that there is. Descriptors,
 * threads and files are no memory. */
#define SHARE_LEAST 0.01

static bool small(const struct result_site *site)
{
    return site->share < SHARE_LEAST && !describe_counted(site->kind);
}

void terminal_sites(const struct result *result, const char *test, const char *variant,
                    unsigned repetitions, size_t most, FILE *out, unsigned columns)
{
    const struct result_site *site;
    char size[UNIT_TEXT_BYTES];
    size_t next = 0, shown = 0, hidden = 0;
    int64_t hidden_bytes = 0;
    while ((site = describe_site_next(result, test, variant, &next))) {
        if (shown < most && (shown == 0 || !small(site))) {
            fputs(shown > 0 ? "\n" : "", out);
            site_print(site, repetitions, out, columns);
            shown++;
        } else {
            hidden++;
            hidden_bytes += site->bytes;
        }
    }
    if (hidden > 0) {
        struct text text = {0};
        text_format(&text, "%zu smaller place%s, %s", hidden, hidden == 1 ? "" : "s",
                    unit_bytes(size, (double)hidden_bytes));
        terminal_label("not shown", text.data, out, columns);
        text_fini(&text);
    }
}

static void finding_print(const struct result *result, const struct result_test *test, FILE *out,
                          unsigned columns, bool color)
{
    struct text text = {0};
    char word[16];
    bool died = test->status != RESULT_PASS && test->status != RESULT_SKIP;
    const char *name = describe_test_word(test);
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof word; i++) {
        word[i] = (char)toupper((unsigned char)name[i]);
    }
    word[i] = '\0';
    enum table_color shade = !died && strcmp(name, "inconclusive") == 0 ? TABLE_YELLOW : TABLE_RED;
    fprintf(out, "\n%s%s%s  %s", table_color_begin(shade, color), word,
            table_color_end(shade, color), test->id);
    const char *variant = describe_variant_beside(test->id, test->variant);
    fprintf(out, variant[0] ? " [%s]\n" : "%s\n", variant);
    describe_test(&text, result, test);
    terminal_wrapped(text_peek(&text), 4, columns, out);
    text_fini(&text);
    terminal_stack("stack", test->frames, test->frame_count, out, columns);
    terminal_sites(result, test->id, test->variant, test->repetitions, SITES_MAX, out, columns);
    terminal_errors(test, out, columns);
    if (test->horizon[0]) {
        terminal_label("evidence", test->horizon, out, columns);
    }
}

size_t terminal_findings(const struct result *result, const char *variant, size_t most, FILE *out,
                         unsigned columns, bool color)
{
    size_t found = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (!describe_test_finding(result, test) ||
            (variant && strcmp(test->variant, variant) != 0)) {
            continue;
        }
        if (found++ < most) {
            finding_print(result, test, out, columns, color);
        }
    }
    return found;
}

/* "118 clean, 1 leak, 1 growth" */
static void counts_put(struct text *text, const struct result *result)
{
    size_t count[VERDICT_COUNT] = {0}, dead = 0, flaky = 0, skipped = 0;
    char number[UNIT_TEXT_BYTES];
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (test->status == RESULT_PASS) {
            count[test->verdict]++;
        } else {
            dead += test->status != RESULT_SKIP && test->status != RESULT_FLAKY;
            flaky += test->status == RESULT_FLAKY;
            skipped += test->status == RESULT_SKIP;
        }
    }
    static const enum result_verdict order[] = {
        VERDICT_LEAK,       VERDICT_GROWTH, VERDICT_ACCUMULATES, VERDICT_INCONCLUSIVE,
        VERDICT_SATURATING, VERDICT_CLEAN,  VERDICT_NONE};
    const char *join = "";
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (count[order[i]] > 0) {
            text_format(text, "%s%s %s", join, unit_count(number, (double)count[order[i]]),
                        order[i] == VERDICT_NONE ? "not judged" : result_verdict_name(order[i]));
            join = ", ";
        }
    }
    if (dead > 0) {
        text_format(text, "%s%s failed", join, unit_count(number, (double)dead));
        join = ", ";
    }
    if (flaky > 0) {
        text_format(text, "%s%s flaky", join, unit_count(number, (double)flaky));
        join = ", ";
    }
    if (skipped > 0) {
        text_format(text, "%s%s skipped", join, unit_count(number, (double)skipped));
    }
}

/* Sites of no single test: what accumulates over the suite, by variant. */
static bool suite_print(const struct result *result, FILE *out, unsigned columns, bool color)
{
    bool any = false;
    for (size_t i = 0; i < (result->variant_count ? result->variant_count : 1); i++) {
        const struct result_variant *variant = result->variant_count ? &result->variants[i] : NULL;
        const char *name = variant ? variant->name : "";
        size_t next = 0;
        bool open = variant && variant->verdict == VERDICT_INCONCLUSIVE;
        const char *word = variant && (open || result_verdict_bad(variant->verdict))
                               ? result_verdict_name(variant->verdict)
                               : NULL;
        if (!word && !describe_site_next(result, "", name, &next)) {
            continue;
        }
        any = true;
        enum table_color shade = open ? TABLE_YELLOW : TABLE_RED;
        fprintf(out, "\n%s%s%s  " DESCRIBE_SUITE, table_color_begin(shade, color),
                word ? word : "kept", table_color_end(shade, color));
        fprintf(out, name[0] ? " [%s]\n" : "%s\n", name);
        struct text text = {0};
        if (variant) {
            describe_variant(&text, result, variant);
        }
        if (text.length > 0) {
            terminal_wrapped(text.data, 4, columns, out);
        }
        text_fini(&text);
        terminal_sites(result, "", name, 0, SITES_MAX, out, columns);
        if (variant && variant->horizon[0]) {
            terminal_label("evidence", variant->horizon, out, columns);
        }
    }
    return any;
}

void terminal_hunt(const struct result *result, FILE *out, unsigned columns, bool color)
{
    char size[UNIT_TEXT_BYTES];
    size_t found = terminal_findings(result, NULL, FINDINGS_MAX, out, columns, color);
    if (found > FINDINGS_MAX) {
        fprintf(out, "\n%zu more finding%s not shown; all of them: tidemark report --html\n",
                found - FINDINGS_MAX, found - FINDINGS_MAX == 1 ? " is" : "s are");
    }
    bool suite = suite_print(result, out, columns, color);
    terminal_memcheck(result, out, columns, color);
    struct text text = {0};
    counts_put(&text, result);
    bool judged = true; /* nothing is said of tests that have no verdict */
    for (size_t i = 0; i < result->test_count; i++) {
        judged = judged && result->tests[i].verdict != VERDICT_NONE;
    }
    bool level = found == 0 && !suite && judged; /* then the answer has the peak */
    const struct result_variant *whole = result->variant_count > 0 ? &result->variants[0] : NULL;
    if (!level && whole && text.length > 0 && !result_verdict_bad(whole->verdict) &&
        !whole->stopped_by[0] && !isnan(whole->metric[METRIC_PEAK_RSS])) {
        text_format(&text, "; the suite peaks at %s",
                    unit_bytes(size, result->variants[0].metric[METRIC_PEAK_RSS]));
    }
    if (result->sites_hidden > 0) {
        char bytes[UNIT_TEXT_BYTES];
        text_format(&text, "; %s smaller place%s not listed, %s together",
                    unit_count(size, (double)result->sites_hidden),
                    result->sites_hidden == 1 ? " is" : "s are",
                    unit_bytes(bytes, (double)result->bytes_hidden));
    }
    if (text.length > 0) {
        fputc('\n', out);
        terminal_wrapped(text.data, 0, columns, out);
    }
    text_fini(&text);
}
