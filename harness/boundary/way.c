/* way.c - see way.h. */
#include "harness/boundary/way.h"

#include "harness/boundary/adapter.h"
#include "harness/boundary/libcheck.h"
#include "harness/boundary/memcheck.h"
#include "harness/boundary/patch.h"
#include "harness/boundary/symtab.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FUNCTIONS_MAX = 64 };

/* The functions without which a set of names is not libcheck. */
static bool is_essential(const char *name)
{
    static const char *const essential[] = {
        "suite_create",    "tcase_create", "_tcase_add_test",   "srunner_create",
        "srunner_run_all", "srunner_run",  "_ck_assert_failed", "suite_add_tcase"};
    for (size_t i = 0; i < sizeof essential / sizeof essential[0]; i++) {
        if (strcmp(essential[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool way_symtab_take(uint32_t *left)
{
    struct symtab_entry entries[FUNCTIONS_MAX + 1];
    uint32_t count =
        libcheck_function_count < FUNCTIONS_MAX ? libcheck_function_count : FUNCTIONS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        entries[i].name = libcheck_functions[i].name;
    }
    entries[count].name = "check_minor_version";
    *left = 0;
    if (!symtab_find(entries, count + 1)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i].address == NULL && is_essential(entries[i].name)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i].address != NULL &&
            !patch_jump(entries[i].address, entries[i].room, libcheck_functions[i].engine)) {
            if (is_essential(entries[i].name) && *left == 0) {
                return false; /* nothing that matters was changed yet: the kernel forbids it */
            }
            (*left)++;
        }
    }
    if (entries[count].address != NULL) {
        libcheck_minor_set(*(const int *)entries[count].address);
    }
    return true;
}

void way_dynamic_set(bool engine)
{
    for (uint32_t i = 0; i < libcheck_function_count; i++) {
        const struct libcheck_function *function = &libcheck_functions[i];
        void *next = engine ? NULL : dlsym(RTLD_NEXT, function->name);
        /* Behind us there is no libcheck in a program that was linked by our check.pc. */
        *function->slot = next == NULL ? function->engine : next;
    }
    const int *minor = dlsym(RTLD_NEXT, "check_minor_version");
    if (engine && minor != NULL) {
        libcheck_minor_set(*minor);
    }
}

/* A library that has libcheck in it may call it without asking the linker (-Bsymbolic): its copy is
 * replaced as a static one is. */
static void library_patch(void)
{
    for (uint32_t i = 0; i < libcheck_function_count; i++) {
        Dl_info info;
        const ElfW(Sym) *symbol = NULL;
        void *there = dlsym(RTLD_NEXT, libcheck_functions[i].name);
        if (there != NULL &&
            dladdr1(there, &info, (void **)(uintptr_t)&symbol, RTLD_DL_SYMENT) != 0 &&
            symbol != NULL) {
            patch_jump(there, symbol->st_size, libcheck_functions[i].engine);
        }
    }
}

static void libcheck_take(void)
{
    way_dynamic_set(true);
    library_patch();
}

const struct adapter adapter_libcheck = {.framework = "libcheck",
                                         .import = "srunner_create",
                                         .import_beside = "suite_create",
                                         .take = libcheck_take};

enum wire_way way_wished(void)
{
    static const struct {
        const char *word;
        enum wire_way way;
    } words[] = {{"symtab", WIRE_WAY_SYMTAB},
                 {"dynamic", WIRE_WAY_DYNAMIC},
                 {"header", WIRE_WAY_HEADER},
                 {"libc", WIRE_WAY_LIBC},
                 {"program", WIRE_WAY_PROGRAM}};
    const char *wish = getenv(WIRE_WAY_ENV);
    for (size_t i = 0; wish != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(wish, words[i].word) == 0) {
            return words[i].way;
        }
    }
    return WIRE_WAY_NONE;
}

/* A program of such a name elsewhere (tests/env) is a test program. Without a folder: not known. */
static bool is_installed(const char *path)
{
    const char *name = strrchr(path, '/');
    size_t bytes = name == NULL ? 0 : (size_t)(name - path);
    return name == NULL || (bytes >= 4 && memcmp(name - 4, "/bin", 4) == 0) ||
           (bytes >= 5 && memcmp(name - 5, "/sbin", 5) == 0);
}

bool way_is_launcher(void)
{
    static const char *const launchers[] = {
        "sh",      "dash",     "bash",    "ksh93",   "zsh",     "busybox",  "env",
        "nice",    "nohup",    "make",    "gmake",   "ninja",   "meson",    "ctest",
        "timeout", "valgrind", "setpriv", "stdbuf",  "time",    "python3",  "perl",
        "sudo",    "ltrace",   "strace",  "taskset", "unshare", "coreutils"};
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    if (bytes <= 0) {
        return false;
    }
    path[bytes] = '\0';
    if (memcheck_here()) { /* valgrind names the script there, and not its interpreter */
        snprintf(path, sizeof path, "%s", program_invocation_name);
    }
    const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        size_t length = strlen(launchers[i]);
        /* python3.11, perl5.36 ... */
        if (strncmp(name, launchers[i], length) == 0 && is_installed(path) &&
            (name[length] == '\0' || name[length] == '.' ||
             (name[length] >= '0' && name[length] <= '9'))) {
            return true;
        }
    }
    return false;
}
