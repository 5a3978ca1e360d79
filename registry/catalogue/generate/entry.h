/*
 * entry.h - one model of a catalogue, read from its line of YAML. Build time only.
 * The line is a flow mapping in a block sequence: JSON once the leading "- " is cut.
 */
#ifndef GENERATE_ENTRY_H
#define GENERATE_ENTRY_H

#include "harness/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_UNKNOWN UINT64_MAX

enum entry_number {
    ENTRY_CONTEXT,
    ENTRY_MAX_OUTPUT,
    ENTRY_INPUT,
    ENTRY_OUTPUT,
    ENTRY_CACHE_READ,
    ENTRY_CACHE_WRITE,
    ENTRY_NUMBER_COUNT,
};

enum entry_word { /* texts that many models share */
                  ENTRY_FAMILY,
                  ENTRY_KNOWLEDGE,
                  ENTRY_RELEASED,
                  ENTRY_UPDATED,
                  ENTRY_RETIRES,
                  ENTRY_STATUS,
                  ENTRY_SET,
                  ENTRY_SOURCES,
                  ENTRY_WORD_COUNT,
};

struct entry_names { /* numbered in order of arrival; bit number in caps_yes, caps_no */
    char *name[32];
    unsigned count;
};

struct entry {
    char *key; /* owned; NUL-terminated, but its length counts */
    uint32_t key_length;
    uint32_t provider_length;     /* the key's first bytes */
    char *name;                   /* owned; NULL: absent */
    char *word[ENTRY_WORD_COUNT]; /* owned; NULL: absent */
    uint64_t number[ENTRY_NUMBER_COUNT];
    uint32_t caps_yes, caps_no;
    uint8_t mode, inputs, outputs, price_dynamic;
    unsigned line; /* where it was read; 0: made up */
};

/* Reads text[0..length), which stands in `line` of `file`. False: diagnostics were added. New
 * capabilities are added to `names`. */
bool entry_read(struct entry *entry, const char *text, size_t length, const char *file,
                unsigned line, struct entry_names *names, struct diag *diag);
void entry_fini(struct entry *entry);
/* A new entry with only a key. */
void entry_init(struct entry *entry, const char *provider, const char *id);

/* The bit of a capability, added if new; false when all 32 are taken. */
bool entry_names_bit(struct entry_names *names, const char *name, uint32_t *bit);
void entry_names_fini(struct entry_names *names);

#endif
