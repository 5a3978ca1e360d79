/*
 * hooks_new.c - C++'s operator new and delete. libstdc++'s go through malloc anyway, but
 * libjemalloc brings its own, which would stand before libstdc++'s and bypass the ledger: so these
 * stand before both. Runs in the worker. Plain C: the mangled names are the contract of the Itanium
 * C++ ABI.
 */
#include "harness/ledger/hooks.h"

#include "harness/ledger/unwind.h"

#include <dlfcn.h>
#include <stdlib.h> /* abort */

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION

typedef void new_handler(void);
typedef new_handler *handler_getter(void);

/* Asks the program's new-handler for memory until there is some; throws std::bad_alloc, or returns
 * NULL for the nothrow forms, when there is no handler. A handler may throw through here. */
static UNWIND_HOOK_SECTION void *new_again(size_t alignment, size_t bytes, bool nothrow)
{
    handler_getter *handler_get = (handler_getter *)dlsym(RTLD_DEFAULT, "_ZSt15get_new_handlerv");
    for (;;) {
        new_handler *handler = handler_get != NULL ? handler_get() : NULL;
        if (handler == NULL) {
            break;
        }
        handler();
        void *block = alignment == 0 ? hooks_alloc(bytes) : hooks_alloc_aligned(alignment, bytes);
        if (block != NULL) {
            return block;
        }
    }
    if (!nothrow) {
        void (*bad_alloc)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "_ZSt17__throw_bad_allocv");
        if (bad_alloc == NULL) {
            abort();
        }
        bad_alloc();
    }
    return NULL;
}

static inline __attribute__((always_inline)) void *new_plain(size_t bytes, bool nothrow)
{
    void *block = hooks_alloc(bytes);
    return __builtin_expect(block != NULL, 1) ? block : new_again(0, bytes, nothrow);
}

static inline __attribute__((always_inline)) void *new_aligned(size_t bytes, size_t alignment,
                                                               bool nothrow)
{
    void *block = hooks_alloc_aligned(alignment, bytes);
    return __builtin_expect(block != NULL, 1) ? block : new_again(alignment, bytes, nothrow);
}

#define NEW(name)                                                                                  \
    EXPORT void *name(size_t bytes);                                                               \
    EXPORT void *name(size_t bytes)                                                                \
    {                                                                                              \
        return new_plain(bytes, false);                                                            \
    }
#define NEW_NOTHROW(name)                                                                          \
    EXPORT void *name(size_t bytes, const void *nothrow);                                          \
    EXPORT void *name(size_t bytes, const void *nothrow)                                           \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return new_plain(bytes, true);                                                             \
    }
#define NEW_ALIGNED(name)                                                                          \
    EXPORT void *name(size_t bytes, size_t alignment);                                             \
    EXPORT void *name(size_t bytes, size_t alignment)                                              \
    {                                                                                              \
        return new_aligned(bytes, alignment, false);                                               \
    }
#define NEW_ALIGNED_NOTHROW(name)                                                                  \
    EXPORT void *name(size_t bytes, size_t alignment, const void *nothrow);                        \
    EXPORT void *name(size_t bytes, size_t alignment, const void *nothrow)                         \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return new_aligned(bytes, alignment, true);                                                \
    }
#define DELETE_SIZED(name)                                                                         \
    EXPORT void name(void *block, size_t bytes);                                                   \
    EXPORT void name(void *block, size_t bytes)                                                    \
    {                                                                                              \
        hooks_free_sized(block, bytes);                                                            \
    }
/* The alignments and tags that follow are not needed: the block knows. */
#define DELETE(name)                                                                               \
    EXPORT void name(void *block);                                                                 \
    EXPORT void name(void *block)                                                                  \
    {                                                                                              \
        hooks_free(block);                                                                         \
    }

NEW(_Znwm)
NEW(_Znam)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE_SIZED(_ZdlPvm)
DELETE_SIZED(_ZdaPvm)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE_SIZED(_ZdlPvmSt11align_val_t)
DELETE_SIZED(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
