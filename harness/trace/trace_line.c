/* trace_line.c - see trace_line.h. */
#include "harness/trace/trace_line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define READ_SPAN_MAX (16u << 20) /* keys of one line of a .lis file */

bool reader_full(const struct reader *reader)
{
    return reader->options->most && reader->trace->requests >= reader->options->most;
}

bool reader_add(struct reader *reader, uint64_t key, uint64_t size)
{
    if (reader_full(reader)) {
        return true;
    }
    if (size > UINT32_MAX) {
        diag_add(reader->diag, reader->path, reader->line, 0,
                 "a size of %llu bytes is beyond 4 GiB, the most a trace may hold",
                 (unsigned long long)size);
        return false;
    }
    if (!trace_add(reader->trace, key, (uint32_t)size)) {
        diag_add(reader->diag, reader->path, 0, 0, "has more than 2,147,483,647 distinct keys");
        return false;
    }
    return true;
}

/* A word of text as a key: a decimal number is itself, anything else its hash (64 bits: among a
 * million distinct words two are confused once in 37 million traces). */
static uint64_t word_key(const char *word, size_t length)
{
    uint64_t number = 0;
    bool digits = length > 0 && length < 19;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        digits = digits && word[i] >= '0' && word[i] <= '9';
        number = number * 10 + (uint64_t)(word[i] - '0');
        hash = (hash ^ (unsigned char)word[i]) * UINT64_C(1099511628211);
    }
    if (digits && (word[0] != '0' || length == 1)) {
        return number;
    }
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 29;
}

static bool number_parse(const char *word, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] < '0' || word[i] > '9' || *number > UINT64_MAX / 10 - 9) {
            return false;
        }
        *number = *number * 10 + (uint64_t)(word[i] - '0');
    }
    return length > 0;
}

static const char *word_next(const char *at, const char *end, size_t *length)
{
    while (at < end && isspace((unsigned char)*at)) {
        at++;
    }
    const char *start = at;
    while (at < end && !isspace((unsigned char)*at)) {
        at++;
    }
    *length = (size_t)(at - start);
    return start;
}

bool trace_text_line(struct reader *reader, const char *line, const char *end)
{
    size_t key_length, size_length, third_length;
    const char *key = word_next(line, end, &key_length);
    const char *size = word_next(key + key_length, end, &size_length);
    const char *third = word_next(size + size_length, end, &third_length);
    uint64_t bytes = 1;
    if (reader->options->key_column && key_length > 0) {
        reader->delimiter = ' ';
        return trace_column_line(reader, line, end);
    }
    if (key_length == 0 || key[0] == '#') {
        return true;
    }
    if (third_length > 0) {
        diag_add(reader->diag, reader->path, reader->line, (unsigned)(third - line) + 1,
                 "'%.*s' is a third column: which is the key? --key-column 2 --size-column 3, say",
                 (int)(third_length < 40 ? third_length : 40), third);
        return false;
    }
    if (size_length > 0 && !number_parse(size, size_length, &bytes)) {
        diag_add(reader->diag, reader->path, reader->line, (unsigned)(size - line) + 1,
                 "'%.*s' is not a size; a line is a key and, perhaps, its size in bytes",
                 (int)(size_length < 40 ? size_length : 40), size);
        return false;
    }
    return reader_add(reader, word_key(key, key_length), bytes);
}

bool trace_lis_line(struct reader *reader, const char *line, const char *end)
{
    uint64_t numbers[2];
    const char *at = line;
    for (int i = 0; i < 2; i++) {
        size_t length;
        at = word_next(at, end, &length);
        if (i == 0 && length == 0) {
            return true;
        }
        if (!number_parse(at, length, &numbers[i])) {
            diag_add(reader->diag, reader->path, reader->line, (unsigned)(at - line) + 1,
                     "'%.*s' is not a number; a line is start, count, ignored, request number",
                     (int)(length < 40 ? length : 40), at);
            return false;
        }
        at += length;
    }
    if (numbers[1] > READ_SPAN_MAX) {
        diag_add(reader->diag, reader->path, reader->line, 0,
                 "one line asks for %llu keys; %u is the most", (unsigned long long)numbers[1],
                 READ_SPAN_MAX);
        return false;
    }
    for (uint64_t i = 0; i < numbers[1]; i++) {
        if (!reader_add(reader, numbers[0] + i, 1)) {
            return false;
        }
    }
    return true;
}

/* The delimiter behind the field, or the end. One in quotes is none; a quote is doubled in quotes,
 * so that it is as if they ended and began again. */
static const char *field_end(const char *at, const char *end, char delimiter)
{
    bool quoted = false;
    while (at < end && isspace((unsigned char)*at) && *at != delimiter) {
        at++;
    }
    bool quotes = at < end && *at == '"';
    for (; at < end && (quoted || *at != delimiter); at++) {
        quoted = quotes && *at == '"' ? !quoted : quoted;
    }
    return at;
}

static const char *field_at(const char *line, const char *end, char delimiter, unsigned column,
                            size_t *length)
{
    if (delimiter == ' ') {
        line = word_next(line, end, length);
        for (; column > 0; column--) {
            line = word_next(line + *length, end, length);
        }
        return *length > 0 ? line : NULL;
    }
    const char *stop = field_end(line, end, delimiter);
    for (; column > 0; column--) {
        if (stop == end) {
            return NULL;
        }
        line = stop + 1;
        stop = field_end(line, end, delimiter);
    }
    while (line < stop && isspace((unsigned char)*line)) {
        line++;
    }
    while (stop > line && isspace((unsigned char)stop[-1])) {
        stop--;
    }
    if (stop - line >= 2 && line[0] == '"' && stop[-1] == '"') {
        line++;
        stop--;
    }
    *length = (size_t)(stop - line);
    return line;
}

static const char *const key_names[] = {"key", "id",  "obj_id", "object_id", "object", "lba",
                                        "lbn", "url", "block",  "address",   NULL};
static const char *const size_names[] = {"size", "obj_size", "bytes", "length", NULL};

static bool field_is(const char *field, size_t length, const char *const *names)
{
    for (; *names; names++) {
        if (strlen(*names) == length && strncasecmp(field, *names, length) == 0) {
            return true;
        }
    }
    return false;
}

/* The delimiter that the first line has most of, and how many columns that makes. */
static unsigned columns_count(struct reader *reader, const char *line, const char *end)
{
    size_t best = 0, width;
    if (reader->delimiter == ' ') {
        while (field_at(line, end, ' ', (unsigned)best, &width)) {
            best++;
        }
        return (unsigned)best;
    }
    for (const char *d = ",;\t|"; *d; d++) {
        size_t count = 0;
        for (const char *at = field_end(line, end, *d); at < end; at = field_end(at + 1, end, *d)) {
            count++;
        }
        if (count > best) {
            best = count;
            reader->delimiter = *d;
        }
    }
    return (unsigned)best + 1;
}

/* "2", or what the heading calls it: *column, 0-based. False: there is none. */
static bool column_find(const struct reader *reader, const char *line, const char *end,
                        unsigned columns, const char *wanted, unsigned *column, bool *heading)
{
    const char *const names[] = {wanted, NULL};
    uint64_t number;
    size_t width;
    for (unsigned i = 0; i < columns; i++) {
        const char *field = field_at(line, end, reader->delimiter, i, &width);
        if (field && field_is(field, width, names)) {
            *column = i;
            *heading = true;
            return true;
        }
    }
    if (!number_parse(wanted, strlen(wanted), &number) || number == 0 || number > columns) {
        return false;
    }
    *column = (unsigned)number - 1;
    return true;
}

/* The first line has no such column, or none can be told to be the key: it has these. */
static bool columns_refuse(struct reader *reader, const char *line, const char *end,
                           unsigned columns, const char *what)
{
    char list[200] = "";
    size_t used = 0, width;
    for (unsigned i = 0; i < columns && used < sizeof list; i++) {
        const char *field = field_at(line, end, reader->delimiter, i, &width);
        int shown = field ? (int)(width < 24 ? width : 24) : 0;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s'%.*s'", i > 0 ? ", " : "",
                                 shown, field ? field : "");
    }
    diag_add(reader->diag, reader->path, reader->line, 0,
             "%s: the columns are %s; --key-column COLUMN and --size-column COLUMN, by name or "
             "number, say which to take",
             what, list);
    return false;
}

/* Finds key and size by what the user said, or by the names of a heading, or because there is no
 * choice: one column, or two of which the second is a number. Nothing else is guessed. */
static bool columns_choose(struct reader *reader, const char *line, const char *end, bool *heading)
{
    const struct trace_options *options = reader->options;
    unsigned columns = columns_count(reader, line, end);
    bool keyed = false;
    char what[80];
    size_t width;
    uint64_t number;
    for (unsigned column = 0; column < columns; column++) {
        const char *field = field_at(line, end, reader->delimiter, column, &width);
        if (field && field_is(field, width, key_names)) {
            reader->key_column = column;
            keyed = *heading = true;
        } else if (field && field_is(field, width, size_names)) {
            reader->size_column = column;
            *heading = true;
        }
    }
    if (options->key_column || options->size_column) {
        const char *wanted[] = {options->key_column, options->size_column};
        unsigned *found[] = {&reader->key_column, &reader->size_column};
        reader->size_column = options->size_column ? reader->size_column : UINT32_MAX;
        for (int i = 0; i < 2; i++) {
            if (wanted[i] &&
                !column_find(reader, line, end, columns, wanted[i], found[i], heading)) {
                snprintf(what, sizeof what, "no column '%.40s'", wanted[i]);
                return columns_refuse(reader, line, end, columns, what);
            }
        }
        keyed = keyed || options->key_column;
    }
    if (keyed || columns == 1) {
        return true;
    }
    const char *second = field_at(line, end, reader->delimiter, 1, &width);
    if (columns > 2 || *heading || !second || !number_parse(second, width, &number)) {
        return columns_refuse(reader, line, end, columns, "no column is known to be the key");
    }
    reader->size_column = 1;
    return true;
}

/* Behind a '#': the heading, or a comment? */
static bool is_heading(struct reader *reader, const char *line, const char *end)
{
    const char *const wanted[] = {reader->options->key_column, NULL};
    unsigned columns = columns_count(reader, line, end);
    size_t width;
    for (unsigned column = 0; column < columns; column++) {
        const char *field = field_at(line, end, reader->delimiter, column, &width);
        if (field && (field_is(field, width, key_names) || field_is(field, width, wanted))) {
            return true;
        }
    }
    return false;
}

bool trace_column_line(struct reader *reader, const char *line, const char *end)
{
    size_t key_length, size_length = 0;
    uint64_t bytes = 1;
    if (line < end && *line == '#') {
        line++;
        if (reader->heading_read || !is_heading(reader, line, end)) {
            return true;
        }
    }
    if (line == end) {
        return true;
    }
    if (!reader->heading_read) {
        bool heading = false;
        reader->heading_read = true;
        if (!columns_choose(reader, line, end, &heading)) {
            return false;
        }
        if (heading) {
            return true;
        }
    }
    const char *key = field_at(line, end, reader->delimiter, reader->key_column, &key_length);
    if (!key || key_length == 0) {
        diag_add(reader->diag, reader->path, reader->line, 0, "has no key in column %u",
                 reader->key_column + 1);
        return false;
    }
    if (reader->size_column != UINT32_MAX) {
        const char *size =
            field_at(line, end, reader->delimiter, reader->size_column, &size_length);
        if (!size || !number_parse(size, size_length, &bytes)) {
            diag_add(reader->diag, reader->path, reader->line,
                     size ? (unsigned)(size - line) + 1 : 0, "'%.*s' in column %u is not a size",
                     (int)(size_length < 40 ? size_length : 40), size ? size : "",
                     reader->size_column + 1);
            return false;
        }
    }
    return reader_add(reader, word_key(key, key_length), bytes);
}

static bool starts(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) > length && memcmp(at, word, length) == 0;
}

/* HOST IDENT USER [TIME] "GET PATH HTTP/1.1" STATUS BYTES ...: Apache's and nginx's own formats. */
bool trace_access_line(struct reader *reader, const char *line, const char *end)
{
    const char *bracket = line < end ? memchr(line, ']', (size_t)(end - line)) : NULL;
    const char *quote = bracket ? memchr(bracket, '"', (size_t)(end - bracket)) : NULL;
    size_t path_length, status_length, size_length;
    uint64_t bytes = 0;
    if (line == end) {
        return true;
    }
    if (!quote) {
        diag_add(reader->diag, reader->path, reader->line, 0,
                 "has no time in brackets with a request in quotes behind it, as an access log");
        return false;
    }
    if (!starts(quote, end, "\"GET ") && !starts(quote, end, "\"HEAD ")) {
        reader->trace->left_out++;
        return true;
    }
    const char *stop = memchr(quote + 1, '"', (size_t)(end - quote - 1));
    const char *path = word_next(strchr(quote, ' '), stop ? stop : end, &path_length);
    const char *status = word_next(stop ? stop + 1 : end, end, &status_length);
    const char *size = word_next(status + status_length, end, &size_length);
    bool dash = size_length == 1 && size[0] == '-';
    if (path_length == 0 || (!dash && !number_parse(size, size_length, &bytes))) {
        diag_add(reader->diag, reader->path, reader->line, (unsigned)(size - line) + 1,
                 "'%.*s' is not a number of bytes; behind the request stand a status and the bytes",
                 (int)(size_length < 40 ? size_length : 40), size);
        return false;
    }
    return reader_add(reader, word_key(path, path_length), bytes);
}
