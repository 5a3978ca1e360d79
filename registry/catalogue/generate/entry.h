/*
 * entry.h - one record of a catalogue, read from its line of YAML as the schema says. Build time
 * only. The line is a flow mapping in a block sequence: JSON once the leading "- " is cut.
 */
#ifndef GENERATE_ENTRY_H
#define GENERATE_ENTRY_H

#include "registry/catalogue/generate/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_UNKNOWN UINT64_MAX /* of a number; of an integer or decimal REGISTRY_NO_INTEGER */

struct entry_names { /* numbered in order of arrival; the bit's number in a field of names */
    char *name[32];
    unsigned count;
};

union entry_value {
    char *text;      /* of text, word, date, list: owned; NULL: absent */
    uint64_t number; /* else; of names those stated true, and above 32 bits those stated false */
};

struct entry {
    char *key; /* owned; NUL-terminated, but its length counts */
    uint32_t key_length;
    uint32_t provider_length;  /* the key's first bytes; 0: it has one part */
    union entry_value *values; /* owned; one for each field of the schema */
    unsigned line;             /* where it was read; 0: made up */
};

/* Reads text[0..length), which stands in `line` of `file`. False: diagnostics were added. New
 * capabilities are added to `names`. */
bool entry_read(struct entry *entry, const struct schema *schema, const char *text, size_t length,
                const char *file, unsigned line, struct entry_names *names, struct diag *diag);
void entry_fini(struct entry *entry, const struct schema *schema);
/* A new entry with only a key of two parts. */
void entry_init(struct entry *entry, const struct schema *schema, const char *first,
                const char *last);
/* The text of the field of this name; NULL: it is absent, or there is no such field of texts. */
const char *entry_text(const struct entry *entry, const struct schema *schema, const char *field);
/* The value of a field of the schema. */
union entry_value *entry_value(struct entry *entry, const struct schema *schema, const char *field);

/* The bit of a capability, added if new; false when all 32 are taken. */
bool entry_names_bit(struct entry_names *names, const char *name, uint32_t *bit);
void entry_names_fini(struct entry_names *names);

#endif
