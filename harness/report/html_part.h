/* html_part.h - what html.c puts together. All write to the page; text is escaped there. Supervisor
 * only. */
#ifndef REPORT_HTML_PART_H
#define REPORT_HTML_PART_H

#include "harness/base/text.h"
#include "harness/result/result.h"

#include <stdio.h>

/* Tests in the order of the page: findings first, then as they ran; at most HTML_TESTS. */
#define HTML_TESTS  20000
#define HTML_STATIC 300 /* of them as rows that need no script */

/* A curve of at most this many points. */
#define HTML_POINTS 256

/* The header: the answer, the facts, the counts, links. */
void html_head(const struct result *result, FILE *out);
/* Is there something to draw over the suite? */
bool html_memory_known(const struct result *result);
/* A paragraph of that class; nothing for "". */
void html_paragraph(const char *class_, const char *text, FILE *out);
/* A text with the names of tests in it, which may be broken after '/' and '_' and nowhere else. */
void html_name(const char *name, FILE *out);

/* Live heap and peak RSS over the suite, a line a variant, with the cap and where it leads to. */
void html_chart_suite(const struct result *result, FILE *out);
/* One test's live heap and peak RSS over its repetitions. */
void html_chart_growth(const struct result_test *test, FILE *out);
/* Metrics of all variants as bars, with whiskers where there are intervals. */
void html_chart_variants(const struct result *result, FILE *out);

/* The flame graph of what stayed, and the map of what holds it; nothing without sites. */
void html_flame(const struct result *result, FILE *out);

/* What stayed: these, and all sites as one tree, outermost caller first. */
void html_tree(const struct result *result, FILE *out);

/* Tables: variants side by side, expectations, and the tests in this order. */
void html_table_variants(const struct result *result, FILE *out);
void html_table_expects(const struct result *result, FILE *out);
void html_table_tests(const struct result *result, const size_t *order, size_t count, FILE *out);

/* The element that the script reads. */
void html_data(const struct result *result, const size_t *order, size_t count, FILE *out);

/* A column of the table of tests. */
struct html_column {
    const char *key, *title, *kind; /* kind: text word count bytes ns */
};
extern const struct html_column html_columns[]; /* ends with NULL */
/* The value as JSON into the text, and as words for a cell. */
void html_cell_json(struct text *text, const struct result_test *test, size_t column);
void html_cell_words(struct text *text, const struct result_test *test, size_t column);

#endif
