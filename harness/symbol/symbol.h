/*
 * symbol.h - names, files and lines of addresses of the worker, looked up outside of it (libdwfl).
 * Supervisor only.
 */
#ifndef SYMBOL_SYMBOL_H
#define SYMBOL_SYMBOL_H

#include "harness/base/wire.h"
#include "harness/result/result.h"

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols **symbols);
void symbols_module(struct symbols *symbols, const struct wire_module *module);
/* Appends the frames of a return address (or, with `exact`, of the address itself): the function it
 * is in, after those that the compiler put into it there, innermost first. */
void symbols_stack(struct symbols *symbols, uint64_t address, bool exact,
                   struct result_frame **frames, size_t *count);
/* A number for the innermost line that a return address belongs to: the same in every process and
 * for every copy that the compiler inlined. Without debug information, for the function. */
uint64_t symbols_line(struct symbols *symbols, uint64_t address);
/* The same of the innermost line that is not in a header of the system's, as those of the
 * containers of C++ are; 0: all that the address belongs to is. */
uint64_t symbols_own_line(struct symbols *symbols, uint64_t address);
/* The function that this address is in, not those that the compiler put into it; "" if unknown. The
 * caller frees. */
char *symbols_function(struct symbols *symbols, uint64_t address);
/* Is this parameter (0 is the first) of the function at this address a pointer? False without debug
 * information. */
bool symbols_takes_pointer(struct symbols *symbols, uint64_t address, unsigned parameter);
/* Is this address in a library of the system, or in nothing known? */
bool symbols_system(struct symbols *symbols, uint64_t address);
/* Is it in libtidemark.so? */
bool symbols_own(struct symbols *symbols, uint64_t address);
/* Who holds: fills the root, links[0], and the fields of the blocks behind it, links[1] and on,
 * where debug information has them. Their other members are the caller's. */
void symbols_held(struct symbols *symbols, const struct wire_held *held, struct result_link *links);

#endif
