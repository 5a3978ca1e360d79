/* difference_cause.c - see difference_cause.h. Supervisor only. */
#include "harness/report/difference_cause.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/result/result_index.h"
#include "harness/result/result_printable.h"

#include <stdlib.h>
#include <string.h>

const struct cause_kind cause_kinds[DIFFERENCE_KINDS] = {
    [DIFFERENCE_WORSE] = {"WORSE", "worse", TABLE_RED, false},
    [DIFFERENCE_WARN] = {"WARN", "warnings", TABLE_YELLOW, false},
    [DIFFERENCE_BETTER] = {"BETTER", "better", TABLE_GREEN, true},
    [DIFFERENCE_NEW] = {"NEW", "new", TABLE_PLAIN, true},
    [DIFFERENCE_NEW_BAD] = {"NEW, BAD", "new and bad", TABLE_RED, false},
    [DIFFERENCE_GONE] = {"GONE", "gone", TABLE_PLAIN, true},
    [DIFFERENCE_UNSTABLE] = {"UNSTABLE", "unstable", TABLE_YELLOW, false},
};

const enum difference_kind cause_order[CAUSE_ORDERED] = {
    DIFFERENCE_WORSE,  DIFFERENCE_NEW_BAD, DIFFERENCE_WARN, DIFFERENCE_UNSTABLE,
    DIFFERENCE_BETTER, DIFFERENCE_NEW,     DIFFERENCE_GONE};

/* A stack is found again by its functions, so the line of a place is no part of the cause. Figures
 * of a suite are its own. */
static bool cause_same(const void *context, uint64_t value, const char *first, const char *second)
{
    const struct causes *causes = context;
    const struct difference *item = causes->items[value].first;
    (void)second;
    return strcmp(item->place ? item->place->function : item->text, first) == 0;
}

void causes_make(struct causes *causes, const struct differences *differences)
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
        if (!item->suite && !causes->verbose && !cause_kinds[item->kind].brief) {
            at = result_index_add(&index, item->place ? item->place->function : item->text, key,
                                  causes->count, cause_same, causes, &fresh);
        }
        if (fresh) {
            memory_grow(&causes->items, &causes->room, causes->count + 1, sizeof causes->items[0]);
            causes->items[causes->count++] = (struct cause){.first = item, .count = 1};
        } else if (causes->items[at].first->kind == item->kind) {
            struct cause *cause = &causes->items[at];
            if (cause->count - 1 < CAUSE_NAMES) {
                cause->more[cause->count - 1] = item;
            }
            cause->count++;
        }
    }
    result_index_fini(&index);
}

void causes_fini(struct causes *causes)
{
    for (size_t i = 0; i < causes->count; i++) {
        free(causes->items[i].text);
    }
    free(causes->items);
}

void cause_name(struct text *text, const struct difference *item)
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
    for (size_t i = 0; i < more && i < CAUSE_NAMES; i++) {
        text_put(text, i > 0 ? ", " : "");
        cause_name(text, cause->more[i]);
    }
    if (more > CAUSE_NAMES) {
        text_format(text, " and %s others", unit_count(number, (double)(more - CAUSE_NAMES)));
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

void cause_rest(struct text *text, const struct cause *cause, const struct differences *differences)
{
    size_t served = served_count(differences, cause->first);
    if (cause->count > 1) {
        more_put(text, cause);
    } else if (served > 0) {
        served_put(text, served, cause->first);
    }
}

size_t cause_brief(struct text *text, const struct causes *causes, enum difference_kind kind,
                   const struct differences *differences)
{
    const struct cause *single = NULL;
    struct text names = {0};
    char number[UNIT_TEXT_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < causes->count; i++) {
        const struct difference *item = causes->items[i].first;
        if (item->kind != kind) {
            continue;
        }
        single = count == 0 ? &causes->items[i] : NULL;
        if (count++ < CAUSE_NAMES) {
            text_put(&names, count > 1 ? ", " : "");
            cause_name(&names, item);
        }
    }
    if (count > 1) {
        text_format(text, "%s: ", unit_count(number, (double)count));
    }
    text_put(text, text_peek(&names));
    if (count > CAUSE_NAMES) {
        text_format(text, " and %s more", unit_count(number, (double)(count - CAUSE_NAMES)));
    }
    if (single && single->first->text[0]) {
        text_put(text, ": ");
        printable_put(text, single->first->text);
    }
    if (single && served_count(differences, single->first) > 0) {
        text_put(text, "; ");
        cause_rest(text, single, differences);
    }
    text_fini(&names);
    return count;
}

void cause_counts(struct text *text, const struct differences *differences)
{
    char number[UNIT_TEXT_BYTES];
    size_t before = text->length;
    for (size_t k = 0; k < CAUSE_ORDERED; k++) {
        size_t count = differences->kinds[cause_order[k]];
        if (count > 0) {
            text_format(text, "%s%s %s", text->length > before ? ", " : "",
                        unit_count(number, (double)count), cause_kinds[cause_order[k]].counted);
        }
    }
    if (text->length == before) {
        text_format(text, "no difference in %s tests",
                    unit_count(number, (double)differences->compared));
    } else {
        text_format(text, ", %s the same",
                    unit_count(number, (double)(differences->compared - differences->changed)));
    }
}
