/*
 * build.h - the image of registry/image.h made of a catalogue. Build time only.
 */
#ifndef GENERATE_BUILD_H
#define GENERATE_BUILD_H

#include "registry/catalogue/generate/catalogue.h"
#include "registry/image.h"

/* Code and tables of a program lie within 2 GiB of each other; this leaves room for both. */
#define BUILD_MOST (UINT64_C(1792) << 20)

struct build {
    struct registry_image *image; /* aligned to 64 */
    size_t bytes;
    uint64_t moves; /* of the perfect hash's solver */
};

/* `catalogue` is sorted. False: a diagnostic was added. */
bool build_init(struct build *build, const struct catalogue *catalogue, bool aliases,
                const char *file, struct diag *diag);
void build_fini(struct build *build);

#endif
