/*
 * suppress.h - sites that a person has decided to live with, in LSan's syntax with a reason and an
 * expiry in the comment above:
 *
 *     # the plug-in API has no close; reported upstream
 *     # expires: 2027-06-30
 *     leak:plugin_open
 *
 * A pattern is part of a function, a source file or a module of any frame; '*' stands for any text,
 * '^' and '$' for the ends. A comment belongs to the patterns up to the next empty line. From the
 * day of its expiry on a pattern suppresses nothing. Supervisor only.
 */
#ifndef CAMPAIGN_SUPPRESS_H
#define CAMPAIGN_SUPPRESS_H

#include "harness/base/diag.h"
#include "harness/result/result.h"

struct suppression {
    char *pattern, *reason, *file;
    unsigned line;
    unsigned expires; /* 20270630; 0: never */
    bool expired;
    unsigned used; /* sites it matched */
};

struct suppress {
    struct suppression *items;
    size_t count, room;
};

void suppress_init(struct suppress *suppress);
void suppress_fini(struct suppress *suppress);
/* Adds those of a file. `today` as 20261121. False: mistakes, all of them in *diag. */
bool suppress_read(struct suppress *suppress, const char *path, unsigned today, struct diag *diag);

/* Does one of them match a frame? All that match count as used. */
bool suppress_matches(struct suppress *suppress, const struct result_frame *frames, size_t count);
/* The same; the first that matched and has not expired, or NULL. */
const struct suppression *suppress_find(struct suppress *suppress,
                                        const struct result_frame *frames, size_t count);
bool suppress_pattern_matches(const char *pattern, const char *text);

/* A note for each that matched nothing, or has expired. */
void suppress_notes(const struct suppress *suppress, struct result *result);

#endif
