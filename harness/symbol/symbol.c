/* symbol.c - see symbol.h. Debug files are found as elfutils finds them: beside the program, by
 * build-id, in /usr/lib/debug. */
#include "harness/symbol/symbol.h"

#include "harness/base/memory.h"
#include "harness/symbol/demangle.h"
#include "harness/symbol/symbol_part.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES 256u /* a power of two: that are remembered */

struct symbols {
    Dwfl *dwfl;
    bool open; /* modules are being reported */
    struct {
        uint64_t address, line, own;
    } * lines; /* by hash of the address; what symbols_line and symbols_own_line said */
    size_t line_count, line_room;
    struct { /* by hash of the address; elfutils looks through a whole table of symbols */
        uint64_t address;
        const char *name;
    } names[NAMES];
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

static int module_free(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr start,
                       void *context)
{
    (void)data, (void)name, (void)start, (void)context;
    debug_free(module);
    return DWARF_CB_OK;
}

void symbols_free(struct symbols **symbols)
{
    if (*symbols) {
        if ((*symbols)->dwfl) {
            dwfl_getmodules((*symbols)->dwfl, module_free, NULL, 0);
        }
        dwfl_end((*symbols)->dwfl);
        free((*symbols)->lines);
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
        memset(symbols->names, 0, sizeof symbols->names);
    }
    dwfl_report_elf(symbols->dwfl, module->path, module->path, -1, module->base, true);
}

Dwfl_Module *symbols_module_of(struct symbols *symbols, uint64_t address)
{
    if (symbols->open) {
        dwfl_report_end(symbols->dwfl, NULL, NULL);
        symbols->open = false;
    }
    return symbols->dwfl ? dwfl_addrmodule(symbols->dwfl, address) : NULL;
}

uint64_t symbols_start_of(Dwfl_Module *module, const char **path)
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

static struct result_frame *frame_add(struct result_frame **frames, size_t *count, const char *path,
                                      uint64_t offset)
{
    *frames = reallocarray(*frames, *count + 1, sizeof **frames);
    if (!*frames) {
        memory_die();
    }
    struct result_frame *frame = &(*frames)[(*count)++];
    *frame = (struct result_frame){.function = memory_copy(""),
                                   .file = memory_copy(""),
                                   .module = memory_copy(path ? path : ""),
                                   .offset = offset};
    return frame;
}

/* A relative name is relative to the folder that the compiler was called in. */
static void frame_place(struct result_frame *frame, Dwarf_Die *unit, const char *file, int line)
{
    Dwarf_Attribute attribute;
    const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    if (!file) {
        return;
    }
    char *whole =
        file[0] != '/' && folder && folder[0] == '/' ? memory_format("%s/%s", folder, file) : NULL;
    char *real = whole ? realpath(whole, NULL) : NULL;
    result_set(&frame->file, file_short(real ? real : file));
    frame->line = line > 0 ? (unsigned)line : 0;
    free(whole);
    free(real);
}

/* Where an inlined function was called. */
static void frame_place_call(struct result_frame *frame, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file, line = 0;
    Dwarf_Files *files;
    size_t count;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 &&
        dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
        dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count) {
        frame_place(frame, unit, dwarf_filesrc(files, file, NULL, NULL), (int)line);
    }
}

/* The name in the table of symbols, or NULL. */
static const char *name_of(struct symbols *symbols, Dwfl_Module *module, uint64_t address)
{
    size_t slot = (size_t)(address * 0x9e3779b97f4a7c15u >> 32) % NAMES;
    if (symbols->names[slot].address != address) {
        symbols->names[slot].address = address;
        symbols->names[slot].name = dwfl_module_addrname(module, address);
    }
    return symbols->names[slot].name;
}

/* libc's own frames outside of main and of a thread's function, which begin nearly every stack.
 * They are named without debug information: libc's, where it is installed, takes a sixth of a
 * second to unpack, and no line of it says more than the name. */
static bool is_start_of_program(struct symbols *symbols, Dwfl_Module *module, const char *path,
                                uint64_t pc)
{
    static const char *const names[] = {"__libc_start_call_main", "__libc_start_main",
                                        "start_thread", "clone", "clone3"};
    const char *base = path ? strrchr(path, '/') : NULL;
    const char *name =
        base && strncmp(base, "/libc.so.", 9) == 0 ? name_of(symbols, module, pc) : NULL;
    size_t bytes = name ? strcspn(name, "@") : 0; /* of a symbol with a version */
    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i], bytes) == 0 && names[i][bytes] == 0) {
            return true;
        }
    }
    return false;
}

void symbols_stack(struct symbols *symbols, uint64_t address, bool exact,
                   struct result_frame **frames, size_t *count)
{
    uint64_t pc = exact ? address : address - 1;
    Dwfl_Module *module = symbols_module_of(symbols, pc);
    if (!module) {
        frame_add(frames, count, "", address);
        return;
    }
    const char *path = NULL;
    uint64_t offset = address - symbols_start_of(module, &path);
    struct result_frame *frame = frame_add(frames, count, path, offset);
    bool start = is_start_of_program(symbols, module, path, pc);
    struct debug *debug = start ? NULL : debug_get(module);
    Dwarf_Die scopes[DEBUG_SCOPES], *unit = debug ? debug_unit(debug, pc) : NULL;
    size_t depth = unit ? debug_scopes(unit, pc - debug->bias, scopes, DEBUG_SCOPES) : 0;
    Dwarf_Line *line = unit ? dwarf_getsrc_die(unit, pc - debug->bias) : NULL;
    int number = 0;
    if (line && dwarf_lineno(line, &number) == 0) {
        frame_place(frame, unit, dwarf_linesrc(line, NULL, NULL), number);
    }
    for (; depth > 1; depth--) {
        free(frame->function);
        frame->function = debug_name(&scopes[depth - 1]);
        frame = frame_add(frames, count, path, offset);
        frame_place_call(frame, unit, &scopes[depth - 1]);
    }
    free(frame->function);
    frame->function = depth == 1 ? debug_name(&scopes[0]) : memory_copy("");
    if (!frame->function[0]) {
        const char *name = name_of(symbols, module, pc);
        free(frame->function);
        frame->function = demangle(name ? name : "");
    }
}

static uint64_t text_mix(uint64_t hash, const char *text)
{
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash * 0x9e3779b97f4a7c15u;
}

static uint64_t frame_line(const struct result_frame *frame)
{
    uint64_t hash = text_mix(0xcbf29ce484222325u, frame->module);
    hash = text_mix(hash, frame->function);
    if (frame->line > 0) {
        hash = text_mix(hash, frame->file) ^ frame->line;
    } else if (!frame->function[0]) {
        hash ^= frame->offset;
    }
    return hash ? hash : 1;
}

static void lines_of(struct symbols *symbols, uint64_t address, uint64_t *line, uint64_t *own)
{
    struct result_frame *frames = NULL;
    size_t count = 0, at = 0;
    symbols_stack(symbols, address, false, &frames, &count);
    while (at < count && result_frame_system(&frames[at])) {
        at++;
    }
    *line = frame_line(&frames[0]);
    *own = at < count ? frame_line(&frames[at]) : 0;
    result_frames_free(frames, count);
}

/* Where the line of an address is kept, or would be. */
static size_t line_slot(const struct symbols *symbols, uint64_t address)
{
    size_t at = (size_t)(address * 0x9e3779b97f4a7c15u >> 20);
    while (symbols->lines[at & (symbols->line_room - 1)].address != 0 &&
           symbols->lines[at & (symbols->line_room - 1)].address != address) {
        at++;
    }
    return at & (symbols->line_room - 1);
}

static void lines_grow(struct symbols *symbols)
{
    struct symbols bigger = {.line_room = symbols->line_room ? symbols->line_room * 2 : 1024};
    bigger.lines = memory_new(bigger.line_room, sizeof bigger.lines[0]);
    for (size_t i = 0; i < symbols->line_room; i++) {
        if (symbols->lines[i].address != 0) {
            bigger.lines[line_slot(&bigger, symbols->lines[i].address)] = symbols->lines[i];
        }
    }
    free(symbols->lines);
    symbols->lines = bigger.lines;
    symbols->line_room = bigger.line_room;
}

/* Looked up once for each address. */
static size_t line_get(struct symbols *symbols, uint64_t address)
{
    if (symbols->line_count * 2 >= symbols->line_room) {
        lines_grow(symbols);
    }
    size_t slot = line_slot(symbols, address);
    if (symbols->lines[slot].address == 0) {
        lines_of(symbols, address, &symbols->lines[slot].line, &symbols->lines[slot].own);
        symbols->lines[slot].address = address;
        symbols->line_count++;
    }
    return slot;
}

uint64_t symbols_line(struct symbols *symbols, uint64_t address)
{
    size_t slot = line_get(symbols, address); /* the table may move */
    return symbols->lines[slot].line;
}

uint64_t symbols_own_line(struct symbols *symbols, uint64_t address)
{
    size_t slot = line_get(symbols, address); /* the table may move */
    return symbols->lines[slot].own;
}

char *symbols_function(struct symbols *symbols, uint64_t address)
{
    Dwfl_Module *module = symbols_module_of(symbols, address);
    const char *name = module ? name_of(symbols, module, address) : NULL;
    return memory_copy(name ? name : "");
}

bool symbols_takes_pointer(struct symbols *symbols, uint64_t address, unsigned parameter)
{
    Dwarf_Die scopes[DEBUG_SCOPES], child, type;
    Dwfl_Module *module = symbols_module_of(symbols, address);
    struct debug *debug = module ? debug_get(module) : NULL;
    Dwarf_Die *unit = debug ? debug_unit(debug, address) : NULL;
    if (!unit || debug_scopes(unit, address - debug->bias, scopes, DEBUG_SCOPES) == 0 ||
        dwarf_child(&scopes[0], &child) != 0) {
        return false;
    }
    do {
        if (dwarf_tag(&child) == DW_TAG_formal_parameter && parameter-- == 0) {
            return type_of(&child, &type) && dwarf_tag(&type) == DW_TAG_pointer_type;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

bool symbols_own(struct symbols *symbols, uint64_t address)
{
    const char *path = NULL;
    Dwfl_Module *module = symbols_module_of(symbols, address);
    if (module) {
        symbols_start_of(module, &path);
    }
    return path && strstr(path, "/libtidemark.so") != NULL;
}

bool symbols_system(struct symbols *symbols, uint64_t address)
{
    const char *path = NULL;
    Dwfl_Module *module = symbols_module_of(symbols, address);
    if (!module) {
        return true;
    }
    symbols_start_of(module, &path);
    return !path || strncmp(path, "/lib", 4) == 0 || strncmp(path, "/usr/lib", 8) == 0 ||
           strstr(path, "/libtidemark.so") != NULL;
}
