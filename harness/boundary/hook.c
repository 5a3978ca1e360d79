/* hook.c - see hook.h. */
#include "harness/boundary/hook.h"

#include "harness/boundary/symtab.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

enum { NAMES_MAX = 96 };

/* Among the names that the loaded libraries export. */
static void exported_find(struct hook *hook, const char *name)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    void *there = name == NULL ? NULL : dlsym(RTLD_DEFAULT, name);
    if (there != NULL && dladdr1(there, &info, (void **)(uintptr_t)&symbol, RTLD_DL_SYMENT) != 0 &&
        symbol != NULL) {
        hook->there = there;
        hook->room = symbol->st_size;
    }
}

static void answer_take(struct hook *hook, const struct symtab_entry *entry)
{
    if (hook->there == NULL) {
        hook->there = entry->address;
        hook->room = entry->room;
    }
}

bool hooks_find(struct hook *hooks, size_t count)
{
    struct symtab_entry entries[NAMES_MAX];
    bool found = 2 * count <= NAMES_MAX;
    for (size_t i = 0; found && i < count; i++) {
        hooks[i].there = NULL;
        entries[2 * i].name = hooks[i].name;
        entries[2 * i + 1].name = hooks[i].other == NULL ? "-" : hooks[i].other; /* no such name */
    }
    bool table = found && symtab_find(entries, 2 * count);
    for (size_t i = 0; found && i < count; i++) {
        if (table) {
            answer_take(&hooks[i], &entries[2 * i]);
            answer_take(&hooks[i], &entries[2 * i + 1]);
        }
        if (hooks[i].there == NULL) {
            exported_find(&hooks[i], hooks[i].name);
        }
        if (hooks[i].there == NULL) {
            exported_find(&hooks[i], hooks[i].other);
        }
        if (hooks[i].here != NULL && hooks[i].room < patch_near_bytes(PATCH_HERE) + 4) {
            hooks[i].there = NULL;
        }
        found = hooks[i].there != NULL || hooks[i].optional;
    }
    return found;
}

static bool hook_set(struct hook *hook)
{
    hook->bytes = hook->room < PATCH_ENTRY_MAX ? hook->room : PATCH_ENTRY_MAX;
    memcpy(hook->own, hook->there, hook->bytes);
    if (!patch_jump(hook->there, hook->room, hook->here)) {
        hook->bytes = 0;
        return false;
    }
    memcpy(hook->jump, hook->there, hook->bytes);
    return true;
}

bool hooks_set(struct hook *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hooks[i].here != NULL && hooks[i].there != NULL && !hook_set(&hooks[i])) {
            while (i-- > 0) {
                hook_lift(&hooks[i]);
            }
            return false;
        }
    }
    return true;
}

void hook_lift(struct hook *hook)
{
    if (hook->bytes != 0) {
        patch_code(hook->there, hook->own, hook->bytes);
    }
}

void hook_put(struct hook *hook)
{
    if (hook->bytes != 0) {
        patch_code(hook->there, hook->jump, hook->bytes);
    }
}
