/*
 * variant.h - the ways to share a provider file among processes: as it was, as it was mended, the
 * ways between, and this project's.
 */
#ifndef PROVIDER_VARIANT_H
#define PROVIDER_VARIANT_H

#include "herd.h"
#include "registry/file/file_cache.h"

struct variant {
    const char *name; /* PROVIDER_FILE=NAME in a scenario */
    const char *about;
    herd_load *load;
    /* What must be seen of 14 processes that start together without a file; the worst order of
     * events is forced. */
    unsigned fetches, errors;             /* the source answers when all have come */
    unsigned slow_errors;                 /* it answers when all others have given up */
    unsigned stuck_fetches, stuck_errors; /* the lock's holder was killed before */
    bool waits;                           /* gives up on the lock at some time */
    bool whole;                           /* a writer that is killed leaves a whole file */
};
extern const struct variant variants[];
extern const struct variant *const shipped;           /* the last of them */
const struct variant *variant_find(const char *name); /* NULL: no such one */

#define PIECE_BYTES 62 /* a document is at least 64 of them */

/* The file cache of a member of a herd, with its steps as points. PROVIDER_TTL in the environment:
 * its TTL in seconds. */
struct file_options member_options(struct member *member);
/* Looks up once with these options. */
enum ending member_get(const struct file_options *options, struct member *member);

#endif
