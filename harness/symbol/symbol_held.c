/*
 * symbol_held.c - symbols_held: the variable that holds, and the way from it through the blocks as
 * a C programmer would write it, as far as types are known. A pointer to void ends it; what follows
 * has offsets. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/symbol/demangle.h"
#include "harness/symbol/symbol.h"
#include "harness/symbol/symbol_part.h"

#include <stdlib.h>

/* The symbol table's thread-local variable at an offset; NULL: none. */
static const char *tls_symbol(Dwfl_Module *module, uint64_t offset, uint64_t *inside)
{
    GElf_Sym symbol;
    for (int i = 1, count = dwfl_module_getsymtab(module); i < count; i++) {
        GElf_Addr address; /* with the module's bias; what the table says itself is wanted */
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (name && GELF_ST_TYPE(symbol.st_info) == STT_TLS &&
            offset - symbol.st_value < symbol.st_size) {
            *inside = offset - symbol.st_value;
            return name;
        }
    }
    return NULL;
}

/* What the root word lies in: its name, and where in it. Its type, if there is one. */
static const struct variable *root_name(struct symbols *symbols, const struct wire_held *held,
                                        struct result_link *root)
{
    bool local = held->root == WIRE_ROOT_TLS;
    Dwfl_Module *module = symbols_module_of(symbols, local ? held->tls_base : held->root_address);
    if (!module) {
        return NULL;
    }
    const char *path = NULL, *name;
    char *whole = memory_copy("");
    GElf_Sym symbol;
    GElf_Off offset = 0;
    uint64_t start = symbols_start_of(module, &path), inside = 0;
    struct debug *debug = debug_get(module);
    uint64_t place = local ? held->tls_offset : held->root_address - debug->bias;
    const struct variable *variable = debug_variable(debug, place, local);
    if (local) {
        name = tls_symbol(module, held->tls_offset, &inside);
        offset = name ? inside : held->tls_offset;
    } else {
        name = dwfl_module_addrinfo(module, held->root_address, &offset, &symbol, NULL, NULL, NULL);
        offset = name ? offset : held->root_address - start;
    }
    if (variable) {
        Dwarf_Die die = variable->die;
        char *written = debug_name(&die);
        result_set(&whole, written);
        free(written);
        offset = place - variable->address;
    }
    if (!whole[0] && name) {
        free(whole);
        whole = demangle(name);
    }
    char *shown = memory_format(local && whole[0] ? "thread-local %s" : "%s", whole);
    result_set(&root->symbol, shown);
    result_set(&root->module, path ? path : "");
    root->offset = offset;
    bool named = whole[0] != '\0';
    free(whole);
    free(shown);
    return named ? variable : NULL;
}

void symbols_held(struct symbols *symbols, const struct wire_held *held, struct result_link *links)
{
    struct text path = {0};
    const struct variable *variable = NULL;
    if (held->root == WIRE_ROOT_GLOBAL || (held->root == WIRE_ROOT_TLS && held->tls_base)) {
        variable = root_name(symbols, held, &links[0]);
    }
    if (!links[0].symbol[0] && held->root != WIRE_ROOT_GLOBAL) {
        char *where =
            memory_format("%s of thread %d", held->root == WIRE_ROOT_TLS ? "thread-local" : "stack",
                          held->thread);
        result_set(&links[0].symbol, where);
        free(where);
    }
    Dwarf_Die type, to;
    Dwarf_Die die = variable ? variable->die : (Dwarf_Die){0};
    bool known = variable && type_of(&die, &type);
    for (uint32_t i = 0; known && i <= held->chain_count; i++) {
        const struct wire_link *block = i > 0 ? &held->chain[i - 1] : NULL;
        text_reset(&path);
        bool told = i == held->chain_count ? false
                    : i == 0               ? type_path(&type, links[0].offset, &path, &to, &known)
                             : type_block_path(&type, block->bytes, block->at, block->offset, &path,
                                               &to, &known);
        if (!told) {
            break;
        }
        result_set(&links[i].field, text_peek(&path));
        type = to;
    }
    text_fini(&path);
}
