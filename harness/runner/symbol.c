/* symbol.c - see symbol.h. Debug files are found as elfutils finds them: beside the program, by
 * build-id, in /usr/lib/debug. */
#include "harness/runner/symbol.h"

#include "harness/base/memory.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbols {
    Dwfl *dwfl;
    bool open; /* modules are being reported */
};

static char *debug_path;
static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .debuginfo_path = &debug_path};

struct symbols *symbols_new(void)
{
    struct symbols *symbols = memory_new(1, sizeof *symbols);
    symbols->dwfl = dwfl_begin(&callbacks);
    return symbols;
}

void symbols_free(struct symbols **symbols)
{
    if (*symbols) {
        dwfl_end((*symbols)->dwfl);
        free(*symbols);
        *symbols = NULL;
    }
}

void symbols_module(struct symbols *symbols, const struct wire_module *module)
{
    if (!symbols->dwfl || access(module->path, R_OK) != 0) {
        return;
    }
    if (!symbols->open) {
        dwfl_report_begin_add(symbols->dwfl);
        symbols->open = true;
    }
    dwfl_report_elf(symbols->dwfl, module->path, module->path, -1, module->base, true);
}

static Dwfl_Module *module_of(struct symbols *symbols, uint64_t address)
{
    if (symbols->open) {
        dwfl_report_end(symbols->dwfl, NULL, NULL);
        symbols->open = false;
    }
    return symbols->dwfl ? dwfl_addrmodule(symbols->dwfl, address) : NULL;
}

static uint64_t bias_of(Dwfl_Module *module, const char **path)
{
    Dwarf_Addr start;
    const char *name = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, path, NULL);
    if (!*path) {
        *path = name;
    }
    return start;
}

/* The file as a person would name it: below the current folder where it is. */
static const char *file_short(const char *file)
{
    static char folder[4096];
    size_t length = folder[0] || getcwd(folder, sizeof folder) ? strlen(folder) : 0;
    while (strncmp(file, "./", 2) == 0) {
        file += 2;
    }
    return length && strncmp(file, folder, length) == 0 && file[length] == '/' ? file + length + 1
                                                                               : file;
}

void symbols_frame(struct symbols *symbols, uint64_t address, bool exact,
                   struct result_frame *frame)
{
    uint64_t pc = exact ? address : address - 1;
    Dwfl_Module *module = module_of(symbols, pc);
    *frame = (struct result_frame){.function = memory_copy(""),
                                   .file = memory_copy(""),
                                   .module = memory_copy(""),
                                   .offset = address};
    if (!module) {
        return;
    }
    const char *path = NULL, *name = dwfl_module_addrname(module, pc);
    frame->offset = address - bias_of(module, &path);
    result_set(&frame->module, path ? path : "");
    result_set(&frame->function, name ? name : "");
    Dwfl_Line *line = dwfl_module_getsrc(module, pc);
    int number = 0;
    const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (file) {
        result_set(&frame->file, file_short(file));
        frame->line = (unsigned)number;
    }
}

bool symbols_own(struct symbols *symbols, uint64_t address)
{
    const char *path = NULL;
    Dwfl_Module *module = module_of(symbols, address);
    if (module) {
        bias_of(module, &path);
    }
    return path && strstr(path, "/libtidemark.so") != NULL;
}

bool symbols_system(struct symbols *symbols, uint64_t address)
{
    const char *path = NULL;
    Dwfl_Module *module = module_of(symbols, address);
    if (!module) {
        return true;
    }
    bias_of(module, &path);
    return !path || strncmp(path, "/lib", 4) == 0 || strncmp(path, "/usr/lib", 8) == 0 ||
           strstr(path, "/libtidemark.so") != NULL;
}

void symbols_variable(struct symbols *symbols, uint64_t address, struct result_link *link)
{
    Dwfl_Module *module = module_of(symbols, address);
    GElf_Sym symbol;
    GElf_Off offset = 0;
    if (module) {
        const char *path = NULL;
        const char *name =
            dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
        uint64_t start = bias_of(module, &path);
        result_set(&link->symbol, name ? name : "");
        result_set(&link->module, path ? path : "");
        link->offset = name ? offset : address - start;
    }
}
