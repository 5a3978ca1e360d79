/*
 * table.h - a table on a terminal: numbers right-aligned, a dash for what is missing, UTF-8
 * measured in columns. A table wider than the terminal is folded: the first column is repeated and
 * the columns that did not fit follow in a second block below, so nothing is lost at 80 columns.
 * Supervisor only; memory as memory.h.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };
enum table_color { TABLE_PLAIN, TABLE_GREEN, TABLE_RED, TABLE_YELLOW, TABLE_DIM, TABLE_BOLD };

struct table;

struct table *table_new(void);
void table_free(struct table **table);

/* All columns before the first row. The title may hold one '\n' for a second header line. */
void table_column(struct table *table, const char *title, enum table_align align);
void table_row(struct table *table);
/* The next cell of the row; NULL or "" is a dash. Text is copied. Missing cells are left blank. */
void table_cell(struct table *table, const char *text);
void table_cell_color(struct table *table, const char *text, enum table_color color);
/* `width` columns at most where a fold can do it; 0: never fold. */
void table_print(const struct table *table, FILE *out, unsigned width, bool color);

/* Columns of the terminal at `out`, or of COLUMNS, between 60 and 100; 80 where unknown. */
unsigned table_terminal_width(FILE *out);

/* "\x1b[..m" or "" without colour; ends with color_end. */
const char *table_color_begin(enum table_color color, bool wanted);
const char *table_color_end(enum table_color color, bool wanted);

#endif
