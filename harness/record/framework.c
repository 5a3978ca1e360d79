/* framework.c - see framework.h. */
#include "harness/record/framework.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct mark {
    const char *symbol;
    bool is_prefix;
    const char *framework;
};

/* A function that every program of the framework has, defined or taken from a library. */
static const struct mark marks[] = {
    {"srunner_create", false, "libcheck"},
    {"_tcase_add_test", false, "libcheck"},
    {"suite_create", false, "libcheck"},
    {"_cmocka_run_group_tests", false, "cmocka"},
    {"CU_initialize_registry", false, "CUnit"},
    {"g_test_run", false, "GLib"},
    {"_ZN7testing8UnitTest3RunEv", false, "GoogleTest"},
    {"_ZN5Catch10RunContext7runTest", true, "Catch2"},
    {"_ZN5Catch12AutoReg", true, "Catch2"},
    {"_ZN7doctest7Context3runEv", false, "doctest"},
    {"_ZN7doctest6detail7regTest", true, "doctest"},
    {"_ZN5boost9unit_test14unit_test_main", true, "Boost.Test"},
    {"_ZN10UtestShell10runOneTest", true, "CppUTest"},
    {"criterion_internal_test_main", false, "Criterion"},
    {"UnityBegin", false, "Unity"},
    {"munit_suite_main_custom", false, "munit"},
    {"munit_suite_main", false, "munit"},
    {"acutest_list_", false, "Acutest"},
    {"test_list_", false, "Acutest"},
    {"utest_state", false, "utest.h"},
    {"greatest_test_pre", false, "greatest"},
    {"tap_plan", false, "libtap"},
    {"tidemark_test_begin", false, "tidemark.h"},
};

static const char *const sanitizers[] = {"__asan_init", "__lsan_init"};

struct found {
    const char *framework;
    bool sanitized;
};

static void symbol_look(const char *name, struct found *found)
{
    for (size_t i = 0; found->framework == NULL && i < sizeof marks / sizeof marks[0]; i++) {
        const struct mark *mark = &marks[i];
        if (mark->is_prefix ? strncmp(name, mark->symbol, strlen(mark->symbol)) == 0
                            : strcmp(name, mark->symbol) == 0) {
            found->framework = mark->framework;
        }
    }
    for (size_t i = 0; i < sizeof sanitizers / sizeof sanitizers[0]; i++) {
        found->sanitized |= strcmp(name, sanitizers[i]) == 0;
    }
}

static void symbols_look(Elf *elf, struct found *found)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_entsize == 0 ||
            (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM)) {
            continue;
        }
        Elf_Data *data = elf_getdata(section, NULL);
        for (size_t i = 0; data != NULL && i < header.sh_size / header.sh_entsize; i++) {
            GElf_Sym symbol;
            const char *name = gelf_getsym(data, (int)i, &symbol) == NULL
                                   ? NULL
                                   : elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name != NULL && name[0] != '\0') {
                symbol_look(name, found);
            }
        }
    }
}

const char *framework_of(const char *path, bool *sanitized)
{
    struct found found = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && elf_version(EV_CURRENT) != EV_NONE) {
        Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
        if (elf != NULL && elf_kind(elf) == ELF_K_ELF) {
            symbols_look(elf, &found);
        }
        elf_end(elf);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (sanitized != NULL) {
        *sanitized = found.sanitized;
    }
    return found.framework;
}
