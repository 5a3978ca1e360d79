/*
 * diag.h - diagnostics of the user's input: collected, sorted by position, printed all at once as
 *   scenarios/x.yaml:12:5: unknown key 'entires'; did you mean 'entries'?
 * Owns copies of all strings. Supervisor only.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diag_item {
    char *file;
    unsigned line, column; /* 1-based; 0: none */
    char *text;
};

struct diag {
    struct diag_item *items;
    size_t count, room;
};

void diag_init(struct diag *diag);
void diag_fini(struct diag *diag);
void diag_add(struct diag *diag, const char *file, unsigned line, unsigned column,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
/* One line each, in order of file, line, column. */
void diag_print(const struct diag *diag, FILE *out);

/* The word of words[0..count) nearest to `text` (Damerau-Levenshtein at most a third of its length,
 * case-insensitive), or NULL. */
const char *diag_nearest(const char *text, const char *const *words, size_t count);
/* What to say behind "unknown word '...'": "; did you mean 'lru'?", or "; one of lru, sieve, ttl"
 * where none is near. The caller frees; never NULL. */
char *diag_suggestion(const char *text, const char *const *words, size_t count);

#endif
