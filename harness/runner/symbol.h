/*
 * symbol.h - names, files and lines of addresses of the worker, looked up outside of it (libdwfl).
 * Supervisor only.
 */
#ifndef RUNNER_SYMBOL_H
#define RUNNER_SYMBOL_H

#include "harness/base/wire.h"
#include "harness/result/result.h"

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols **symbols);
void symbols_module(struct symbols *symbols, const struct wire_module *module);
/* A frame of a return address (or, with `exact`, of the address itself). */
void symbols_frame(struct symbols *symbols, uint64_t address, bool exact,
                   struct result_frame *frame);
/* Is this address in a library of the system, or in nothing known? */
bool symbols_system(struct symbols *symbols, uint64_t address);
/* Is it in libtidemark.so? */
bool symbols_own(struct symbols *symbols, uint64_t address);
/* The variable at an address: its name, or "" ; *module and *offset in it. */
void symbols_variable(struct symbols *symbols, uint64_t address, struct result_link *link);

#endif
