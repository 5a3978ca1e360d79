/*
 * symbol_part.h - what the files of symbol*.c share: the debug information of one module, its
 * compilation units by address (clang writes no .debug_aranges, on which libdwfl relies), its
 * variables by address. Supervisor only.
 */
#ifndef SYMBOL_SYMBOL_PART_H
#define SYMBOL_SYMBOL_PART_H

#include "harness/base/text.h"

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;
/* The module that an address is in, or NULL; its first address, and its file's path. */
Dwfl_Module *symbols_module_of(struct symbols *symbols, uint64_t address);
uint64_t symbols_start_of(Dwfl_Module *module, const char **path);

struct unit_range { /* addresses as in the debug information */
    uint64_t start, end;
    Dwarf_Die unit;
};

struct variable {
    uint64_t address, bytes; /* thread-local: offset in the module's thread-local storage */
    bool thread_local;
    Dwarf_Die die;
};

struct debug {
    Dwarf *dwarf; /* NULL: there is none */
    uint64_t bias;
    struct unit_range *ranges; /* sorted by start */
    size_t range_count, range_room;
    bool variables_read;
    struct variable *variables; /* sorted */
    size_t variable_count, variable_room;
};

/* Of a module; kept with it until debug_free. */
struct debug *debug_get(Dwfl_Module *module);
void debug_free(Dwfl_Module *module);

/* The compilation unit of a runtime address, or NULL. */
Dwarf_Die *debug_unit(struct debug *debug, uint64_t address);
/* The variable at an address (as in the debug information) or offset in thread-local storage. */
const struct variable *debug_variable(struct debug *debug, uint64_t address, bool thread_local);

/* The name of a function or a variable with its namespaces and classes, as demangle gives it; ""
 * where it has none. The caller frees. */
char *debug_name(Dwarf_Die *die);

/* The scopes of functions that an address lies in, outermost (the subprogram) first, then what was
 * inlined into it. Returns how many; at most `most`. */
#define DEBUG_SCOPES 64
size_t debug_scopes(Dwarf_Die *unit, uint64_t pc, Dwarf_Die *scopes, size_t most);

/* The type behind names and qualifiers. False: void, or damaged. */
bool type_strip(Dwarf_Die *type);
/* The type that a DIE (variable, member, pointer) says it has, stripped. */
bool type_of(Dwarf_Die *die, Dwarf_Die *type);

/* What a C programmer would write behind an object of `type` to reach the pointer at `offset` in
 * it: ".buckets[3]". False, and nothing put, when there is none. *to is what it points to,
 * stripped; *known is false when that is void or unknown. */
bool type_path(Dwarf_Die *type, uint64_t offset, struct text *path, Dwarf_Die *to, bool *known);
/* The same behind a pointer to `type`, for a block of `bytes` in which it points `at`: "->next",
 * "[3].next". */
bool type_block_path(Dwarf_Die *type, uint64_t bytes, uint64_t at, uint64_t offset,
                     struct text *path, Dwarf_Die *to, bool *known);

#endif
