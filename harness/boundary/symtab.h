/*
 * symtab.h - functions and variables of the running executable, by name, from its .symtab: static
 * copies of a library are found there and nowhere else. Runs in the worker, before main. Reads the
 * file through the kernel directly, allocates nothing.
 */
#ifndef BOUNDARY_SYMTAB_H
#define BOUNDARY_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symtab_entry {
    const char *name; /* asked for */
    void *address;    /* answer: run-time address; NULL when absent */
    size_t room;      /* answer: bytes from there to the next symbol, or to the section's end */
};

/* Fills address and room of each entry. False when the executable has no symbol table (stripped) or
 * cannot be read. A name that is defined twice (two static functions) counts as absent. */
bool symtab_find(struct symtab_entry *entries, size_t count);

/* Where the executable's section of that name is in memory. Returns false when there is none. */
bool symtab_section(const char *name, uintptr_t *begin, size_t *bytes);

/* Calls `each` with the entry of every function of the executable, in no order. */
void symtab_functions(void (*each)(uint64_t entry));

#endif
