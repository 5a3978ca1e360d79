/* difference_markdown.c - differences as Markdown, what is worse first: a comment on a pull
 * request, or a part of a step's summary. Supervisor only. */
#include "harness/report/difference_cause.h"
#include "harness/report/markdown.h"
#include "harness/result/result_printable.h"

#include <string.h>

#define MARKDOWN_BYTES 60000 /* a comment on GitHub holds 65,536 */

static void plain(struct text *text, const char *string)
{
    struct text clean = {0};
    printable_put(&clean, string);
    markdown_plain(text, text_peek(&clean));
    text_fini(&clean);
}

static void cause_put(struct text *text, const struct cause *cause,
                      const struct differences *differences)
{
    const struct difference *item = cause->first;
    struct text line = {0};
    text_format(text, "- **%s** ", cause_kinds[item->kind].word);
    cause_name(&line, item);
    markdown_plain(text, line.data);
    if (item->text[0]) {
        text_put(text, ": ");
        plain(text, item->text);
    }
    text_put_char(text, '\n');
    for (const char *at = item->sites; *at;) {
        size_t length = strcspn(at, "\n");
        struct text site = {0};
        text_put_bytes(&site, at, length);
        text_put(text, "  - ");
        plain(text, site.data);
        text_put_char(text, '\n');
        text_fini(&site);
        at += length + (at[length] == '\n');
    }
    text_reset(&line);
    cause_rest(&line, cause, differences);
    if (line.length > 0) {
        text_put(text, "  - ");
        plain(text, line.data);
        text_put_char(text, '\n');
    }
    text_fini(&line);
}

static void brief_put(struct text *text, const struct causes *causes, enum difference_kind kind,
                      const struct differences *differences)
{
    struct text line = {0};
    if (cause_brief(&line, causes, kind, differences) > 0) {
        text_format(text, "- %s ", cause_kinds[kind].word);
        markdown_plain(text, line.data);
        text_put_char(text, '\n');
    }
    text_fini(&line);
}

void differences_markdown(const struct differences *differences, FILE *out)
{
    struct causes causes = {0};
    struct text text = {0};
    size_t hidden = 0;
    causes_make(&causes, differences);
    text_put(&text, "### tidemark: ");
    cause_counts(&text, differences);
    text_put(&text, "\n\n");
    for (size_t k = 0; k < CAUSE_ORDERED; k++) {
        if (cause_kinds[cause_order[k]].brief) {
            brief_put(&text, &causes, cause_order[k], differences);
            continue;
        }
        for (size_t i = 0; i < causes.count; i++) {
            if (causes.items[i].first->kind != cause_order[k]) {
                continue;
            }
            size_t before = text.length;
            cause_put(&text, &causes.items[i], differences);
            if (text.length > MARKDOWN_BYTES) {
                text.length = before;
                text.data[before] = '\0';
                hidden++;
            }
        }
    }
    if (hidden > 0) {
        text_format(&text, "- and %zu more\n", hidden);
    }
    fputs(text.data, out);
    text_fini(&text);
    causes_fini(&causes);
}
