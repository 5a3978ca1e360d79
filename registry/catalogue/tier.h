/*
 * tier.h - three small catalogues, compiled in like the large one: test fixtures that cost nothing.
 *
 *     const struct registry_image *image = registry_tier(REGISTRY_TIER_MINIMAL);
 *     registry_index i = registry_image_find(image, key, length);      // image.h has the functions
 *
 * From fixtures/tiers/NAME.yaml. They share nothing with the built-in catalogue: looking up in a
 * tier never touches registry_tables.
 */
#ifndef CATALOGUE_TIER_H
#define CATALOGUE_TIER_H

#include "registry/image.h"

enum registry_tier {
    REGISTRY_TIER_MINIMAL,       /* 5 models */
    REGISTRY_TIER_STANDARD,      /* 15 */
    REGISTRY_TIER_COMPREHENSIVE, /* 50 */
    REGISTRY_TIER_COUNT,
};

const struct registry_image *registry_tier(enum registry_tier tier);
const char *registry_tier_name(enum registry_tier tier);
bool registry_tier_find(const char *name, enum registry_tier *tier);

#endif
