/*
 * catalogue_fuzz.c - libFuzzer target of the catalogue (make fuzz): YAML in, an image out. Whatever
 * the bytes: no crash, no hang; and what is accepted makes a valid image in which each model is
 * found by its key.
 */
#include "registry/catalogue/generate/build.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void image_look(const struct build *build)
{
    if (!registry_image_valid(build->image, build->bytes)) {
        abort();
    }
    for (uint32_t i = 0; i < build->image->count; i++) {
        struct registry_text key = registry_image_key(build->image, i);
        if (registry_image_find(build->image, key.data, key.length) != i) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct catalogue catalogue;
    struct build build = {.bytes = 0};
    struct diag diag;
    diag_init(&diag);
    catalogue_init(&catalogue);
    bool ok = catalogue_read_text(&catalogue, "fuzz.yaml", (const char *)data, length, &diag) &&
              catalogue_sort(&catalogue, "fuzz.yaml", &diag) &&
              build_init(&build, &catalogue, true, "fuzz.yaml", &diag);
    if (ok) {
        image_look(&build);
    } else if (diag.count == 0) {
        abort();
    }
    build_fini(&build);
    catalogue_fini(&catalogue);
    diag_fini(&diag);
    return 0;
}
