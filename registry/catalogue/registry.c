/*
 * registry.c - look-up, decoding and provider lists over the read-only image; see image.h for the
 * layout and registry_inline.h for the hit path; suggestions are in registry_suggest.c. Any
 * process; nothing here allocates, writes or fails.
 */
#include "registry/registry.h"
#include "registry/registry_inline.h"

#include <assert.h>
#include <string.h>

/* Below this the lines stay in the second-level cache or near it, where the processor's own
 * reordering hides the latency and the passes cost more than they give (measured at 27,000 keys).
 */
#define BATCH_BYTES (UINT64_C(4) << 20)
#define BATCH       64 /* keys in flight: enough to cover memory latency, few enough to stay in L1 */

/* Of models; of other records the slot and the provider, which come first. An image of before there
 * were others does not say how long they are. */
static const struct registry_record *image_record(const struct registry_image *image,
                                                  registry_index index)
{
    assert(index < image->count);
    uint64_t bytes = image->record_bytes ? image->record_bytes : sizeof(struct registry_record);
    const void *record = registry_image_bytes(image, image->records) + index * bytes;
    return record;
}

static struct registry_text image_text(const struct registry_image *image, uint32_t offset)
{
    const uint8_t *at = registry_image_bytes(image, image->texts) + offset;
    return (struct registry_text){(const char *)at + 2, (uint32_t)(at[0] | at[1] << 8)};
}

/* The model catalogue is one schema of many. */
static bool image_has_models(const struct registry_image *image)
{
    return image->record_bytes == 0 ||
           strcmp(image_text(image, image->record_name).data, "model") == 0;
}

static struct registry_text image_word(const struct registry_image *image, uint16_t word)
{
    const void *words = registry_image_bytes(image, image->words);
    return image_text(image, ((const uint32_t *)words)[word]);
}

static uint64_t image_number(const struct registry_image *image, uint32_t number)
{
    if (number < REGISTRY_NUMBER_WIDE) {
        return number;
    }
    if (number == REGISTRY_NUMBER_ABSENT) {
        return REGISTRY_UNKNOWN;
    }
    const void *wide = registry_image_bytes(image, image->wide);
    return ((const uint64_t *)wide)[number - REGISTRY_NUMBER_WIDE];
}

static struct registry_text line_key(const struct registry_image *image,
                                     const struct registry_line *line)
{
    if (line->length == REGISTRY_LINE_LONG) {
        uint32_t offset;
        memcpy(&offset, line->key, sizeof offset);
        return image_text(image, offset);
    }
    return (struct registry_text){line->key, line->length};
}

bool registry_image_valid(const struct registry_image *image, size_t bytes)
{
    return bytes >= sizeof *image && image->magic == REGISTRY_IMAGE_MAGIC &&
           image->bytes == bytes && image->count > 0 && image->slots >= image->count &&
           image->buckets > 0 && image->texts < bytes && image->lines < bytes;
}

uint32_t registry_image_count(const struct registry_image *image)
{
    return image->count;
}

registry_index registry_image_find_other(const struct registry_image *image, const char *key,
                                         size_t length)
{
    if (length > REGISTRY_KEY_MOST) {
        return REGISTRY_NONE;
    }
    uint64_t hash = registry_hash(key, length, image->seed);
    uint32_t slot = registry_image_slot(image, hash);
    const struct registry_line *line = registry_image_lines(image) + slot;
    if (registry_image_prints(image)[slot] != registry_hash_print(hash) ||
        line->length == REGISTRY_LINE_EMPTY) {
        return REGISTRY_NONE;
    }
    struct registry_text own = line_key(image, line);
    return own.length == length && memcmp(own.data, key, length) == 0
               ? registry_image_indexes(image)[slot]
               : REGISTRY_NONE;
}

registry_index registry_image_find(const struct registry_image *image, const char *key,
                                   size_t length)
{
    return registry_image_find_inline(image, key, length);
}

/* Three passes, so that the misses of up to BATCH keys overlap: hash and pilot, slot and line,
 * comparison. */
static void find_some(const struct registry_image *image, const struct registry_text *keys,
                      size_t count, registry_index *out)
{
    const uint8_t *pilots = registry_image_bytes(image, image->pilots);
    const uint8_t *prints = registry_image_prints(image);
    const uint32_t *indexes = registry_image_indexes(image);
    const struct registry_line *lines = registry_image_lines(image);
    uint64_t hashes[BATCH];
    uint32_t places[BATCH]; /* bucket, then slot */
    for (size_t i = 0; i < count; i++) {
        hashes[i] = registry_hash(keys[i].data, keys[i].length, image->seed);
        places[i] = registry_hash_bucket(hashes[i], image->shift);
        __builtin_prefetch(pilots + places[i]);
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = registry_hash_slot(hashes[i], pilots[places[i]], image->slots);
        __builtin_prefetch(prints + places[i]);
        __builtin_prefetch(indexes + places[i]);
        __builtin_prefetch(lines + places[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct registry_line *line = lines + places[i];
        const char *key = keys[i].data;
        size_t length = keys[i].length;
        out[i] = REGISTRY_NONE;
        if (prints[places[i]] != registry_hash_print(hashes[i])) {
            continue;
        }
        if (length - REGISTRY_HASH_SHORT > REGISTRY_LINE_KEY - REGISTRY_HASH_SHORT) {
            out[i] = registry_image_find_other(image, key, length);
            continue;
        }
        size_t second = registry_hash_second(length), third = registry_hash_third(length);
        struct registry_blocks blocks;
        registry_blocks_load(&blocks, key, second, third, length - 16);
        if (registry_line_equal(line, &blocks, second, third, length)) {
            out[i] = indexes[places[i]];
        }
    }
}

void registry_image_find_batch(const struct registry_image *image, const struct registry_text *keys,
                               size_t count, registry_index *out)
{
    if ((uint64_t)image->slots * sizeof(struct registry_line) < BATCH_BYTES) {
        for (size_t i = 0; i < count; i++) {
            out[i] = registry_image_find_inline(image, keys[i].data, keys[i].length);
        }
        return;
    }
    for (size_t at = 0; at < count; at += BATCH) {
        find_some(image, keys + at, count - at < BATCH ? count - at : BATCH, out + at);
    }
}

struct registry_text registry_image_key(const struct registry_image *image, registry_index index)
{
    return line_key(image, registry_image_lines(image) + image_record(image, index)->slot);
}

static const struct registry_provider *image_provider(const struct registry_image *image,
                                                      uint32_t provider)
{
    assert(provider < image->provider_count);
    const void *providers = registry_image_bytes(image, image->providers);
    return (const struct registry_provider *)providers + provider;
}

void registry_image_model(const struct registry_image *image, registry_index index,
                          struct registry_model *model)
{
    const struct registry_record *record = image_record(image, index);
    struct registry_text key = registry_image_key(image, index);
    uint32_t prefix = image_text(image, image_provider(image, record->provider)->name).length;
    if (!image_has_models(image)) {
        *model = (struct registry_model){
            .id = key,
            .context = REGISTRY_UNKNOWN,
            .max_output = REGISTRY_UNKNOWN,
            .price_input = REGISTRY_UNKNOWN,
            .price_output = REGISTRY_UNKNOWN,
            .price_cache_read = REGISTRY_UNKNOWN,
            .price_cache_write = REGISTRY_UNKNOWN,
        };
        if (prefix > 0) {
            model->provider = (struct registry_text){key.data, prefix};
            model->id = (struct registry_text){key.data + prefix + 1, key.length - prefix - 1};
        }
        return;
    }
    *model = (struct registry_model){
        .provider = {key.data, prefix},
        .id = {key.data + prefix + 1, key.length - prefix - 1},
        .name = image_text(image, record->name),
        .family = image_word(image, record->family),
        .mode = (enum registry_mode)record->mode,
        .context = image_number(image, record->context),
        .max_output = image_number(image, record->max_output),
        .price_input = image_number(image, record->input),
        .price_output = image_number(image, record->output),
        .price_cache_read = image_number(image, record->cache_read),
        .price_cache_write = image_number(image, record->cache_write),
        .price_dynamic = record->price_dynamic != 0,
        .inputs = record->inputs,
        .outputs = record->outputs,
        .caps_yes = record->caps_yes,
        .caps_no = record->caps_no,
        .knowledge = image_word(image, record->knowledge),
        .released = image_word(image, record->released),
        .updated = image_word(image, record->updated),
        .retires = image_word(image, record->retires),
        .status = image_word(image, record->status),
        .set = image_word(image, record->set),
        .sources = image_word(image, record->sources),
    };
}

uint32_t registry_image_provider_count(const struct registry_image *image)
{
    return image->provider_count;
}

struct registry_text registry_image_provider_name(const struct registry_image *image,
                                                  uint32_t provider)
{
    return image_text(image, image_provider(image, provider)->name);
}

/* Byte order, a prefix first. */
static int text_order(struct registry_text text, const char *other, size_t length)
{
    size_t shorter = text.length < length ? text.length : length;
    int order = shorter > 0 ? memcmp(text.data, other, shorter) : 0;
    return order != 0 ? order : (text.length > length) - (text.length < length);
}

bool registry_image_provider_find(const struct registry_image *image, const char *name,
                                  size_t length, uint32_t *provider)
{
    uint32_t low = 0, high = image->provider_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = text_order(registry_image_provider_name(image, middle), name, length);
        if (order == 0) {
            *provider = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

void registry_image_provider_models(const struct registry_image *image, uint32_t provider,
                                    registry_index *first, uint32_t *count)
{
    *first = image_provider(image, provider)->first;
    *count = image_provider(image, provider)->count;
}

bool registry_image_capability_find(const struct registry_image *image, const char *name,
                                    uint32_t *capability)
{
    for (uint32_t i = 0; i < image->capability_count; i++) {
        if (strcmp(image_text(image, image->capability[i]).data, name) == 0) {
            *capability = i;
            return true;
        }
    }
    return false;
}

registry_index registry_image_alias_find(const struct registry_image *image, const char *alias,
                                         size_t length)
{
    const void *section = registry_image_bytes(image, image->aliases);
    const struct registry_alias *aliases = section;
    uint32_t low = 0, high = image->alias_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = text_order(image_text(image, aliases[middle].name), alias, length);
        if (order == 0) {
            return aliases[middle].index;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return REGISTRY_NONE;
}

static bool number_at_most(uint64_t number, uint64_t most)
{
    return most == REGISTRY_UNKNOWN || (number != REGISTRY_UNKNOWN && number <= most);
}

registry_index registry_image_filter_next(const struct registry_image *image,
                                          const struct registry_filter *filter, registry_index from)
{
    registry_index end = image->count;
    if (filter->provider != REGISTRY_NONE) {
        if (filter->provider >= image->provider_count) {
            return REGISTRY_NONE;
        }
        const struct registry_provider *provider = image_provider(image, filter->provider);
        from = from > provider->first ? from : provider->first;
        end = provider->first + provider->count;
    }
    if (!image_has_models(image)) { /* has none of what the rest asks for */
        bool any = filter->caps == 0 && filter->context_min == 0 &&
                   filter->mode == REGISTRY_MODE_UNKNOWN &&
                   filter->price_input_max == REGISTRY_UNKNOWN &&
                   filter->price_output_max == REGISTRY_UNKNOWN;
        return any && from < end ? from : REGISTRY_NONE;
    }
    for (; from < end; from++) {
        const struct registry_record *record = image_record(image, from);
        uint64_t context = image_number(image, record->context);
        if ((record->caps_yes & filter->caps) == filter->caps &&
            (filter->mode == REGISTRY_MODE_UNKNOWN || filter->mode == record->mode) &&
            (filter->context_min == 0 ||
             (context != REGISTRY_UNKNOWN && context >= filter->context_min)) &&
            number_at_most(image_number(image, record->input), filter->price_input_max) &&
            number_at_most(image_number(image, record->output), filter->price_output_max)) {
            return from;
        }
    }
    return REGISTRY_NONE;
}

/* The built-in catalogue. */

uint32_t registry_count(void)
{
    return registry_tables.count;
}

registry_index registry_find(const char *key, size_t length)
{
    return registry_find_inline(key, length);
}

void registry_find_batch(const struct registry_text *keys, size_t count, registry_index *out)
{
    registry_image_find_batch(&registry_tables, keys, count, out);
}

void registry_model(registry_index index, struct registry_model *model)
{
    registry_image_model(&registry_tables, index, model);
}

struct registry_text registry_key(registry_index index)
{
    return registry_image_key(&registry_tables, index);
}

uint32_t registry_provider_count(void)
{
    return registry_tables.provider_count;
}

struct registry_text registry_provider_name(uint32_t provider)
{
    return registry_image_provider_name(&registry_tables, provider);
}

bool registry_provider_find(const char *name, size_t length, uint32_t *provider)
{
    return registry_image_provider_find(&registry_tables, name, length, provider);
}

void registry_provider_models(uint32_t provider, registry_index *first, uint32_t *count)
{
    registry_image_provider_models(&registry_tables, provider, first, count);
}

uint32_t registry_capability_count(void)
{
    return registry_tables.capability_count;
}

const char *registry_capability_name(uint32_t capability)
{
    assert(capability < registry_tables.capability_count);
    return image_text(&registry_tables, registry_tables.capability[capability]).data;
}

bool registry_capability_find(const char *name, uint32_t *capability)
{
    return registry_image_capability_find(&registry_tables, name, capability);
}

enum registry_tri registry_capability(registry_index index, uint32_t capability)
{
    assert(capability < registry_tables.capability_count);
    if (!image_has_models(&registry_tables)) {
        return REGISTRY_TRI_UNKNOWN;
    }
    const struct registry_record *record = image_record(&registry_tables, index);
    if (record->caps_yes >> capability & 1) {
        return REGISTRY_YES;
    }
    return record->caps_no >> capability & 1 ? REGISTRY_NO : REGISTRY_TRI_UNKNOWN;
}

registry_index registry_alias_find(const char *alias, size_t length)
{
    return registry_image_alias_find(&registry_tables, alias, length);
}

void registry_filter_init(struct registry_filter *filter)
{
    *filter = (struct registry_filter){
        .price_input_max = REGISTRY_UNKNOWN,
        .price_output_max = REGISTRY_UNKNOWN,
        .provider = REGISTRY_NONE,
    };
}

registry_index registry_filter_next(const struct registry_filter *filter, registry_index from)
{
    return registry_image_filter_next(&registry_tables, filter, from);
}

size_t registry_suggest(const char *key, size_t length, registry_index *out, size_t most)
{
    return registry_image_suggest(&registry_tables, key, length, out, most);
}
