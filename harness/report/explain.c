/* explain.c - see explain.h. */
#include "harness/report/explain.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/location.h"
#include "harness/report/terminal_part.h"
#include "harness/report/terminal_plot.h"
#include "harness/report/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SITES_MAX    5
#define SOURCE_LINES 2   /* around the one that is marked */
#define LINE_BYTES   512 /* of a source line that are read */

static void heading(const char *text, FILE *out, bool color)
{
    fprintf(out, "\n%s%s%s\n", table_color_begin(TABLE_BOLD, color), text,
            table_color_end(TABLE_BOLD, color));
}

/* A sentence of its own: "grows 56 B a repetition" becomes "Grows 56 B a repetition." */
static void sentence(const char *text, FILE *out, unsigned columns)
{
    struct text whole = {0};
    text_format(&whole, "%c%s.", toupper((unsigned char)text[0]), text[0] ? text + 1 : "");
    terminal_wrapped(whole.data, 4, columns, out);
    text_fini(&whole);
}

/* "    > 12 |     struct session *s = malloc(56);", and the lines around it. */
static void source_print(const struct result_frame *frame, FILE *out, unsigned columns)
{
    FILE *source = frame && frame->file[0] && frame->line > 0 ? location_open(frame->file) : NULL;
    char line[LINE_BYTES];
    unsigned number = 1;
    if (!source) {
        return;
    }
    fprintf(out, "\n    %s\n", location_relative(frame->file));
    while (number <= frame->line + SOURCE_LINES && fgets(line, sizeof line, source)) {
        size_t length = strcspn(line, "\n");
        bool whole = line[length] == '\n';
        if (number + SOURCE_LINES >= frame->line) {
            struct text shown = {0};
            text_format(&shown, "    %c %5u | ", number == frame->line ? '>' : ' ', number);
            for (size_t i = 0; i < length; i++) {
                if (line[i] == '\t') {
                    text_put(&shown, "    ");
                } else {
                    text_put_printable(&shown, &line[i], strcspn(line + i, "\t\n"));
                    i += strcspn(line + i, "\t\n") - 1;
                }
            }
            fprintf(out, "%.*s\n", (int)text_fit(shown.data, columns), shown.data);
            text_fini(&shown);
        }
        while (!whole && fgets(line, sizeof line, source)) {
            whole = strchr(line, '\n') != NULL;
        }
        number++;
    }
    fclose(source);
}

/* Every place with its figures, and the source of its innermost line of the program. */
static void places_print(const struct result *result, const char *test, const char *variant,
                         unsigned repetitions, FILE *out, unsigned columns)
{
    const struct result_site *site;
    size_t next = 0;
    terminal_sites(result, test, variant, repetitions, SITES_MAX, out, columns);
    site = describe_site_next(result, test, variant, &next);
    if (site) {
        source_print(location_frame(site->frames, site->frame_count), out, columns);
    }
}

static void word_print(const struct word *word, FILE *out, unsigned columns, bool color)
{
    if (!word) {
        return;
    }
    heading("What that means", out, color);
    sentence(word->means, out, columns);
    if (word->doubt[0]) {
        heading("When it would be wrong", out, color);
        struct text text = {0};
        text_format(&text, "if %s", word->doubt);
        sentence(text.data, out, columns);
        text_fini(&text);
    }
    if (word->action[0]) {
        heading("What to do", out, color);
        sentence(word->action, out, columns);
    }
}

/* "tidemark hunt OPTIONS -- PROGRAM": what else was asked of the result's own command, as the file
 * that it wrote, is not repeated. */
static void command_print(const struct result *result, const char *options, const char *about,
                          FILE *out)
{
    const char *program = strstr(result->argv, " -- ");
    if (result_is_hunt(result) && program) {
        fprintf(out, "    tidemark hunt %s%s\n        %s\n", options, program, about);
    }
}

static void next_print(const struct result *result, const char *test, bool finding,
                       const char *path, FILE *out, bool color)
{
    struct text only = {0}, options = {0}, file = {0};
    text_put_shell(&file, path);
    if (test[0]) {
        text_put(&only, "--only ");
        text_put_shell(&only, test);
        text_put_char(&only, ' ');
    }
    heading("What to type next", out, color);
    text_format(&options, "%s--budget 2min", text_peek(&only));
    command_print(result, options.data, "the same with more repetitions", out);
    if (finding) {
        text_reset(&options);
        text_format(&options, "%s--suppress-out known.supp", text_peek(&only));
        command_print(result, options.data, "a rule that silences it, if it is meant to be so",
                      out);
    }
    fprintf(out, "    tidemark report %s --html page.html\n        all of it, for a browser\n",
            file.data);
    text_fini(&only);
    text_fini(&options);
    text_fini(&file);
}

static void curve_print(const struct result_test *test, FILE *out, unsigned columns, bool color)
{
    struct text drawn = {0};
    if (test->live_by_rep_count < 3) {
        return;
    }
    heading("Live memory after each repetition", out, color);
    if (!terminal_plot(test->live_by_rep, test->live_at_rep, test->live_by_rep_count, "repetitions",
                       out, columns)) {
        char size[UNIT_TEXT_BYTES];
        text_format(&drawn, "always %s", unit_bytes(size, (double)test->live_by_rep[0]));
        sentence(drawn.data, out, columns);
    }
    text_fini(&drawn);
}

void explain_test(const struct result *result, const struct result_test *test, const char *path,
                  FILE *out, unsigned columns, bool color)
{
    struct text text = {0};
    bool passed = test->status == RESULT_PASS;
    fprintf(out, test->variant[0] ? "%s [%s]\n" : "%s\n", test->id, test->variant);
    describe_test(&text, result, test);
    sentence(text_peek(&text), out, columns);
    text_fini(&text);
    if (passed) {
        curve_print(test, out, columns, color);
    }
    heading(passed ? "What stays" : "Where it was", out, color);
    terminal_stack("stack", test->frames, test->frame_count, out, columns);
    if (!passed) {
        source_print(location_frame(test->frames, test->frame_count), out, columns);
    }
    places_print(result, test->id, test->variant, test->repetitions, out, columns);
    size_t next = 0;
    if (passed && !describe_site_next(result, test->id, test->variant, &next)) {
        fprintf(out, "    Nothing that is known.\n");
    }
    terminal_errors(test, out, columns);
    if (test->horizon[0]) {
        heading("What that rests on", out, color);
        sentence(test->horizon, out, columns);
    }
    const char *verdict =
        test->verdict == VERDICT_NONE ? "not judged" : result_verdict_name(test->verdict);
    word_print(passed ? word_find("verdict", verdict)
                      : word_find("status", result_status_name(test->status)),
               out, columns, color);
    next_print(result, test->id, describe_test_finding(result, test), path, out, color);
}

void explain_suite(const struct result *result, const struct result_variant *variant,
                   const char *path, FILE *out, unsigned columns, bool color)
{
    struct text text = {0};
    fprintf(out, variant->name[0] ? "The whole suite [%s]\n" : "The whole suite\n", variant->name);
    describe_variant(&text, result, variant);
    sentence(text.length > 0 ? text.data : describe_verdict_verb(variant->verdict), out, columns);
    text_fini(&text);
    heading("What stays", out, color);
    places_print(result, "", variant->name, 0, out, columns);
    size_t next = 0;
    if (!describe_site_next(result, "", variant->name, &next)) {
        fprintf(out, "    Nothing that is known.\n");
    }
    if (variant->horizon[0]) {
        heading("What that rests on", out, color);
        sentence(variant->horizon, out, columns);
    }
    word_print(word_find("verdict", variant->verdict == VERDICT_NONE
                                        ? "not judged"
                                        : result_verdict_name(variant->verdict)),
               out, columns, color);
    next_print(result, "", result_verdict_bad(variant->verdict), path, out, color);
}
