/* libcheck_api.c - the table of the engine's functions; see libcheck.h. */
#include "harness/boundary/libcheck_engine.h"

/* The slots that the exported names of libcheck_export.c jump through. */
#define LIBCHECK_API(name)                                                                         \
    void *tidemark_slot_##name;                                                                    \
    _Static_assert(__builtin_types_compatible_p(__typeof__(engine_##name), __typeof__(name)),      \
                   "engine_" #name " differs from check.h");
#define LIBCHECK_TAKE(name) void *tidemark_slot_##name;
#include "harness/boundary/libcheck_api.def"
#undef LIBCHECK_API
#undef LIBCHECK_TAKE

const struct libcheck_function libcheck_functions[] = {
#define LIBCHECK_API(name)  {#name, (void *)(uintptr_t)engine_##name, &tidemark_slot_##name},
#define LIBCHECK_TAKE(name) {#name, (void *)(uintptr_t)engine_##name, &tidemark_slot_##name},
#include "harness/boundary/libcheck_api.def"
#undef LIBCHECK_API
#undef LIBCHECK_TAKE
};

const uint32_t libcheck_function_count = sizeof libcheck_functions / sizeof libcheck_functions[0];
