/*
 * alias.h - other names for keys, by the rules of docs/catalogue.md. Build time only.
 *   ID                      the pair of that id whose provider ranks best
 *   PROVIDER:FAMILY-latest  the model of the family that was released last
 */
#ifndef GENERATE_ALIAS_H
#define GENERATE_ALIAS_H

#include "registry/catalogue/generate/catalogue.h"

struct alias {
    char *name; /* owned */
    uint32_t index;
};

struct alias_list {
    struct alias *items; /* in byte order of the name, each name once */
    size_t count, room;
};

/* `catalogue` is sorted. */
void alias_list_init(struct alias_list *list, const struct catalogue *catalogue);
void alias_list_fini(struct alias_list *list);

#endif
