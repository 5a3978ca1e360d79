/*
 * catalogue.h - all records of a catalogue, sorted and without duplicates. Build time only.
 */
#ifndef GENERATE_CATALOGUE_H
#define GENERATE_CATALOGUE_H

#include "registry/catalogue/generate/entry.h"

/* More would not fit in an image: its texts are addressed by 32 bits. */
#define CATALOGUE_MOST 8000000u

struct catalogue {
    struct entry *entries; /* in byte order of (provider, id) after catalogue_sort */
    size_t count, room;
    struct entry_names names;
    const struct schema *schema; /* borrowed */
    size_t mistakes;             /* of those only the first are among the diagnostics */
};

#define CATALOGUE_MISTAKES_SHOWN 20

void catalogue_init(struct catalogue *catalogue); /* of models; another schema is put into it */
void catalogue_fini(struct catalogue *catalogue);
/* Reads a file, plain or xz. False: diagnostics were added. All mistakes are counted. */
bool catalogue_read(struct catalogue *catalogue, const char *file, struct diag *diag);
bool catalogue_read_text(struct catalogue *catalogue, const char *file, const char *text,
                         size_t length, struct diag *diag);
/* Sorts; false: empty, duplicates, too many (diagnostics were added). */
bool catalogue_sort(struct catalogue *catalogue, const char *file, struct diag *diag);
/* The model of that key in a sorted catalogue, or NULL. */
const struct entry *catalogue_find(const struct catalogue *catalogue, const char *key,
                                   uint32_t provider_length);
/* Room for one more entry, which the caller fills. */
struct entry *catalogue_add(struct catalogue *catalogue);

#endif
