/* filter.h - which tests of a program are wanted: like one of the patterns, like none of others,
 * and one of a list, as far as each was given. Supervisor only. */
#ifndef PLAN_FILTER_H
#define PLAN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct plan_filter {
    struct plan_words {
        char **items;
        size_t count, room;
        bool given; /* an empty list that was given wants nothing */
    } only, exclude, ids;
    struct plan_words clean; /* with `open`: and every one that is not among these */
    bool open;
};

void plan_filter_fini(struct plan_filter *filter);
/* Adds a copy of the word. */
void plan_words_add(struct plan_words *words, const char *word);
/* The same for `ids` and `clean`, which are kept sorted. */
void plan_ids_add(struct plan_words *ids, const char *id);
/* Is the test wanted? A pattern is a glob; an id to the letter is itself, too, although "name[3]"
 * is a glob. */
bool plan_filter_takes(const struct plan_filter *filter, const char *id);
/* Was anything given? */
bool plan_filter_given(const struct plan_filter *filter);
/* "'*x*' or 'y'", "'*', and not 'z'": what the wanted tests are like. The caller frees. */
char *plan_filter_text(const struct plan_filter *filter);

#endif
