/*
 * image.h - the catalogue as one read-only block: what registry-generate writes and registry.c
 * reads.
 *
 * The block is position-independent (offsets from its start, no pointers), so it needs no
 * relocation, no start-up code and no heap, and may as well be a file that was mapped.
 * Little-endian.
 *
 *     header      one struct registry_image
 *     pilots      u8 a bucket           the perfect hash, see registry_hash.h
 *     prints      u8 a slot             fingerprint: a miss ends here 255 times of 256
 *     indexes     u32 a slot            record index; beside the key it would be known only with it
 *     lines       64 B a slot           the key, one cache line
 *     records     64 B a model          in byte order of (provider, id): the index of registry.h;
 *                                       of another schema as long as its fields, slot and group
 * first providers   one struct a provider, in byte order words       u32 each              texts
 * that many records share (dates, families, ...), by number wide        u64 each numbers that do
 * not fit in 32 bits aliases     one struct an alias, in byte order of the name fields      one
 * struct a field    what the records are: field.h field words u32 each              texts, the
 * words of enums and sets texts       u16 length, bytes, NUL; offset 0 is the empty text
 *
 * Functions taking an image are the ones of registry.h for a catalogue other than the built-in one
 * (tier.h has three). Same rules: const, thread-safe, borrowed, no allocation.
 */
#ifndef REGISTRY_IMAGE_H
#define REGISTRY_IMAGE_H

#include "registry/registry.h"

#define REGISTRY_IMAGE_MAGIC   0x33474552414d4954u /* "TIMAREG3" */
#define REGISTRY_LINE_KEY      63                  /* bytes of a key that fit in a line */
#define REGISTRY_LINE_LONG     0xff /* length: the key is in texts, key[0..3] says where */
#define REGISTRY_LINE_EMPTY    0xfe
#define REGISTRY_NUMBER_WIDE   0xc0000000u /* from here on: index into `wide` */
#define REGISTRY_NUMBER_ABSENT 0xffffffffu
#define REGISTRY_CAPABILITIES  32 /* at most */
#define REGISTRY_KEY_MOST      1024

/* An image of so many bytes and more begins a huge page, in the file and in memory, so that the
 * kernel can map it by them. Smaller ones have nothing to gain, and their resident memory would be
 * counted by huge pages. */
#define REGISTRY_HUGE_PAGE 2097152
#define REGISTRY_HUGE_FROM (8 * REGISTRY_HUGE_PAGE)

struct registry_image {
    uint64_t magic;
    uint64_t seed;
    uint32_t shift; /* registry_hash.h */
    uint32_t buckets, slots;
    uint32_t reserved;
    uint64_t pilots, prints, indexes,
        lines; /* offsets in bytes from the image's start, from here on */
    uint64_t records, providers, words, wide, aliases, texts;
    uint64_t bytes; /* of the whole image */
    uint32_t count, provider_count, word_count, wide_count, alias_count, capability_count;
    uint32_t capability[REGISTRY_CAPABILITIES]; /* text offsets, in byte order */
    uint64_t fields, field_words;               /* offsets; 0 in images of before there were any */
    uint32_t field_count, record_bytes;
    uint32_t record_name; /* text */
} __attribute__((aligned(64)));

struct registry_line {
    char key[REGISTRY_LINE_KEY];
    uint8_t length;
};
_Static_assert(sizeof(struct registry_line) == 64, "a line is a cache line");

struct registry_record {
    uint32_t slot; /* where its key is */
    uint32_t provider;
    uint32_t name;                                   /* text */
    uint32_t context, max_output;                    /* numbers */
    uint32_t input, output, cache_read, cache_write; /* numbers */
    uint32_t caps_yes, caps_no;
    uint16_t family, knowledge, released, updated, retires, status, set,
        sources; /* words; 0 absent */
    uint8_t mode, price_dynamic, inputs, outputs;
};
_Static_assert(sizeof(struct registry_record) == 64, "a record is a cache line");

struct registry_provider {
    uint32_t name; /* text */
    uint32_t first, count;
};

struct registry_alias {
    uint32_t name; /* text */
    uint32_t index;
};

/* The built-in catalogue. Hidden: its address is a constant relative to the code that uses it. */
extern const struct registry_image registry_tables __attribute__((visibility("hidden")));

/* True when `bytes` bytes at `image` are an image this build can read (shape, not every offset). */
bool registry_image_valid(const struct registry_image *image, size_t bytes);

bool registry_image_advise_huge_pages(const struct registry_image *image);
uint32_t registry_image_count(const struct registry_image *image);
registry_index registry_image_find(const struct registry_image *image, const char *key,
                                   size_t length);
void registry_image_find_batch(const struct registry_image *image, const struct registry_text *keys,
                               size_t count, registry_index *out);
void registry_image_model(const struct registry_image *image, registry_index index,
                          struct registry_model *model);
struct registry_text registry_image_key(const struct registry_image *image, registry_index index);
uint32_t registry_image_provider_count(const struct registry_image *image);
struct registry_text registry_image_provider_name(const struct registry_image *image,
                                                  uint32_t provider);
bool registry_image_provider_find(const struct registry_image *image, const char *name,
                                  size_t length, uint32_t *provider);
void registry_image_provider_models(const struct registry_image *image, uint32_t provider,
                                    registry_index *first, uint32_t *count);
bool registry_image_capability_find(const struct registry_image *image, const char *name,
                                    uint32_t *capability);
registry_index registry_image_alias_find(const struct registry_image *image, const char *alias,
                                         size_t length);
registry_index registry_image_filter_next(const struct registry_image *image,
                                          const struct registry_filter *filter,
                                          registry_index from);
size_t registry_image_suggest(const struct registry_image *image, const char *key, size_t length,
                              registry_index *out, size_t most);

#endif
