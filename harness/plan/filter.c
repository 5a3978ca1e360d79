/* filter.c - see filter.h. Supervisor only. */
#include "harness/plan/filter.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static void words_fini(struct plan_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->items[i]);
    }
    free(words->items);
    *words = (struct plan_words){0};
}

void plan_filter_fini(struct plan_filter *filter)
{
    words_fini(&filter->only);
    words_fini(&filter->exclude);
    words_fini(&filter->ids);
    words_fini(&filter->clean);
}

void plan_words_add(struct plan_words *words, const char *word)
{
    memory_grow(&words->items, &words->room, words->count + 1, sizeof words->items[0]);
    words->items[words->count++] = memory_copy(word);
    words->given = true;
}

static bool like(const struct plan_words *globs, const char *id)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (strcmp(globs->items[i], id) == 0 || fnmatch(globs->items[i], id, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* The place of the id, or where it would stand. */
static size_t id_place(const struct plan_words *ids, const char *id)
{
    size_t low = 0, high = ids->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(ids->items[middle], id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The ids are those of a result file, which is UTF-8: a byte that is none is U+FFFD there. */
static char *id_written(const char *id)
{
    struct text text = {0};
    size_t bad;
    while (!text_utf8(id, strlen(id), &bad)) {
        text_put_bytes(&text, id, bad);
        text_put(&text, "\xef\xbf\xbd");
        id += bad + 1;
    }
    text_put(&text, id);
    return text_take(&text);
}

static bool listed(const struct plan_words *ids, const char *id)
{
    char *written = id_written(id);
    size_t place = id_place(ids, written);
    bool there = place < ids->count && strcmp(ids->items[place], written) == 0;
    free(written);
    return there;
}

void plan_ids_add(struct plan_words *ids, const char *id)
{
    size_t place = id_place(ids, id);
    plan_words_add(ids, id);
    char *added = ids->items[ids->count - 1];
    memmove(&ids->items[place + 1], &ids->items[place],
            (ids->count - 1 - place) * sizeof ids->items[0]);
    ids->items[place] = added;
}

bool plan_filter_takes(const struct plan_filter *filter, const char *id)
{
    return (!filter->only.given || like(&filter->only, id)) && !like(&filter->exclude, id) &&
           (!filter->ids.given || listed(&filter->ids, id) ||
            (filter->open && !listed(&filter->clean, id)));
}

bool plan_filter_given(const struct plan_filter *filter)
{
    return filter->only.given || filter->exclude.given || filter->ids.given;
}

static void globs_put(struct text *text, const struct plan_words *globs)
{
    for (size_t i = 0; i < globs->count; i++) {
        text_format(text, "%s'%s'", i > 0 ? " or " : "", globs->items[i]);
    }
}

char *plan_filter_text(const struct plan_filter *filter)
{
    struct text text = {0};
    globs_put(&text, &filter->only);
    if (!filter->only.given) {
        text_put(&text, "'*'");
    }
    if (filter->exclude.given) {
        text_put(&text, ", and not like ");
        globs_put(&text, &filter->exclude);
    }
    if (filter->ids.given) {
        text_format(&text, filter->open ? ", and not one of %zu" : ", and one of %zu",
                    filter->open ? filter->clean.count : filter->ids.count);
    }
    return text_take(&text);
}
