/* symbol_debug.c - see symbol_part.h: units, function scopes and variables of a module. Supervisor
 * only. */
#include "harness/symbol/symbol_part.h"

#include "harness/base/memory.h"

#include "harness/symbol/demangle.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

static int compare_ranges(const void *a, const void *b)
{
    const struct unit_range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void unit_add(struct debug *debug, Dwarf_Die *unit)
{
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(unit, at, &base, &start, &end)) > 0;) {
        if (start < end) {
            memory_grow(&debug->ranges, &debug->range_room, debug->range_count + 1,
                        sizeof debug->ranges[0]);
            debug->ranges[debug->range_count++] =
                (struct unit_range){.start = start, .end = end, .unit = *unit};
        }
    }
}

struct debug *debug_get(Dwfl_Module *module)
{
    void **slot = NULL;
    Dwarf_Addr bias = 0;
    dwfl_module_info(module, &slot, NULL, NULL, NULL, NULL, NULL, NULL);
    struct debug *debug = *slot;
    if (debug) {
        return debug;
    }
    debug = memory_new(1, sizeof *debug);
    *slot = debug;
    debug->dwarf = dwfl_module_getdwarf(module, &bias);
    debug->bias = bias;
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    while (debug->dwarf &&
           dwarf_get_units(debug->dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        if (dwarf_tag(&die) == DW_TAG_compile_unit) {
            unit_add(debug, &die);
        }
    }
    if (debug->range_count) {
        qsort(debug->ranges, debug->range_count, sizeof debug->ranges[0], compare_ranges);
    }
    return debug;
}

void debug_free(Dwfl_Module *module)
{
    void **slot = NULL;
    dwfl_module_info(module, &slot, NULL, NULL, NULL, NULL, NULL, NULL);
    struct debug *debug = slot ? *slot : NULL;
    if (debug) {
        free(debug->ranges);
        free(debug->variables);
        free(debug);
        *slot = NULL;
    }
}

Dwarf_Die *debug_unit(struct debug *debug, uint64_t address)
{
    uint64_t pc = address - debug->bias;
    size_t low = 0, high = debug->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (debug->ranges[middle].start <= pc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && pc < debug->ranges[low - 1].end ? &debug->ranges[low - 1].unit : NULL;
}

/* Namespaces and classes have no addresses, but functions in them. */
static bool is_container(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_module;
}

char *debug_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *linkage =
        dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));
    const char *name = dwarf_diename(die);
    bool mangled = linkage && strncmp(linkage, "_Z", 2) == 0; /* of C, it is an alias of libc's */
    return mangled ? demangle(linkage) : memory_copy(name ? name : linkage ? linkage : "");
}

size_t debug_scopes(Dwarf_Die *unit, uint64_t pc, Dwarf_Die *scopes, size_t most)
{
    size_t count = 0;
    Dwarf_Die die, found;
    bool more = dwarf_child(unit, &die) == 0;
    while (more) {
        int tag = dwarf_tag(&die);
        bool here =
            (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
             tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
            dwarf_haspc(&die, pc) > 0;
        if (here) {
            if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
                if (count == most) {
                    return count;
                }
                scopes[count++] = die;
            }
            more = dwarf_child(&die, &found) == 0;
            die = found;
            continue;
        }
        if (count == 0 && is_container(tag)) {
            size_t inside = debug_scopes(&die, pc, scopes, most);
            if (inside > 0) {
                return inside;
            }
        }
        found = die;
        more = dwarf_siblingof(&found, &die) == 0;
    }
    return count;
}

/* Where a variable lies: one address, or an offset in thread-local storage. */
static bool location_get(Dwarf_Die *die, struct variable *variable)
{
    Dwarf_Attribute location, indirect;
    Dwarf_Op *expression;
    size_t length;
    if (!dwarf_attr(die, DW_AT_location, &location) ||
        dwarf_getlocation(&location, &expression, &length) != 0 || length == 0 || length > 2) {
        return false;
    }
    variable->address = expression[0].number;
    variable->thread_local = length == 2 && (expression[1].atom == DW_OP_GNU_push_tls_address ||
                                             expression[1].atom == DW_OP_form_tls_address);
    switch (expression[0].atom) {
    case DW_OP_addr:
    case DW_OP_const4u:
    case DW_OP_const8u:
        break;
    case DW_OP_addrx:
    case DW_OP_constx:
    case DW_OP_GNU_addr_index:
    case DW_OP_GNU_const_index:
        if (dwarf_getlocation_attr(&location, &expression[0], &indirect) != 0 ||
            dwarf_formaddr(&indirect, &variable->address) != 0) {
            return false;
        }
        break;
    default:
        return false;
    }
    return length == 1 ? expression[0].atom == DW_OP_addr || expression[0].atom == DW_OP_addrx ||
                             expression[0].atom == DW_OP_GNU_addr_index
                       : variable->thread_local;
}

static void variables_walk(struct debug *debug, Dwarf_Die *parent)
{
    Dwarf_Die die;
    for (bool more = dwarf_child(parent, &die) == 0; more;
         more = dwarf_siblingof(&die, &die) == 0) {
        struct variable variable = {.die = die};
        Dwarf_Die type;
        Dwarf_Word bytes;
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace) {
            variables_walk(debug, &die);
        } else if (tag == DW_TAG_variable && location_get(&die, &variable) &&
                   type_of(&die, &type) && dwarf_aggregate_size(&type, &bytes) == 0 && bytes > 0) {
            variable.bytes = bytes;
            memory_grow(&debug->variables, &debug->variable_room, debug->variable_count + 1,
                        sizeof debug->variables[0]);
            debug->variables[debug->variable_count++] = variable;
        }
    }
}

static int compare_variables(const void *a, const void *b)
{
    const struct variable *x = a, *y = b;
    return x->thread_local != y->thread_local
               ? x->thread_local - y->thread_local
               : (x->address > y->address) - (x->address < y->address);
}

const struct variable *debug_variable(struct debug *debug, uint64_t address, bool thread_local)
{
    if (!debug->variables_read) {
        Dwarf_CU *unit = NULL;
        Dwarf_Die die;
        debug->variables_read = true;
        while (debug->dwarf &&
               dwarf_get_units(debug->dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
            variables_walk(debug, &die);
        }
        if (debug->variable_count) {
            qsort(debug->variables, debug->variable_count, sizeof debug->variables[0],
                  compare_variables);
        }
    }
    for (size_t i = 0; i < debug->variable_count; i++) {
        const struct variable *here = &debug->variables[i];
        if (here->thread_local == thread_local && address - here->address < here->bytes) {
            return here;
        }
    }
    return NULL;
}
