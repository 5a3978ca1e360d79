/* difference_print.c - differences on a terminal. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/report/difference.h"
#include "harness/report/terminal_part.h"

#include <stdlib.h>
#include <string.h>

static const struct kind_facts {
    const char *word, *counted;
    enum table_color color;
} facts[DIFFERENCE_KINDS] = {
    [DIFFERENCE_WORSE] = {"WORSE", "worse", TABLE_RED},
    [DIFFERENCE_WARN] = {"WARN", "warnings", TABLE_YELLOW},
    [DIFFERENCE_BETTER] = {"BETTER", "better", TABLE_GREEN},
    [DIFFERENCE_NEW] = {"NEW", "new", TABLE_PLAIN},
    [DIFFERENCE_NEW_BAD] = {"NEW, BAD", "new and bad", TABLE_RED},
    [DIFFERENCE_GONE] = {"GONE", "gone", TABLE_PLAIN},
    [DIFFERENCE_UNSTABLE] = {"UNSTABLE", "unstable", TABLE_YELLOW},
};

static void difference_print(const struct difference *difference, FILE *out, unsigned columns,
                             bool color)
{
    const struct kind_facts *fact = &facts[difference->kind];
    fprintf(out, "%s%s%s  %s", table_color_begin(fact->color, color), fact->word,
            table_color_end(fact->color, color), difference->id);
    fprintf(out, difference->variant[0] ? " [%s]\n" : "%s\n", difference->variant);
    if (difference->text[0]) {
        terminal_wrapped(difference->text, 4, columns, out);
    }
    for (const char *line = difference->sites; *line;) {
        size_t length = strcspn(line, "\n");
        char *site = memory_copy_bytes(line, length);
        terminal_wrapped(site, 6, columns, out);
        free(site);
        line += length + (line[length] == '\n');
    }
}

void differences_print(const struct differences *differences, size_t most, FILE *out,
                       unsigned columns, bool color)
{
    static const enum difference_kind order[] = {
        DIFFERENCE_WORSE,  DIFFERENCE_NEW_BAD, DIFFERENCE_WARN, DIFFERENCE_UNSTABLE,
        DIFFERENCE_BETTER, DIFFERENCE_NEW,     DIFFERENCE_GONE};
    struct text line = {0};
    char number[UNIT_TEXT_BYTES];
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        size_t shown = 0;
        for (size_t i = 0; i < differences->count; i++) {
            if (differences->items[i].kind == order[k] && shown++ < most) {
                difference_print(&differences->items[i], out, columns, color);
            }
        }
        if (shown > most) {
            fprintf(out, "  and %zu more %s\n", shown - most, facts[order[k]].counted);
        }
        if (shown > 0) {
            text_format(&line, "%s%s %s", line.length ? ", " : "",
                        unit_count(number, (double)shown), facts[order[k]].counted);
        }
    }
    fputs(differences->count > 0 ? "\n" : "", out);
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
