/* adapter.c - see adapter.h. */
#include "harness/boundary/adapter.h"

#include "harness/boundary/child.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/program.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct adapter *const adapters[] = {
    &adapter_libcheck, &adapter_cmocka,   &adapter_cunit,     &adapter_glib,
    &adapter_gtest,    &adapter_catch2,   &adapter_doctest,   &adapter_cpputest,
    &adapter_unity,    &adapter_boost,    &adapter_munit,     &adapter_acutest,
    &adapter_utest,    &adapter_greatest, &adapter_criterion, &adapter_libtap,
};
enum { ADAPTERS = sizeof adapters / sizeof adapters[0] };

struct imports {
    const ElfW(Sym) * symbols;
    const char *names;
    size_t count; /* at least those that it needs relocated */
};

/* Where the linker has to put an address: functions that are called, and those in a variable. */
struct relocations {
    const ElfW(Rela) * at;
    size_t bytes;
};

static size_t symbols_of(const struct relocations *relocations)
{
    size_t count = 0;
    for (size_t i = 0; relocations->at != NULL && i < relocations->bytes / sizeof(ElfW(Rela));
         i++) {
        size_t symbol = ELF64_R_SYM(relocations->at[i].r_info);
        count = symbol >= count ? symbol + 1 : count;
    }
    return count;
}

static int imports_of_first(struct dl_phdr_info *info, size_t size, void *data)
{
    struct imports *imports = data;
    const ElfW(Dyn) *dynamic = NULL;
    struct relocations data_relocations = {0}, calls = {0};
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
        /* glibc has relocated these pointers in place. */
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            imports->symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
            break;
        case DT_STRTAB:
            imports->names = (const char *)dynamic->d_un.d_ptr;
            break;
        case DT_RELA:
            data_relocations.at = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_RELASZ:
            data_relocations.bytes = dynamic->d_un.d_val;
            break;
        case DT_JMPREL:
            calls.at = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            calls.bytes = dynamic->d_un.d_val;
            break;
        default:
            break;
        }
    }
    /* Not from the hash table: that of a program which exports nothing does not tell. */
    size_t by_data = symbols_of(&data_relocations), by_calls = symbols_of(&calls);
    imports->count = by_data > by_calls ? by_data : by_calls;
    return 1; /* the first is the executable */
}

bool imports_have(const char *name)
{
    struct imports imports = {0};
    dl_iterate_phdr(imports_of_first, &imports);
    for (size_t i = 1; imports.symbols != NULL && imports.names != NULL && i < imports.count; i++) {
        if (imports.symbols[i].st_shndx == SHN_UNDEF &&
            strcmp(imports.names + imports.symbols[i].st_name, name) == 0) {
            return true;
        }
    }
    return false;
}

const struct adapter *adapter_find(void)
{
    for (size_t i = 0; i < ADAPTERS; i++) {
        const struct adapter *adapter = adapters[i];
        if (adapter->import != NULL &&
            (imports_have(adapter->import) ||
             (adapter->import_beside != NULL && imports_have(adapter->import_beside) &&
              dlsym(RTLD_NEXT, adapter->import) != NULL))) {
            return adapter;
        }
    }
    return NULL;
}

const struct adapter *adapter_static_find(void)
{
    struct hook symbols[ADAPTERS];
    memset(symbols, 0, sizeof symbols);
    for (size_t i = 0; i < ADAPTERS; i++) {
        bool is_static = adapters[i]->symbol != NULL;
        symbols[i].name = is_static ? adapters[i]->symbol : "-";
        symbols[i].other = is_static ? adapters[i]->other_symbol : NULL;
        symbols[i].optional = true;
    }
    hooks_find(symbols, ADAPTERS);
    for (size_t i = 0; i < ADAPTERS; i++) {
        if (symbols[i].there != NULL) {
            return adapters[i];
        }
    }
    return NULL;
}

struct forked {
    void (*run)(void *, uint32_t, bool, struct outcome *);
    void *self;
    uint32_t index;
};

enum { EXIT_SKIPPED = 77 };

static void forked_body(void *data)
{
    const struct forked *forked = data;
    struct outcome outcome = {.status = WIRE_PASS, .file = "", .message = ""};
    forked->run(forked->self, forked->index, false, &outcome);
    child_note();
    syscall(SYS_exit_group, outcome.status == WIRE_PASS   ? 0
                            : outcome.status == WIRE_SKIP ? EXIT_SKIPPED
                                                          : 1);
}

void adapter_run_forked(void (*run)(void *, uint32_t, bool, struct outcome *), void *self,
                        uint32_t index, struct outcome *outcome)
{
    static char message[64];
    struct forked forked = {.run = run, .self = self, .index = index};
    struct child_end end;
    child_run(forked_body, &forked, 0, &end);
    outcome->forked = true;
    outcome->allocs = end.allocs;
    outcome->frees = end.frees;
    outcome->bytes = end.bytes;
    if (end.failed) {
        outcome->status = WIRE_FAIL;
        outcome->message = "fork failed";
    } else if (end.timed_out) {
        outcome->status = WIRE_TIMEOUT;
        outcome->message = "its child took too long";
    } else if (WIFSIGNALED(end.status)) {
        outcome->status = WIRE_CRASH;
        outcome->signal = WTERMSIG(end.status);
        snprintf(message, sizeof message, "%s", strsignal(outcome->signal));
        outcome->message = message;
    } else if (WEXITSTATUS(end.status) != 0) {
        outcome->exit_code = WEXITSTATUS(end.status);
        outcome->status = WEXITSTATUS(end.status) == EXIT_SKIPPED ? WIRE_SKIP : WIRE_FAIL;
        outcome->message = "failed in a child";
    }
}

const char *adapter_program(void)
{
    return program_name();
}

bool adapter_prepare_nothing(void *self, uint32_t index, struct outcome *outcome)
{
    (void)self;
    (void)index;
    (void)outcome;
    return true;
}

void adapter_finish_nothing(void *self)
{
    (void)self;
}

void adapter_print(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fflush(stdout);
    if (bytes > 0) {
        ssize_t written = write(STDOUT_FILENO, line,
                                (size_t)bytes < sizeof line ? (size_t)bytes : sizeof line - 1);
        (void)written; /* the supervisor has it all from the wire */
    }
}
