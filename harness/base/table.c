/* table.c - see table.h. Supervisor only. */
#include "harness/base/table.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct cell {
    char *text; /* NULL: blank */
    enum table_color color;
};

struct column {
    char *title[2];
    enum table_align align;
    unsigned width;
};

struct table {
    struct column *columns;
    size_t column_count, column_room;
    struct cell *cells; /* rows of column_count */
    size_t row_count, cell_room, next;
};

struct table *table_new(void)
{
    return memory_new(1, sizeof(struct table));
}

void table_free(struct table **table)
{
    struct table *old = *table;
    *table = NULL;
    if (!old) {
        return;
    }
    for (size_t i = 0; i < old->column_count; i++) {
        free(old->columns[i].title[0]);
        free(old->columns[i].title[1]);
    }
    for (size_t i = 0; i < old->row_count * old->column_count; i++) {
        free(old->cells[i].text);
    }
    free(old->columns);
    free(old->cells);
    free(old);
}

static void widen(struct column *column, const char *text)
{
    unsigned width = text_width(text);
    column->width = width > column->width ? width : column->width;
}

void table_column(struct table *table, const char *title, enum table_align align)
{
    memory_grow(&table->columns, &table->column_room, table->column_count + 1,
                sizeof table->columns[0]);
    struct column *column = &table->columns[table->column_count++];
    size_t first = strcspn(title, "\n");
    *column = (struct column){.align = align};
    column->title[0] = memory_copy_bytes(title, first);
    column->title[1] = memory_copy(title[first] ? title + first + 1 : "");
    widen(column, column->title[0]);
    widen(column, column->title[1]);
}

void table_row(struct table *table)
{
    size_t count = table->column_count;
    memory_grow(&table->cells, &table->cell_room, (table->row_count + 1) * count,
                sizeof table->cells[0]);
    memset(&table->cells[table->row_count * count], 0, count * sizeof table->cells[0]);
    table->row_count++;
    table->next = 0;
}

void table_cell_color(struct table *table, const char *text, enum table_color color)
{
    if (table->row_count == 0 || table->next >= table->column_count) {
        return;
    }
    size_t at = (table->row_count - 1) * table->column_count + table->next;
    table->cells[at] =
        (struct cell){.text = memory_copy(text && *text ? text : "-"), .color = color};
    widen(&table->columns[table->next], table->cells[at].text);
    table->next++;
}

void table_cell(struct table *table, const char *text)
{
    table_cell_color(table, text, TABLE_PLAIN);
}

const char *table_color_begin(enum table_color color, bool wanted)
{
    static const char *const codes[] = {
        [TABLE_PLAIN] = "",          [TABLE_GREEN] = "\x1b[32m", [TABLE_RED] = "\x1b[31m",
        [TABLE_YELLOW] = "\x1b[33m", [TABLE_DIM] = "\x1b[2m",    [TABLE_BOLD] = "\x1b[1m"};
    return wanted ? codes[color] : "";
}

const char *table_color_end(enum table_color color, bool wanted)
{
    return wanted && color != TABLE_PLAIN ? "\x1b[0m" : "";
}

/* Blanks before a cell are held back, so that no line ends in blanks. */
static void cell_print(const struct column *column, const char *text, enum table_color color,
                       bool wanted, unsigned *blanks, FILE *out)
{
    unsigned width = text_width(text), fill = column->width - width;
    if (column->align == TABLE_RIGHT) {
        *blanks += fill;
    }
    if (*text) {
        fprintf(out, "%*s%s%s%s", (int)*blanks, "", table_color_begin(color, wanted), text,
                table_color_end(color, wanted));
        *blanks = 0;
    } else {
        *blanks += width;
    }
    if (column->align == TABLE_LEFT) {
        *blanks += fill;
    }
    *blanks += 2;
}

/* Prints the first column and columns [from, to). */
static void block_print(const struct table *table, size_t from, size_t to, FILE *out, bool color)
{
    for (int line = 0; line < 2; line++) {
        bool any = false;
        for (size_t i = 0; i < to; i++) {
            any = any || ((i == 0 || i >= from) && table->columns[i].title[line][0]);
        }
        unsigned blanks = 0;
        for (size_t i = 0; any && i < to; i = i == 0 ? from : i + 1) {
            cell_print(&table->columns[i], table->columns[i].title[line], TABLE_BOLD, color,
                       &blanks, out);
        }
        if (any) {
            fputc('\n', out);
        }
    }
    for (size_t row = 0; row < table->row_count; row++) {
        unsigned blanks = 0;
        for (size_t i = 0; i < to; i = i == 0 ? from : i + 1) {
            const struct cell *cell = &table->cells[row * table->column_count + i];
            cell_print(&table->columns[i], cell->text ? cell->text : "", cell->color, color,
                       &blanks, out);
        }
        fputc('\n', out);
    }
}

void table_print(const struct table *table, FILE *out, unsigned width, bool color)
{
    size_t from = 1;
    do {
        unsigned used = table->column_count ? table->columns[0].width : 0;
        size_t to = from;
        while (to < table->column_count) {
            unsigned more = used + 2 + table->columns[to].width;
            if (width > 0 && more > width && to > from) {
                break;
            }
            used = more;
            to++;
        }
        if (from > 1) {
            fputc('\n', out);
        }
        block_print(table, from, to < 1 ? 1 : to, out, color);
        from = to;
    } while (from < table->column_count);
}

unsigned table_terminal_width(FILE *out)
{
    struct winsize size;
    unsigned width = 80;
    const char *columns = getenv("COLUMNS");
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    } else if (columns && strtol(columns, NULL, 10) > 0) {
        long wanted = strtol(columns, NULL, 10);
        width = wanted > 100 ? 100 : (unsigned)wanted;
    }
    return width < 60 ? 60 : width > 100 ? 100 : width;
}
