/*
 * registry.h - the compiled-in model registry: look-up over read-only tables made at build time.
 *
 * Everything is const data in the program's text: no start-up work, no heap, no relocations.
 * All functions are thread-safe because nothing changes. Pointers and texts are borrowed and live
 * as long as the process. Nothing allocates, nothing fails but by "not found".
 *
 * A key is "provider:id", bytes, case-sensitive, split at the first colon.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_UNKNOWN UINT64_MAX /* a number the catalogue does not state */

struct registry_text { /* not NUL-terminated */
    const char *data;
    uint32_t length;
};

enum registry_mode { /* order as in DATA.md; UNKNOWN when absent */
                     REGISTRY_MODE_UNKNOWN,
                     REGISTRY_CHAT,
                     REGISTRY_COMPLETION,
                     REGISTRY_EMBEDDING,
                     REGISTRY_IMAGE,
                     REGISTRY_AUDIO,
                     REGISTRY_SPEECH,
                     REGISTRY_TRANSCRIPTION,
                     REGISTRY_VIDEO,
                     REGISTRY_RERANK,
                     REGISTRY_REALTIME,
                     REGISTRY_MODERATION,
                     REGISTRY_SEARCH,
                     REGISTRY_OCR,
                     REGISTRY_OTHER,
                     REGISTRY_MODE_COUNT,
};

/* What goes in and comes out, as bits 1u << registry_modality. */
enum registry_modality {
    REGISTRY_TEXT,
    REGISTRY_PICTURE,
    REGISTRY_PDF,
    REGISTRY_SOUND,
    REGISTRY_FILM,
    REGISTRY_CODE,
    REGISTRY_VECTOR,
    REGISTRY_SCORE,
    REGISTRY_MODALITY_COUNT,
};

/* The catalogue's words: "chat", "image" ...; "unknown" for mode 0. Never NULL in range. */
const char *registry_mode_name(enum registry_mode mode);
const char *registry_modality_name(enum registry_modality modality);

enum registry_tri { REGISTRY_TRI_UNKNOWN, REGISTRY_NO, REGISTRY_YES };

typedef uint32_t registry_index; /* of a record; REGISTRY_NONE when absent */
#define REGISTRY_NONE UINT32_MAX

/* A model with all its fields, decoded from the packed record. Filled by registry_model. */
struct registry_model {
    struct registry_text provider, id, name, family;
    enum registry_mode mode;
    uint64_t context, max_output; /* tokens */
    uint64_t price_input, price_output, price_cache_read,
        price_cache_write; /* micro-USD per 1M tokens */
    bool price_dynamic;
    uint32_t inputs, outputs;                                   /* bit set of registry_modality */
    uint32_t caps_yes, caps_no;                                 /* bit sets of capability numbers */
    struct registry_text knowledge, released, updated, retires; /* "2025-06" or "2025-06-16" */
    struct registry_text status, set, sources;                  /* sources: "a, b" */
};

uint32_t registry_count(void);
registry_index registry_find(const char *key, size_t length);
/* As registry_find for `count` keys, with prefetching; out[i] is REGISTRY_NONE for an absent one.
 */
void registry_find_batch(const struct registry_text *keys, size_t count, registry_index *out);

void registry_model(registry_index index, struct registry_model *model);
struct registry_text registry_key(registry_index index);

/* Providers are numbered 0..count-1 in byte order; a provider's models are contiguous. */
uint32_t registry_provider_count(void);
struct registry_text registry_provider_name(uint32_t provider);
bool registry_provider_find(const char *name, size_t length, uint32_t *provider);
void registry_provider_models(uint32_t provider, registry_index *first, uint32_t *count);

/* Capabilities by number; names such as "tools", "reasoning". */
uint32_t registry_capability_count(void);
const char *registry_capability_name(uint32_t capability);
bool registry_capability_find(const char *name, uint32_t *capability);
enum registry_tri registry_capability(registry_index index, uint32_t capability);

/* An alias is another name for a key ("gpt-4o" without a provider, "latest" ...):
 * docs/catalogue.md. */
registry_index registry_alias_find(const char *alias, size_t length);

struct registry_filter {      /* zero means "do not care", except where said */
    uint32_t caps;            /* bit set: all must be stated true */
    uint64_t context_min;     /* unknown context does not match when > 0 */
    uint64_t price_input_max; /* REGISTRY_UNKNOWN: do not care; unknown price does not match */
    uint64_t price_output_max;
    enum registry_mode mode;
    uint32_t provider; /* REGISTRY_NONE: any */
};
void registry_filter_init(struct registry_filter *filter); /* matches everything */
/* First match at or after `from`; REGISTRY_NONE at the end. */
registry_index registry_filter_next(const struct registry_filter *filter, registry_index from);

/* Optional, for a program that begins with a large catalogue (16 MiB of tables, some 120,000
 * models; of a smaller one nothing is asked): asks the kernel to keep the tables in huge pages when
 * it reads them from the file, which shortens a look-up that finds the caches cold by about a
 * quarter (docs/performance-lookup.md). Best before the first look-up: what was read already stays
 * as it is. Reads nothing itself, leaves errno alone. False when nothing was asked or the kernel
 * cannot. */
bool registry_advise_huge_pages(void);

/* Up to `most` keys nearest to one that was not found, best first. Returns how many. */
size_t registry_suggest(const char *key, size_t length, registry_index *out, size_t most);

#endif
