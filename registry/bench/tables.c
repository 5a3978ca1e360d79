/* tables.c - a compiled-in catalogue as a shared object, so that one benchmark measures several. */
#include "registry/bench/contender.h"
#include "registry/image.h"

const struct registry_image *bench_tables(void)
{
    return &registry_tables;
}
