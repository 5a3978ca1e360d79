/*
 * field.h - the fields of a catalogue's records, whatever they are about: an image says itself
 * which fields it has, of which type, in which unit. The header that registry-generate writes
 * beside the tables has them as a struct; what is here is for programs that take any catalogue.
 *
 * Same rules as registry.h: const, thread-safe, borrowed, no allocation.
 */
#ifndef REGISTRY_FIELD_H
#define REGISTRY_FIELD_H

#include "registry/image.h"

enum registry_field_type {
    REGISTRY_FIELD_TEXT,    /* u32: text */
    REGISTRY_FIELD_WORD,    /* u16: a text that many records share */
    REGISTRY_FIELD_DATE,    /* u16: "2025-06" or "2025-06-16" */
    REGISTRY_FIELD_LIST,    /* u16: texts, joined by ", " */
    REGISTRY_FIELD_NUMBER,  /* u32: a whole number, 0 or more */
    REGISTRY_FIELD_INTEGER, /* i64: a whole number */
    REGISTRY_FIELD_DECIMAL, /* i64: with `digits` digits behind the point, as a whole number */
    REGISTRY_FIELD_ENUM,    /* u8: one of the words, from 1 on */
    REGISTRY_FIELD_SET,     /* u8: some of at most 8 words, as bits */
    REGISTRY_FIELD_NAMES, /* u32 stated true, u32 stated false: bits of the image's capabilities */
    REGISTRY_FIELD_FLAG,  /* u8: 1 stated true */
    REGISTRY_FIELD_TYPES,
};

/* An integer or decimal that the catalogue does not state. */
#define REGISTRY_NO_INTEGER INT64_MIN

struct registry_field {  /* as it stands in the image */
    uint32_t name, unit; /* texts */
    uint32_t words;      /* the first of its words, in the image's list of field words */
    uint16_t at;         /* bytes from the record's start */
    uint8_t type, digits, word_count, filter;
};

struct registry_value {
    bool stated;               /* false: unknown; nothing else counts then */
    struct registry_text text; /* of text, word, date, list, enum */
    int64_t number;            /* of number, integer, decimal */
    uint32_t yes, no;          /* of set, names; of a flag `yes` is 1 */
};

/* What the records are: "model", "airport". */
struct registry_text registry_image_record_name(const struct registry_image *image);
uint32_t registry_image_field_count(const struct registry_image *image);
const struct registry_field *registry_image_field(const struct registry_image *image, uint32_t n);
struct registry_text registry_image_field_name(const struct registry_image *image, uint32_t n);
struct registry_text registry_image_field_unit(const struct registry_image *image, uint32_t n);
/* A word of an enum (from 0 on) or set; of names the capability of that number. */
struct registry_text registry_image_field_word(const struct registry_image *image, uint32_t n,
                                               uint32_t word);
bool registry_image_field_find(const struct registry_image *image, const char *name, size_t length,
                               uint32_t *n);
void registry_image_value(const struct registry_image *image, registry_index index, uint32_t n,
                          struct registry_value *value);

/* One condition; what is not stated meets none. */
struct registry_where {
    uint32_t field;
    enum { REGISTRY_IS, REGISTRY_AT_LEAST, REGISTRY_AT_MOST } how;
    struct registry_text text; /* of text, word, date, list, enum: compared as bytes */
    int64_t number;            /* of number, integer, decimal */
    uint32_t bits;             /* of set, names, flag: all of them */
};
bool registry_image_matches(const struct registry_image *image, const struct registry_where *where,
                            size_t count, registry_index index);
/* First record at or after `from` that meets all conditions; REGISTRY_NONE at the end. */
registry_index registry_image_where_next(const struct registry_image *image,
                                         const struct registry_where *where, size_t count,
                                         registry_index from);

/* For the accessors in generated headers: a record, and what stands in it. */
const unsigned char *registry_image_record(const struct registry_image *image,
                                           registry_index index);
struct registry_text registry_read_text(const struct registry_image *image,
                                        const unsigned char *at);
struct registry_text registry_read_word(const struct registry_image *image,
                                        const unsigned char *at);
uint64_t registry_read_number(const struct registry_image *image, const unsigned char *at);
int64_t registry_read_integer(const unsigned char *at);
uint32_t registry_read_bits(const unsigned char *at);
/* The parts of a key of two; of one the first is empty. */
void registry_image_key_parts(const struct registry_image *image, registry_index index,
                              struct registry_text *first, struct registry_text *last);

#endif
