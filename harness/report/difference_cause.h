/* difference_cause.h - differences by what caused them: tests that changed at one place, or in the
 * same figures, are one entry. For the terminal and for Markdown. Supervisor only. */
#ifndef REPORT_DIFFERENCE_CAUSE_H
#define REPORT_DIFFERENCE_CAUSE_H

#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/report/difference.h"

#define CAUSE_NAMES   3 /* of the tests after the first that are named */
#define CAUSE_ORDERED 7

struct cause_kind {
    const char *word, *counted; /* "WORSE", "worse" */
    enum table_color color;
    bool brief; /* one line for all of them */
};
extern const struct cause_kind cause_kinds[DIFFERENCE_KINDS];
/* Most important first. */
extern const enum difference_kind cause_order[CAUSE_ORDERED];

struct cause {
    const struct difference *first;
    const struct difference *more[CAUSE_NAMES]; /* after the first */
    size_t count;
    char *text; /* as a terminal shows it, once it does */
    size_t lines;
    bool shown;
};

struct causes {
    struct cause *items;
    size_t count, room;
    bool verbose; /* each difference is an entry of its own */
};

void causes_make(struct causes *causes, const struct differences *differences);
void causes_fini(struct causes *causes);

/* "s/c/a [lru]", printable. */
void cause_name(struct text *text, const struct difference *item);
/* What is said after the first test: "and 199 more tests at this place: a, b, c and 196 others", or
 * "200 tests allocate less: served from what the suite keeps"; nothing if there is nothing to say.
 */
void cause_rest(struct text *text, const struct cause *cause,
                const struct differences *differences);
/* "3: a, b, c and 4 more", a single one with what changed, for a brief kind. Returns how many there
 * are. */
size_t cause_brief(struct text *text, const struct causes *causes, enum difference_kind kind,
                   const struct differences *differences);
/* "1 worse, 2 better, 3 the same", or that there is no difference. */
void cause_counts(struct text *text, const struct differences *differences);

#endif
