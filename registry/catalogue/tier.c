/* tier.c - see tier.h. Any process; no heap. */
#include "registry/catalogue/tier.h"

#include <assert.h>
#include <string.h>

extern const struct registry_image registry_tier_minimal __attribute__((visibility("hidden")));
extern const struct registry_image registry_tier_standard __attribute__((visibility("hidden")));
extern const struct registry_image registry_tier_comprehensive
    __attribute__((visibility("hidden")));

static const char names[REGISTRY_TIER_COUNT][16] = {"minimal", "standard", "comprehensive"};

const struct registry_image *registry_tier(enum registry_tier tier)
{
    assert(tier < REGISTRY_TIER_COUNT);
    /* No table of addresses: that would be relocated at start-up. */
    switch (tier) {
    case REGISTRY_TIER_MINIMAL:
        return &registry_tier_minimal;
    case REGISTRY_TIER_STANDARD:
        return &registry_tier_standard;
    default:
        return &registry_tier_comprehensive;
    }
}

const char *registry_tier_name(enum registry_tier tier)
{
    assert(tier < REGISTRY_TIER_COUNT);
    return names[tier];
}

bool registry_tier_find(const char *name, enum registry_tier *tier)
{
    for (unsigned i = 0; i < REGISTRY_TIER_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *tier = i;
            return true;
        }
    }
    return false;
}
