/* catalogue.c - see catalogue.h. Build time only. */
#include "registry/catalogue/generate/catalogue.h"

#include "harness/base/memory.h"
#include "registry/catalogue/generate/input.h"

#include <stdlib.h>
#include <string.h>

void catalogue_init(struct catalogue *catalogue)
{
    *catalogue = (struct catalogue){.schema = schema_models()};
}

void catalogue_fini(struct catalogue *catalogue)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        entry_fini(&catalogue->entries[i], catalogue->schema);
    }
    free(catalogue->entries);
    entry_names_fini(&catalogue->names);
    catalogue_init(catalogue);
}

struct entry *catalogue_add(struct catalogue *catalogue)
{
    memory_grow(&catalogue->entries, &catalogue->room, catalogue->count + 1, sizeof(struct entry));
    return &catalogue->entries[catalogue->count++];
}

/* Blank lines, comments and the document marks of YAML say nothing. */
static bool line_is_silent(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && (text[at] == ' ' || text[at] == '\t')) {
        at++;
    }
    return at == length || text[at] == '#' || (length == 3 && memcmp(text, "---", 3) == 0) ||
           (length == 3 && memcmp(text, "...", 3) == 0);
}

/* Counts what was added since `before`, and keeps the first ones. */
static void mistakes_count(struct catalogue *catalogue, struct diag *diag, size_t before)
{
    catalogue->mistakes += diag->count - before;
    while (diag->count > before && diag->count > CATALOGUE_MISTAKES_SHOWN) {
        struct diag_item *item = &diag->items[--diag->count];
        free(item->file);
        free(item->text);
    }
}

bool catalogue_read_text(struct catalogue *catalogue, const char *file, const char *text,
                         size_t length, struct diag *diag)
{
    size_t mistakes = catalogue->mistakes;
    unsigned line = 0;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at : length - at;
        const char *start = text + at;
        at += size + 1;
        line++;
        if (size > 0 && start[size - 1] == '\r') {
            size--;
        }
        if (line_is_silent(start, size)) {
            continue;
        }
        size_t before = diag->count;
        if (!entry_read(catalogue_add(catalogue), catalogue->schema, start, size, file, line,
                        &catalogue->names, diag)) {
            catalogue->count--;
            mistakes_count(catalogue, diag, before);
        }
    }
    return catalogue->mistakes == mistakes;
}

bool catalogue_read(struct catalogue *catalogue, const char *file, struct diag *diag)
{
    char *text = NULL;
    size_t length = 0;
    bool ok = input_read(file, &text, &length, diag) &&
              catalogue_read_text(catalogue, file, text, length, diag);
    free(text);
    return ok;
}

/* Provider first, so that the models of "a" do not stand amid those of "a-b". */
static int key_compare(const struct entry *a, const struct entry *b)
{
    uint32_t shorter =
        a->provider_length < b->provider_length ? a->provider_length : b->provider_length;
    int order = memcmp(a->key, b->key, shorter);
    if (order == 0) {
        order =
            (a->provider_length > b->provider_length) - (a->provider_length < b->provider_length);
    }
    return order != 0 ? order : strcmp(a->key, b->key);
}

static int entry_compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = key_compare(a, b);
    /* Among equals the first read comes first, so that the second one is reported. */
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

const struct entry *catalogue_find(const struct catalogue *catalogue, const char *key,
                                   uint32_t provider_length)
{
    size_t low = 0, high = catalogue->count;
    struct entry wanted = {.key = (char *)key, .provider_length = provider_length};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = key_compare(&catalogue->entries[middle], &wanted);
        if (order == 0) {
            return &catalogue->entries[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool catalogue_sort(struct catalogue *catalogue, const char *file, struct diag *diag)
{
    size_t mistakes = catalogue->mistakes;
    const char *noun = catalogue->schema->records;
    if (catalogue->count == 0) {
        diag_add(diag, file, 0, 0, "no %s; a catalogue needs at least one", noun);
        return false;
    }
    if (catalogue->count > CATALOGUE_MOST) {
        diag_add(diag, file, 0, 0, "%zu %s; at most %u fit in an image", catalogue->count, noun,
                 CATALOGUE_MOST);
        return false;
    }
    qsort(catalogue->entries, catalogue->count, sizeof(struct entry), entry_compare);
    for (size_t i = 1; i < catalogue->count; i++) {
        const struct entry *a = &catalogue->entries[i - 1], *b = &catalogue->entries[i];
        if (strcmp(a->key, b->key) == 0) {
            size_t before = diag->count;
            diag_add(diag, file, b->line, 3, "'%s' is already in line %u", b->key, a->line);
            mistakes_count(catalogue, diag, before);
        }
    }
    return catalogue->mistakes == mistakes;
}
