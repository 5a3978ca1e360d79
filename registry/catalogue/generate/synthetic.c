/* synthetic.c - see synthetic.h. Build time only. */
#include "registry/catalogue/generate/synthetic.h"

#include "harness/base/memory.h"
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const makers[] = {"alder",   "birchwood", "cobalt",      "drumlin",
                                     "estuary", "fjord",     "granite-lab", "heron",
                                     "isthmus", "juniper",   "kelp",        "lantern"};
static const char *const animals[] = {"osprey",     "Marten", "lynx",     "Gannet",
                                      "ibex",       "plover", "Dormouse", "stoat",
                                      "kingfisher", "Curlew", "sparrow",  "Otter"};
static const char *const sizes[] = {"1b",  "3b",  "7b",    "8b",   "13b",
                                    "34b", "70b", "8x22b", "405b", "mini"};
static const char *const variants[] = {"instruct", "chat", "base",    "code",  "vision",
                                       "thinking", "it",   "preview", "turbo", "long"};
static const char *const packings[] = {"", "-q4_k_m", "-fp8", "-awq", "-gguf", "-int4", "-bf16"};
#define PICK(list, random) ((list)[(random) % (sizeof(list) / sizeof(list)[0])])

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void synthetic_details(struct entry *entry, const struct schema *schema,
                              struct entry_names *names, uint64_t random)
{
    uint64_t *caps = &entry_value(entry, schema, "caps")->number;
    static const char *const capabilities[] = {"tools", "reasoning", "temperature", "attachment"};
    for (unsigned i = 0; i < 4; i++) {
        uint32_t bit = 0;
        if (!entry_names_bit(names, capabilities[i], &bit)) {
            continue;
        }
        switch (random >> (2 * i) & 3) {
        case 0:
            *caps |= (uint64_t)bit << 32;
            break;
        case 1: /* unknown */
            break;
        default:
            *caps |= bit;
        }
    }
    if (random >> 8 & 1) {
        uint64_t context = UINT64_C(4096) << (random >> 9) % 9;
        entry_value(entry, schema, "context")->number = context;
        entry_value(entry, schema, "max_output")->number = context / 4;
    }
    if (random >> 13 & 1) {
        uint64_t input = (random >> 14) % 400 * 25000;
        entry_value(entry, schema, "price.input")->number = input;
        entry_value(entry, schema, "price.output")->number = input * 4;
    }
    if (random >> 24 & 1) {
        char date[24];
        (void)snprintf(date, sizeof date, "%u-%02u-%02u", 2023 + (unsigned)(random >> 25) % 3,
                       1 + (unsigned)(random >> 27) % 12, 1 + (unsigned)(random >> 32) % 28);
        entry_value(entry, schema, "released")->text = memory_copy(date);
    }
    entry_value(entry, schema, "mode")->number = REGISTRY_CHAT;
    entry_value(entry, schema, "in")->number = 1u << REGISTRY_TEXT | (random >> 40 & 1)
                                                                         << REGISTRY_PICTURE;
    entry_value(entry, schema, "out")->number = 1u << REGISTRY_TEXT;
}

void synthetic_fill(struct catalogue *catalogue, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    size_t missing = catalogue->count < count ? count - catalogue->count : 0;
    unsigned providers = 24 + (unsigned)(missing / 2000);
    for (size_t serial = 0; serial < missing; serial++) {
        uint64_t random = random_next(&state);
        char provider[32], id[96];
        (void)snprintf(provider, sizeof provider, "synthetic-%02u", (unsigned)(random % providers));
        /* The serial number keeps keys apart; it stands in the middle of some and ends others. */
        unsigned version = (unsigned)(random >> 12) % 40;
        const char *maker = PICK(makers, random >> 20), *animal = PICK(animals, random >> 26);
        const char *size = PICK(sizes, random >> 32), *variant = PICK(variants, random >> 38);
        if (random >> 44 & 1) {
            (void)snprintf(id, sizeof id, "%s/%s-%u.%u-%s-%zx%s", maker, animal, version / 10,
                           version % 10, size, serial, PICK(packings, random >> 50));
        } else {
            (void)snprintf(id, sizeof id, "%s-%u-%s-%zx", animal, version % 10, variant, serial);
        }
        struct entry *entry = catalogue_add(catalogue);
        const struct schema *schema = catalogue->schema;
        entry_init(entry, schema, provider, id);
        entry_value(entry, schema, "set")->text = memory_copy("synthetic");
        entry_value(entry, schema, "src")->text = memory_copy("registry-generate");
        synthetic_details(entry, schema, &catalogue->names, random_next(&state));
    }
}
