/* difference_print.c - differences on a terminal: what has one cause is one entry, and what is
 * worse comes last, where the screen ends. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/report/difference_cause.h"
#include "harness/report/terminal_part.h"
#include "harness/result/result_printable.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MOST 40 /* on a terminal, without -v */
#define LINES_END  4  /* of these, for what is hidden and for the counts */

static void cause_render(struct cause *cause, const struct differences *differences,
                         unsigned columns, bool color)
{
    const struct difference *item = cause->first;
    const struct cause_kind *fact = &cause_kinds[item->kind];
    struct text text = {0}, line = {0};
    text_format(&text, "%s%s%s  ", table_color_begin(fact->color, color), fact->word,
                table_color_end(fact->color, color));
    cause_name(&text, item);
    text_put_char(&text, '\n');
    if (item->text[0]) {
        printable_put(&line, item->text);
        text_wrap(&text, line.data, 4, columns);
    }
    for (const char *at = item->sites; *at;) {
        size_t length = strcspn(at, "\n");
        char *site = memory_copy_bytes(at, length);
        text_reset(&line);
        printable_put(&line, site);
        text_wrap(&text, line.data, 6, columns);
        free(site);
        at += length + (at[length] == '\n');
    }
    text_reset(&line);
    cause_rest(&line, cause, differences);
    if (line.length > 0) {
        text_wrap(&text, line.data, 4, columns);
    }
    text_fini(&line);
    for (const char *at = text.data; *at; at++) {
        cause->lines += *at == '\n';
    }
    cause->text = text_take(&text);
}

/* All of a brief kind in one line. NULL: there is none. */
static char *brief_render(const struct causes *causes, enum difference_kind kind,
                          const struct differences *differences, unsigned columns, bool color)
{
    const struct cause_kind *fact = &cause_kinds[kind];
    struct text text = {0}, line = {0}, wrapped = {0};
    unsigned indent = (unsigned)strlen(fact->word) + 2;
    if (cause_brief(&line, causes, kind, differences) == 0) {
        text_fini(&line);
        return NULL;
    }
    text_format(&text, "%s%s%s  ", table_color_begin(fact->color, color), fact->word,
                table_color_end(fact->color, color));
    text_wrap(&wrapped, line.data, indent, columns);
    text_put(&text, wrapped.data + indent);
    text_fini(&wrapped);
    text_fini(&line);
    return text_take(&text);
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* Renders as many as there is room for, the most important first. Returns how many are hidden. */
static size_t causes_render(struct causes *causes, const struct differences *differences,
                            size_t room, unsigned columns, bool color)
{
    size_t hidden = 0;
    for (size_t k = 0; k < CAUSE_ORDERED; k++) {
        for (size_t i = 0; i < causes->count; i++) {
            struct cause *cause = &causes->items[i];
            if (cause->first->kind != cause_order[k] ||
                (cause_kinds[cause_order[k]].brief && !causes->verbose)) {
                continue;
            }
            if (causes->verbose || room > 2) { /* no entry has less lines */
                cause_render(cause, differences, columns, color);
            }
            cause->shown = cause->text && (causes->verbose || cause->lines <= room);
            room -= cause->shown && !causes->verbose ? cause->lines : 0;
            hidden += !cause->shown;
        }
    }
    return hidden;
}

void differences_print(const struct differences *differences, bool verbose, FILE *out,
                       unsigned columns, bool color)
{
    struct causes causes = {.verbose = verbose};
    char *brief[DIFFERENCE_KINDS] = {NULL};
    size_t room = LINES_MOST - LINES_END;
    causes_make(&causes, differences);
    for (size_t k = 0; k < CAUSE_ORDERED && !verbose; k++) {
        if (cause_kinds[cause_order[k]].brief) {
            brief[cause_order[k]] =
                brief_render(&causes, cause_order[k], differences, columns, color);
            room -= brief[cause_order[k]] ? lines_of(brief[cause_order[k]]) : 0;
        }
    }
    size_t hidden = causes_render(&causes, differences, room, columns, color);
    for (size_t k = CAUSE_ORDERED; k-- > 0;) {
        if (brief[cause_order[k]]) {
            fputs(brief[cause_order[k]], out);
        }
        for (size_t i = causes.count; i-- > 0;) {
            if (causes.items[i].shown && causes.items[i].first->kind == cause_order[k]) {
                fputs(causes.items[i].text, out);
            }
        }
        free(brief[cause_order[k]]);
    }
    if (hidden > 0) {
        fprintf(out, "  and %zu more cause%s; -v shows all, test by test\n", hidden,
                hidden == 1 ? "" : "s");
    }
    fputs(differences->count > 0 ? "\n" : "", out);
    struct text counts = {0};
    cause_counts(&counts, differences);
    terminal_wrapped(counts.data, 0, columns, out);
    text_fini(&counts);
    causes_fini(&causes);
}
