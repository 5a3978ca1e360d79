/* difference_print.c - differences on a terminal: what has one cause is one entry, and what is
 * worse comes last, where the screen ends. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/report/difference.h"
#include "harness/report/terminal_part.h"
#include "harness/result/result_index.h"
#include "harness/result/result_printable.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MOST  40 /* on a terminal, without -v */
#define LINES_END   4  /* of these, for what is hidden and for the counts */
#define NAMES_SHOWN 3
#define ORDERED     7

static const struct kind_facts {
    const char *word, *counted;
    enum table_color color;
    bool brief; /* one line for all of them */
} facts[DIFFERENCE_KINDS] = {
    [DIFFERENCE_WORSE] = {"WORSE", "worse", TABLE_RED, false},
    [DIFFERENCE_WARN] = {"WARN", "warnings", TABLE_YELLOW, false},
    [DIFFERENCE_BETTER] = {"BETTER", "better", TABLE_GREEN, true},
    [DIFFERENCE_NEW] = {"NEW", "new", TABLE_PLAIN, true},
    [DIFFERENCE_NEW_BAD] = {"NEW, BAD", "new and bad", TABLE_RED, false},
    [DIFFERENCE_GONE] = {"GONE", "gone", TABLE_PLAIN, true},
    [DIFFERENCE_UNSTABLE] = {"UNSTABLE", "unstable", TABLE_YELLOW, false},
};

/* Most important first. */
static const enum difference_kind order[ORDERED] = {
    DIFFERENCE_WORSE,  DIFFERENCE_NEW_BAD, DIFFERENCE_WARN, DIFFERENCE_UNSTABLE,
    DIFFERENCE_BETTER, DIFFERENCE_NEW,     DIFFERENCE_GONE};

struct cause { /* differences of one kind at one place, or in the same figures */
    const struct difference *first;
    const struct difference *more[NAMES_SHOWN]; /* after the first */
    size_t count;
    char *text; /* as it is shown, once it is */
    size_t lines;
    bool shown;
};

struct causes {
    struct cause *items;
    size_t count, room;
    bool verbose;
};

/* A stack is found again by its functions, so the line of a place is no part of the cause. Figures
 * of a suite are its own. */
static bool cause_same(const void *context, uint64_t value, const char *first, const char *second)
{
    const struct causes *causes = context;
    const struct difference *item = causes->items[value].first;
    (void)second;
    return strcmp(item->place ? item->place->function : item->text, first) == 0;
}

static void causes_make(struct causes *causes, const struct differences *differences)
{
    struct result_index index = {0};
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *item = &differences->items[i];
        char key[32];
        bool fresh = true;
        uint64_t at = causes->count;
        if (item->served && !causes->verbose) {
            continue; /* said with the suite */
        }
        snprintf(key, sizeof key, "%d %d", (int)item->kind, item->place != NULL);
        if (!item->suite && !causes->verbose && !facts[item->kind].brief) {
            at = result_index_add(&index, item->place ? item->place->function : item->text, key,
                                  causes->count, cause_same, causes, &fresh);
        }
        if (fresh) {
            memory_grow(&causes->items, &causes->room, causes->count + 1, sizeof causes->items[0]);
            causes->items[causes->count++] = (struct cause){.first = item, .count = 1};
        } else if (causes->items[at].first->kind == item->kind) {
            struct cause *cause = &causes->items[at];
            if (cause->count - 1 < NAMES_SHOWN) {
                cause->more[cause->count - 1] = item;
            }
            cause->count++;
        }
    }
    result_index_fini(&index);
}

static void causes_free(struct causes *causes)
{
    for (size_t i = 0; i < causes->count; i++) {
        free(causes->items[i].text);
    }
    free(causes->items);
}

static void name_put(struct text *text, const struct difference *item)
{
    printable_put(text, item->id);
    if (item->variant[0]) {
        text_put(text, " [");
        printable_put(text, item->variant);
        text_put_char(text, ']');
    }
}

/* "and 199 more tests there: a, b, c and 196 others". */
static void more_put(struct text *text, const struct cause *cause)
{
    char number[UNIT_TEXT_BYTES];
    size_t more = cause->count - 1;
    text_format(text, "and %s more test%s %s: ", unit_count(number, (double)more),
                more == 1 ? "" : "s", cause->first->place ? "at this place" : "by the same");
    for (size_t i = 0; i < more && i < NAMES_SHOWN; i++) {
        text_put(text, i > 0 ? ", " : "");
        name_put(text, cause->more[i]);
    }
    if (more > NAMES_SHOWN) {
        text_format(text, " and %s others", unit_count(number, (double)(more - NAMES_SHOWN)));
    }
}

/* How many tests allocate less, or more, for what their suite keeps. */
static size_t served_count(const struct differences *differences, const struct difference *suite)
{
    size_t count = 0;
    for (size_t i = 0; suite->suite && i < differences->count; i++) {
        count += differences->items[i].served &&
                 strcmp(differences->items[i].variant, suite->variant) == 0;
    }
    return count;
}

static void served_put(struct text *text, size_t count, const struct difference *suite)
{
    char number[UNIT_TEXT_BYTES];
    const char *what = suite->kind == DIFFERENCE_WORSE
                           ? "less: served from what the suite keeps"
                           : "more: no longer served from what the suite kept";
    text_format(text, "%s test%s %s", unit_count(number, (double)count), count == 1 ? "" : "s",
                count == 1 ? "allocates " : "allocate ");
    text_put(text, what);
}

static void line_put(struct text *text, const char *line, unsigned indent, unsigned columns)
{
    text_wrap(text, line, indent, columns);
}

static void cause_render(struct cause *cause, const struct differences *differences,
                         unsigned columns, bool color)
{
    const struct difference *item = cause->first;
    const struct kind_facts *fact = &facts[item->kind];
    struct text text = {0}, line = {0};
    text_format(&text, "%s%s%s  ", table_color_begin(fact->color, color), fact->word,
                table_color_end(fact->color, color));
    name_put(&text, item);
    text_put_char(&text, '\n');
    if (item->text[0]) {
        printable_put(&line, item->text);
        line_put(&text, line.data, 4, columns);
    }
    for (const char *at = item->sites; *at;) {
        size_t length = strcspn(at, "\n");
        char *site = memory_copy_bytes(at, length);
        text_reset(&line);
        printable_put(&line, site);
        line_put(&text, line.data, 6, columns);
        free(site);
        at += length + (at[length] == '\n');
    }
    size_t served = served_count(differences, item);
    text_reset(&line);
    if (cause->count > 1) {
        more_put(&line, cause);
    } else if (served > 0) {
        served_put(&line, served, item);
    }
    if (line.length > 0) {
        line_put(&text, line.data, 4, columns);
    }
    text_fini(&line);
    for (const char *at = text.data; *at; at++) {
        cause->lines += *at == '\n';
    }
    cause->text = text_take(&text);
}

/* "BETTER  3 tests: a, b and 1 more"; a single one with what is better. NULL: there is none. */
static char *brief_render(const struct causes *causes, enum difference_kind kind,
                          const struct differences *differences, unsigned columns, bool color)
{
    const struct kind_facts *fact = &facts[kind];
    const struct cause *single = NULL;
    struct text text = {0}, line = {0}, wrapped = {0};
    size_t count = 0;
    for (size_t i = 0; i < causes->count; i++) {
        const struct difference *item = causes->items[i].first;
        if (item->kind != kind) {
            continue;
        }
        single = count == 0 ? &causes->items[i] : NULL;
        if (count++ < NAMES_SHOWN) {
            text_put(&line, count > 1 ? ", " : "");
            name_put(&line, item);
        }
    }
    if (count == 0) {
        return NULL;
    }
    char number[UNIT_TEXT_BYTES];
    if (count > NAMES_SHOWN) {
        text_format(&line, " and %s more", unit_count(number, (double)(count - NAMES_SHOWN)));
    }
    size_t served = single ? served_count(differences, single->first) : 0;
    if (single && single->first->text[0]) {
        text_put(&line, ": ");
        printable_put(&line, single->first->text);
    }
    if (served > 0) {
        text_put(&line, "; ");
        served_put(&line, served, single->first);
    }
    struct text whole = {0};
    unsigned indent = (unsigned)strlen(fact->word) + 2;
    if (count > 1) {
        text_format(&whole, "%s: ", unit_count(number, (double)count));
    }
    text_put(&whole, line.data);
    text_format(&text, "%s%s%s  ", table_color_begin(fact->color, color), fact->word,
                table_color_end(fact->color, color));
    text_wrap(&wrapped, whole.data, indent, columns);
    text_put(&text, wrapped.data + indent);
    text_fini(&wrapped);
    text_fini(&whole);
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
    for (size_t k = 0; k < ORDERED; k++) {
        for (size_t i = 0; i < causes->count; i++) {
            struct cause *cause = &causes->items[i];
            if (cause->first->kind != order[k] || (facts[order[k]].brief && !causes->verbose)) {
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

static void counts_print(const struct differences *differences, FILE *out, unsigned columns)
{
    struct text line = {0};
    char number[UNIT_TEXT_BYTES];
    for (size_t k = 0; k < ORDERED; k++) {
        size_t count = differences->kinds[order[k]];
        if (count > 0) {
            text_format(&line, "%s%s %s", line.length ? ", " : "",
                        unit_count(number, (double)count), facts[order[k]].counted);
        }
    }
    if (line.length == 0) {
        fprintf(out, "no difference in %s tests\n",
                unit_count(number, (double)differences->compared));
    } else {
        text_format(&line, ", %s the same",
                    unit_count(number, (double)(differences->compared - differences->changed)));
        terminal_wrapped(line.data, 0, columns, out);
    }
    text_fini(&line);
}

void differences_print(const struct differences *differences, bool verbose, FILE *out,
                       unsigned columns, bool color)
{
    struct causes causes = {.verbose = verbose};
    char *brief[DIFFERENCE_KINDS] = {NULL};
    size_t room = LINES_MOST - LINES_END;
    causes_make(&causes, differences);
    for (size_t k = 0; k < ORDERED && !verbose; k++) {
        if (facts[order[k]].brief) {
            brief[order[k]] = brief_render(&causes, order[k], differences, columns, color);
            room -= brief[order[k]] ? lines_of(brief[order[k]]) : 0;
        }
    }
    size_t hidden = causes_render(&causes, differences, room, columns, color);
    for (size_t k = ORDERED; k-- > 0;) {
        if (brief[order[k]]) {
            fputs(brief[order[k]], out);
        }
        for (size_t i = causes.count; i-- > 0;) {
            if (causes.items[i].shown && causes.items[i].first->kind == order[k]) {
                fputs(causes.items[i].text, out);
            }
        }
        free(brief[order[k]]);
    }
    if (hidden > 0) {
        fprintf(out, "  and %zu more cause%s; -v shows all, test by test\n", hidden,
                hidden == 1 ? "" : "s");
    }
    fputs(differences->count > 0 ? "\n" : "", out);
    counts_print(differences, out, columns);
    causes_free(&causes);
}
