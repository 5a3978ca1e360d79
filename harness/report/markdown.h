/* markdown.h - the report as Markdown, for the formats that embed it. Supervisor only. */
#ifndef REPORT_MARKDOWN_H
#define REPORT_MARKDOWN_H

#include "harness/base/text.h"
#include "harness/result/result.h"

/* About `bytes` at most: lists are cut, with the number of what is not shown. */
void markdown_put(struct text *text, const struct result *result, size_t bytes);
/* Text in a table cell or line: no markup, no HTML, no links, one line. */
void markdown_plain(struct text *text, const char *string);

#endif
