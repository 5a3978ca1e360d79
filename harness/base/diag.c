/* diag.c - see diag.h. Supervisor and build tools only. */
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void diag_init(struct diag *diag)
{
    *diag = (struct diag){0};
}

void diag_fini(struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++) {
        free(diag->items[i].file);
        free(diag->items[i].text);
    }
    free(diag->items);
    *diag = (struct diag){0};
}

void diag_add(struct diag *diag, const char *file, unsigned line, unsigned column,
              const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = memory_format_list(format, list);
    va_end(list);
    memory_grow(&diag->items, &diag->room, diag->count + 1, sizeof diag->items[0]);
    diag->items[diag->count++] = (struct diag_item){
        .file = memory_copy(file ? file : ""), .line = line, .column = column, .text = text};
}

/* By file, line, column; those of the same place in the order they were added (qsort is not stable,
 * but the addresses of the array of pointers are ordered by age). */
static int item_compare(const void *left, const void *right)
{
    const struct diag_item *a = *(const struct diag_item *const *)left;
    const struct diag_item *b = *(const struct diag_item *const *)right;
    int files = strcmp(a->file, b->file);
    if (files != 0) {
        return files;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->column != b->column) {
        return a->column < b->column ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

/* Whatever stands in a file that is complained of: control characters as \\xNN. Ends of lines are
 * those of whoever made the text. */
static void printable_put(FILE *out, const char *string)
{
    struct text text = {0};
    for (const char *at = string; *at;) {
        size_t length = strcspn(at, "\n");
        text_put_printable(&text, at, length);
        text_put(&text, at[length] ? "\n" : "");
        at += length + (at[length] != '\0');
    }
    fputs(text_peek(&text), out);
    text_fini(&text);
}

#define DIAG_SHOWN 100 /* of a file that is something else altogether */

void diag_print(const struct diag *diag, FILE *out)
{
    const struct diag_item **order = memory_new(diag->count, sizeof(const struct diag_item *));
    for (size_t i = 0; i < diag->count; i++) {
        order[i] = &diag->items[i];
    }
    qsort(order, diag->count, sizeof(const struct diag_item *), item_compare);
    size_t shown = diag->count > DIAG_SHOWN ? DIAG_SHOWN : diag->count;
    for (size_t i = 0; i < shown; i++) {
        const struct diag_item *item = order[i];
        if (item->file[0]) {
            printable_put(out, item->file);
            if (item->line) {
                fprintf(out, ":%u", item->line);
            }
            if (item->line && item->column) {
                fprintf(out, ":%u", item->column);
            }
            fputs(": ", out);
        }
        printable_put(out, item->text);
        fputc('\n', out);
    }
    if (shown < diag->count) {
        fprintf(out, "%zu more mistakes\n", diag->count - shown);
    }
    free(order);
}

/* Optimal string alignment distance over three rows; words here are short. */
#define NEAREST_MAX 63

static size_t distance(const char *left, size_t n, const char *right, size_t m)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *one = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            int a = tolower((unsigned char)left[i - 1]), b = tolower((unsigned char)right[j - 1]);
            size_t best = one[j - 1] + (a != b);
            best = one[j] + 1 < best ? one[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a == tolower((unsigned char)right[j - 2]) &&
                b == tolower((unsigned char)left[i - 2]) && two[j - 2] + 1 < best) {
                best = two[j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

/* Letters that both begin with: of two words as near, who forgot the end of one meant that one. */
static size_t alike(const char *left, const char *right)
{
    size_t i = 0;
    while (left[i] && tolower((unsigned char)left[i]) == tolower((unsigned char)right[i])) {
        i++;
    }
    return i;
}

const char *diag_nearest(const char *text, const char *const *words, size_t count)
{
    size_t length = strlen(text), least = SIZE_MAX;
    const char *nearest = NULL;
    if (length == 0 || length > NEAREST_MAX) {
        return NULL;
    }
    /* A third of the length, but one slip in a word of two letters is a slip too. */
    size_t most = length / 3 > 0 ? length / 3 : 1;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        if (other > NEAREST_MAX) {
            continue;
        }
        size_t found = distance(text, length, words[i], other);
        bool better = found < least ||
                      (found == least && nearest && alike(text, words[i]) > alike(text, nearest));
        if (found <= most && better && found < other && strcmp(text, words[i]) != 0) {
            least = found;
            nearest = words[i];
        }
    }
    return nearest;
}

char *diag_suggestion(const char *text, const char *const *words, size_t count)
{
    const char *nearest = diag_nearest(text, words, count);
    if (nearest) {
        return memory_format("; did you mean '%s'?", nearest);
    }
    char *said = memory_copy("");
    for (size_t i = 0; i < count; i++) {
        char *before = said;
        said = memory_format("%s%s%s", before, i ? ", " : "; one of ", words[i]);
        free(before);
    }
    return said;
}
