/* compare_pairs.c - see compare_pairs.h. Supervisor only. */
#include "harness/cli/compare_pairs.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/judge/shift_fold.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define NARROW 0.015

/* "+3.1 %" */
static void percent_cell(struct table *table, double ratio)
{
    char text[64];
    snprintf(text, sizeof text, "%+.1f %%", (ratio - 1) * 100);
    table_cell(table, strcmp(text, "-0.0 %") == 0 ? "+0.0 %" : text);
}

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median_of(const double *values, size_t count)
{
    double sorted[SHIFT_PAIRS_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, double_compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* One measure of all pairs, those that are too many taken together. Returns how many are left. */
static size_t values_take(const struct pair_run *runs, size_t pairs, enum pair_measure m,
                          double folded[SHIFT_PAIRS_MAX])
{
    double *values = memory_new(pairs, sizeof *values);
    for (size_t i = 0; i < pairs; i++) {
        values[i] = runs[i].value[m];
    }
    size_t count = shift_fold(values, pairs, folded);
    free(values);
    return count;
}

static struct shift shift_of(const struct pair_run *a, const struct pair_run *b, size_t pairs,
                             enum pair_measure m)
{
    double x[SHIFT_PAIRS_MAX], y[SHIFT_PAIRS_MAX];
    size_t count = values_take(a, pairs, m, x);
    values_take(b, pairs, m, y);
    return shift_of_pairs(x, y, count, 0.05 / PAIR_MEASURES); /* all three together: 5 % */
}

/* The interval of one of the times is narrow: a difference of 3 % lies beyond it. Its width
 * decides, not where it lies, so that going on does not look for a difference until there is one.
 */
bool compare_pairs_narrow(const struct pair_run *a, const struct pair_run *b, size_t pairs)
{
    struct shift wall = shift_of(a, b, pairs, PAIR_WALL), cpu = shift_of(a, b, pairs, PAIR_CPU);
    return wall.high - wall.low <= NARROW || cpu.high - cpu.low <= NARROW;
}

bool compare_pairs_sure(const struct pair_run *a, const struct pair_run *b, size_t pairs)
{
    for (int m = 0; m < PAIR_MEASURES; m++) {
        if (shift_of(a, b, pairs, (enum pair_measure)m).verdict == SHIFT_UNSURE) {
            return false;
        }
    }
    return true;
}

static const struct measure_facts {
    const char *name, *more, *less;
} facts[PAIR_MEASURES] = {[PAIR_WALL] = {"wall time", "slower", "faster"},
                          [PAIR_CPU] = {"CPU time", "slower", "faster"},
                          [PAIR_RSS] = {"peak RSS", "larger", "smaller"}};

/* "no difference", or "unsure: about 300 more pairs would tell". */
static void verdict_put(struct text *text, const struct measure_facts *fact,
                        const struct shift *shift, size_t pairs)
{
    char number[UNIT_TEXT_BYTES];
    size_t more = shift_more_pairs(shift, pairs);
    switch (shift->verdict) {
    case SHIFT_MORE:
        text_put(text, fact->more);
        break;
    case SHIFT_LESS:
        text_put(text, fact->less);
        break;
    case SHIFT_NONE:
        text_put(text, "no difference");
        break;
    case SHIFT_UNSURE:
        if (more == SHIFT_NEVER) {
            text_put(text, "unsure: at the threshold");
        } else {
            text_format(text, "unsure: ~%s more pairs", unit_count(number, (double)more));
        }
        break;
    }
}

static void row_print(struct table *table, enum pair_measure m, const struct pair_run *a,
                      const struct pair_run *b, size_t pairs, const struct shift *shift)
{
    struct text verdict = {0};
    char number[UNIT_TEXT_BYTES];
    table_row(table);
    table_cell(table, facts[m].name);
    for (int side = 0; side < 2; side++) {
        double values[SHIFT_PAIRS_MAX];
        size_t count = values_take(side ? b : a, pairs, m, values);
        double median = median_of(values, count);
        table_cell(table, m == PAIR_RSS ? unit_bytes(number, median) : unit_ns(number, median));
    }
    percent_cell(table, shift->ratio);
    percent_cell(table, shift->low);
    percent_cell(table, shift->high);
    verdict_put(&verdict, &facts[m], shift, pairs);
    table_cell_color(table, verdict.data,
                     shift->verdict == SHIFT_MORE     ? TABLE_RED
                     : shift->verdict == SHIFT_LESS   ? TABLE_GREEN
                     : shift->verdict == SHIFT_UNSURE ? TABLE_YELLOW
                                                      : TABLE_PLAIN);
    text_fini(&verdict);
}

/* "status 3", "SIGSEGV" */
static void end_put(struct text *text, int status)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        text_format(text, "SIG%s", name ? name : "?");
    } else {
        text_format(text, "status %d", WEXITSTATUS(status));
    }
}

/* Each command ends in one way every time, or nothing is compared. */
static void ends_print(int base, int head, struct compare_pairs *found)
{
    struct text text = {0};
    bool both = base != 0 && head != 0;
    if (base == 0 && head == 0) {
        return;
    }
    end_put(&text, base);
    if (base != head) {
        text_put(&text, both ? ", " : " -> ");
        end_put(&text, head);
    }
    found->worse += base == 0;
    if (both) {
        printf("note: both fail: %s\n", text.data);
    } else {
        printf("%s  how they end: %s\n", base == 0 ? "WORSE" : "BETTER", text.data);
    }
    text_fini(&text);
}

struct compare_pairs compare_pairs_print(const struct pair_run *a, const struct pair_run *b,
                                         size_t pairs, unsigned columns, bool color)
{
    struct compare_pairs found = {0};
    struct table *table = table_new();
    static const char *const titles[] = {"base", "head", "change", "from", "to"};
    table_column(table, "", TABLE_LEFT);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        table_column(table, titles[i], TABLE_RIGHT);
    }
    table_column(table, "verdict", TABLE_LEFT);
    for (int m = 0; m < PAIR_MEASURES; m++) {
        struct shift shift = shift_of(a, b, pairs, (enum pair_measure)m);
        row_print(table, (enum pair_measure)m, a, b, pairs, &shift);
        found.worse += shift.verdict == SHIFT_MORE;
        found.unsure += shift.verdict == SHIFT_UNSURE;
        found.same += shift.verdict == SHIFT_NONE || shift.verdict == SHIFT_LESS;
    }
    table_print(table, stdout, columns, color);
    table_free(&table);
    printf("\n%zu pairs, run A B B A; median shift, and what it lies between; different where all "
           "of it lies\nbeyond 1 %%, no difference where all of it lies within, else unsure\n\n",
           pairs);
    ends_print(a[0].status, b[0].status, &found);
    return found;
}
