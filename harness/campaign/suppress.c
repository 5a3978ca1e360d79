/* suppress.c - see suppress.h. */
#include "harness/campaign/suppress.h"

#include "harness/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void suppress_init(struct suppress *suppress)
{
    *suppress = (struct suppress){0};
}

void suppress_fini(struct suppress *suppress)
{
    for (size_t i = 0; i < suppress->count; i++) {
        free(suppress->items[i].pattern);
        free(suppress->items[i].reason);
        free(suppress->items[i].file);
    }
    free(suppress->items);
    *suppress = (struct suppress){0};
}

/* Does the pattern match from the start of text on? '*' is tried longest last. */
static bool match_here(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            for (;; text++) {
                if (match_here(pattern + 1, text)) {
                    return true;
                }
                if (!*text) {
                    return false;
                }
            }
        }
        if (*pattern == '$' && !pattern[1]) {
            return !*text;
        }
        if (*pattern != *text) {
            return false;
        }
    }
    return true;
}

bool suppress_pattern_matches(const char *pattern, const char *text)
{
    if (*pattern == '^') {
        return match_here(pattern + 1, text);
    }
    do {
        if (match_here(pattern, text)) {
            return true;
        }
    } while (*text++);
    return false;
}

const struct suppression *suppress_find(struct suppress *suppress,
                                        const struct result_frame *frames, size_t count)
{
    const struct suppression *found = NULL;
    for (size_t i = 0; i < suppress->count; i++) {
        struct suppression *item = &suppress->items[i];
        bool hit = false;
        for (size_t k = 0; k < count && !hit; k++) {
            hit = suppress_pattern_matches(item->pattern, frames[k].function) ||
                  suppress_pattern_matches(item->pattern, frames[k].file) ||
                  suppress_pattern_matches(item->pattern, frames[k].module);
        }
        item->used += hit;
        found = hit && !item->expired && !found ? item : found;
    }
    return found;
}

bool suppress_matches(struct suppress *suppress, const struct result_frame *frames, size_t count)
{
    return suppress_find(suppress, frames, count) != NULL;
}

/* "2027-06-30" as 20270630; 0: no date. */
static unsigned date_parse(const char *text)
{
    unsigned year, month, day;
    int length = 0;
    if (sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &length) != 3 || text[length] ||
        year < 2000 || month < 1 || month > 12 || day < 1 || day > 31) {
        return 0;
    }
    return year * 10000 + month * 100 + day;
}

struct reader {
    struct suppress *suppress;
    struct diag *diag;
    const char *path;
    unsigned line, today, expires;
    char *reason;
};

static void comment_read(struct reader *reader, const char *text, unsigned column)
{
    size_t skipped = strspn(text, "# \t");
    text += skipped;
    if (strncmp(text, "expires:", 8) == 0) {
        size_t blanks = 8 + strspn(text + 8, " \t");
        reader->expires = date_parse(text + blanks);
        if (reader->expires == 0) {
            diag_add(reader->diag, reader->path, reader->line,
                     column + (unsigned)(skipped + blanks), "'%s' is no date such as 2027-06-30",
                     text + blanks);
        }
    } else if (*text) {
        char *longer = memory_format("%s%s%s", reader->reason, *reader->reason ? " " : "", text);
        free(reader->reason);
        reader->reason = longer;
    }
}

static void line_read(struct reader *reader, char *text)
{
    size_t length = strlen(text), blanks = strspn(text, " \t\r\n");
    unsigned column = (unsigned)blanks + 1;
    while (length > blanks && strchr(" \t\r\n", text[length - 1])) {
        text[--length] = 0;
    }
    text += blanks;
    if (!*text || length <= blanks) {
        result_set(&reader->reason, "");
        reader->expires = 0;
    } else if (*text == '#') {
        comment_read(reader, text, column);
    } else if (strncmp(text, "leak:", 5) != 0) {
        diag_add(reader->diag, reader->path, reader->line, column,
                 "'%s': a line is 'leak:PATTERN', or a comment that begins with '#'", text);
    } else if (!text[5] || strspn(text + 5, "*^$") == strlen(text + 5)) {
        diag_add(reader->diag, reader->path, reader->line, column + 5,
                 "'%s' would suppress everything", text);
    } else {
        struct suppress *suppress = reader->suppress;
        memory_grow(&suppress->items, &suppress->room, suppress->count + 1,
                    sizeof suppress->items[0]);
        suppress->items[suppress->count++] =
            (struct suppression){.pattern = memory_copy(text + 5),
                                 .reason = memory_copy(reader->reason),
                                 .file = memory_copy(reader->path),
                                 .line = reader->line,
                                 .expires = reader->expires,
                                 .expired = reader->expires && reader->expires <= reader->today};
    }
}

bool suppress_read(struct suppress *suppress, const char *path, unsigned today, struct diag *diag)
{
    struct reader reader = {.suppress = suppress,
                            .diag = diag,
                            .path = path,
                            .today = today,
                            .reason = memory_copy("")};
    size_t before = diag->count, room = 0;
    char *line = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        diag_add(diag, path, 0, 0, "%s", strerror(errno));
    }
    while (file && getline(&line, &room, file) >= 0) {
        reader.line++;
        line_read(&reader, line);
    }
    if (file && ferror(file)) {
        diag_add(diag, path, reader.line, 0, "%s", strerror(errno));
    }
    if (file) {
        fclose(file);
    }
    free(line);
    free(reader.reason);
    return diag->count == before;
}

void suppress_notes(const struct suppress *suppress, struct result *result)
{
    for (size_t i = 0; i < suppress->count; i++) {
        const struct suppression *item = &suppress->items[i];
        const char *open = item->reason[0] ? " (" : "", *close = item->reason[0] ? ")" : "";
        if (item->expired) {
            result_note_add(result, "%s:%u: suppression leak:%s%s%s%s has expired: not applied",
                            item->file, item->line, item->pattern, open, item->reason, close);
        } else if (!item->used) {
            result_note_add(result, "%s:%u: suppression leak:%s%s%s%s matched nothing: remove it",
                            item->file, item->line, item->pattern, open, item->reason, close);
        }
    }
}
