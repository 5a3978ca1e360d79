/* build.c - see build.h. Build time only. */
#include "registry/catalogue/generate/build.h"

#include "harness/base/memory.h"
#include "registry/catalogue/generate/alias.h"
#include "registry/catalogue/generate/perfect.h"
#include "registry/catalogue/generate/pool.h"
#include "registry/registry_hash.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS        256
#define SEEDS_A_STEP 16 /* tried before more room is given */
#define WORD_MOST    65535u
#define WORD_BUCKETS 131072u

struct words { /* texts by number; a table by text offset finds the number */
    uint32_t *offset;
    size_t count, room;
    uint32_t *by_offset; /* numbers; 0: free, as word 0 is the empty text */
};

struct maker {
    const struct catalogue *catalogue;
    const char *file;
    struct diag *diag;
    struct pool pool;
    struct words words;
    unsigned char *records; /* of schema->record_bytes each */
    struct registry_field *fields;
    uint32_t *field_words;
    size_t field_word_count, field_word_room;
    uint32_t record_name;
    struct registry_provider *providers;
    size_t provider_count, provider_room;
    uint64_t *wide;
    size_t wide_count, wide_room;
    struct registry_alias *aliases;
    size_t alias_count;
    uint32_t capability[REGISTRY_CAPABILITIES];     /* texts in byte order */
    unsigned capability_bit[REGISTRY_CAPABILITIES]; /* by the catalogue's number */
    uint64_t seed;
    uint64_t *hashes;
    struct perfect perfect;
    bool full;
};

static uint32_t maker_text(struct maker *maker, const char *text)
{
    if (!text) {
        return 0;
    }
    uint32_t offset = pool_put(&maker->pool, text, strlen(text));
    if (offset == UINT32_MAX && !maker->full) {
        maker->full = true;
        diag_add(maker->diag, maker->file, 0, 0, "more than 4 GiB of texts");
    }
    return offset;
}

static uint16_t maker_word(struct maker *maker, const char *text)
{
    struct words *words = &maker->words;
    uint32_t offset = maker_text(maker, text);
    if (offset == 0) {
        return 0;
    }
    size_t at = offset * 2654435761u % WORD_BUCKETS;
    while (words->by_offset[at] != 0) {
        if (words->offset[words->by_offset[at]] == offset) {
            return (uint16_t)words->by_offset[at];
        }
        at = (at + 1) % WORD_BUCKETS;
    }
    if (words->count > WORD_MOST) {
        if (!maker->full) {
            diag_add(maker->diag, maker->file, 0, 0,
                     "more than %u different families, dates, states and sources", WORD_MOST);
        }
        maker->full = true;
        return 0;
    }
    memory_grow(&words->offset, &words->room, words->count + 1, sizeof *words->offset);
    words->by_offset[at] = (uint32_t)words->count;
    words->offset[words->count] = offset;
    return (uint16_t)words->count++;
}

static uint32_t maker_number(struct maker *maker, uint64_t number)
{
    if (number == ENTRY_UNKNOWN) {
        return REGISTRY_NUMBER_ABSENT;
    }
    if (number < REGISTRY_NUMBER_WIDE) {
        return (uint32_t)number;
    }
    size_t i = 0;
    while (i < maker->wide_count && maker->wide[i] != number) {
        i++;
    }
    if (i == maker->wide_count) {
        memory_grow(&maker->wide, &maker->wide_room, i + 1, sizeof *maker->wide);
        maker->wide[maker->wide_count++] = number;
    }
    return REGISTRY_NUMBER_WIDE + (uint32_t)i;
}

static int text_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void maker_capabilities(struct maker *maker)
{
    const struct entry_names *names = &maker->catalogue->names;
    const char *sorted[REGISTRY_CAPABILITIES];
    memcpy(sorted, names->name, sizeof sorted);
    qsort(sorted, names->count, sizeof sorted[0], text_compare);
    for (unsigned i = 0; i < names->count; i++) {
        maker->capability[i] = maker_text(maker, sorted[i]);
        for (unsigned k = 0; k < names->count; k++) {
            if (names->name[k] == sorted[i]) {
                maker->capability_bit[k] = i;
            }
        }
    }
}

static uint32_t maker_bits(const struct maker *maker, uint32_t bits)
{
    uint32_t result = 0;
    for (unsigned i = 0; i < REGISTRY_CAPABILITIES; i++) {
        if (bits >> i & 1) {
            result |= UINT32_C(1) << maker->capability_bit[i];
        }
    }
    return result;
}

/* The number of the entry's provider; a new one when it differs from the entry before. */
static uint32_t maker_provider(struct maker *maker, size_t index)
{
    const struct entry *entry = &maker->catalogue->entries[index];
    const struct entry *before = &maker->catalogue->entries[index > 0 ? index - 1 : 0];
    if (index == 0 || before->provider_length != entry->provider_length ||
        memcmp(before->key, entry->key, entry->provider_length) != 0) {
        memory_grow(&maker->providers, &maker->provider_room, maker->provider_count + 1,
                    sizeof *maker->providers);
        maker->providers[maker->provider_count++] = (struct registry_provider){
            .name = pool_put(&maker->pool, entry->key, entry->provider_length),
            .first = (uint32_t)index,
        };
    }
    maker->providers[maker->provider_count - 1].count++;
    return (uint32_t)maker->provider_count - 1;
}

static void put(unsigned char *at, const void *value, size_t bytes)
{
    memcpy(at, value, bytes);
}

static void maker_value(struct maker *maker, unsigned char *record,
                        const struct schema_field *field, union entry_value value)
{
    unsigned char *at = record + field->at;
    uint32_t four[2];
    uint16_t two;
    switch (field->type) {
    case REGISTRY_FIELD_TEXT:
        four[0] = maker_text(maker, value.text);
        put(at, four, 4);
        break;
    case REGISTRY_FIELD_WORD:
    case REGISTRY_FIELD_DATE:
    case REGISTRY_FIELD_LIST:
        two = maker_word(maker, value.text);
        put(at, &two, 2);
        break;
    case REGISTRY_FIELD_NUMBER:
        four[0] = maker_number(maker, value.number);
        put(at, four, 4);
        break;
    case REGISTRY_FIELD_INTEGER:
    case REGISTRY_FIELD_DECIMAL:
        put(at, &value.number, 8);
        break;
    case REGISTRY_FIELD_NAMES:
        four[0] = maker_bits(maker, (uint32_t)value.number);
        four[1] = maker_bits(maker, (uint32_t)(value.number >> 32));
        put(at, four, 8);
        break;
    case REGISTRY_FIELD_ENUM:
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_FLAG:
        *at = (unsigned char)value.number;
        break;
    case REGISTRY_FIELD_TYPES:
        break;
    }
}

static void maker_records(struct maker *maker)
{
    const struct schema *schema = maker->catalogue->schema;
    for (size_t i = 0; i < maker->catalogue->count && !maker->full; i++) {
        unsigned char *record = maker->records + i * schema->record_bytes;
        uint32_t provider = maker_provider(maker, i);
        put(record + offsetof(struct registry_record, provider), &provider, sizeof provider);
        for (unsigned f = 0; f < schema->count; f++) {
            maker_value(maker, record, &schema->fields[f], maker->catalogue->entries[i].values[f]);
        }
    }
}

/* What the records are, for whoever reads them without their header. */
static void maker_fields(struct maker *maker)
{
    const struct schema *schema = maker->catalogue->schema;
    maker->record_name = maker_text(maker, schema->record);
    maker->fields = memory_new(schema->count, sizeof *maker->fields);
    for (unsigned i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        maker->fields[i] = (struct registry_field){
            .name = maker_text(maker, field->name),
            .unit = maker_text(maker, field->unit),
            .words = (uint32_t)maker->field_word_count,
            .at = (uint16_t)field->at,
            .type = (uint8_t)field->type,
            .digits = (uint8_t)field->digits,
            .word_count = (uint8_t)field->word_count,
            .filter = field->filter,
        };
        for (unsigned w = 0; w < field->word_count; w++) {
            memory_grow(&maker->field_words, &maker->field_word_room, maker->field_word_count + 1,
                        sizeof *maker->field_words);
            maker->field_words[maker->field_word_count++] = maker_text(maker, field->words[w]);
        }
    }
}

static void maker_aliases(struct maker *maker)
{
    struct alias_list list;
    alias_list_init(&list, maker->catalogue);
    maker->aliases = memory_new(list.count, sizeof *maker->aliases);
    maker->alias_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        maker->aliases[i] = (struct registry_alias){
            .name = maker_text(maker, list.items[i].name),
            .index = list.items[i].index,
        };
    }
    alias_list_fini(&list);
}

static bool maker_solve(struct maker *maker)
{
    size_t count = maker->catalogue->count;
    maker->hashes = memory_new(count, sizeof *maker->hashes);
    uint32_t twin_a = 0, twin_b = 0;
    for (unsigned attempt = 0; attempt < SEEDS; attempt++) {
        maker->seed = (attempt + 1) * UINT64_C(0xd1342543de82ef95);
        for (size_t i = 0; i < count; i++) {
            const struct entry *entry = &maker->catalogue->entries[i];
            maker->hashes[i] = registry_hash(entry->key, entry->key_length, maker->seed);
        }
        if (perfect_init(&maker->perfect, maker->hashes, (uint32_t)count, attempt / SEEDS_A_STEP,
                         &twin_a, &twin_b)) {
            return true;
        }
    }
    if (twin_a != twin_b) {
        diag_add(maker->diag, maker->file, maker->catalogue->entries[twin_b].line, 3,
                 "'%s' and '%s' have the same hash under %d seeds",
                 maker->catalogue->entries[twin_b].key, maker->catalogue->entries[twin_a].key,
                 SEEDS);
    } else {
        diag_add(maker->diag, maker->file, 0, 0, "no perfect hash found with %d seeds", SEEDS);
    }
    return false;
}

/* Places a section behind the ones before, aligned to a cache line. */
static uint64_t section(uint64_t *end, size_t bytes)
{
    uint64_t at = *end;
    *end = (at + bytes + 63) & ~UINT64_C(63);
    return at;
}

static void image_lines(struct registry_image *image, const struct maker *maker)
{
    struct registry_line *lines = (void *)((char *)image + image->lines);
    uint32_t *indexes = (void *)((char *)image + image->indexes);
    uint8_t *prints = (uint8_t *)image + image->prints;
    unsigned char *records = (unsigned char *)image + image->records;
    for (uint32_t i = 0; i < image->slots; i++) {
        lines[i].length = REGISTRY_LINE_EMPTY;
    }
    for (uint32_t i = 0; i < image->count; i++) {
        const struct entry *entry = &maker->catalogue->entries[i];
        uint64_t hash = maker->hashes[i];
        uint32_t pilot = maker->perfect.pilots[registry_hash_bucket(hash, image->shift)];
        uint32_t slot = registry_hash_slot(hash, pilot, image->slots);
        struct registry_line *line = &lines[slot];
        assert(line->length == REGISTRY_LINE_EMPTY);
        indexes[slot] = i;
        prints[slot] = registry_hash_print(hash);
        memcpy(records + (size_t)i * image->record_bytes, &slot, sizeof slot); /* comes first */
        if (entry->key_length <= REGISTRY_LINE_KEY) {
            line->length = (uint8_t)entry->key_length;
            memcpy(line->key, entry->key, entry->key_length);
        } else {
            /* Put there by maker_long_keys, so this finds it. */
            uint32_t offset = pool_put((struct pool *)&maker->pool, entry->key, entry->key_length);
            line->length = REGISTRY_LINE_LONG;
            memcpy(line->key, &offset, sizeof offset);
        }
    }
}

static void maker_long_keys(struct maker *maker)
{
    for (size_t i = 0; i < maker->catalogue->count; i++) {
        const struct entry *entry = &maker->catalogue->entries[i];
        if (entry->key_length > REGISTRY_LINE_KEY) {
            (void)maker_text(maker, entry->key);
        }
    }
}

static bool maker_image(struct maker *maker, struct build *build)
{
    const struct perfect *perfect = &maker->perfect;
    size_t count = maker->catalogue->count;
    struct registry_image head = {
        .magic = REGISTRY_IMAGE_MAGIC,
        .seed = maker->seed,
        .shift = perfect->shift,
        .buckets = perfect->buckets,
        .slots = perfect->slots,
        .count = (uint32_t)count,
        .provider_count = (uint32_t)maker->provider_count,
        .word_count = (uint32_t)maker->words.count,
        .wide_count = (uint32_t)maker->wide_count,
        .alias_count = (uint32_t)maker->alias_count,
        .capability_count = maker->catalogue->names.count,
        .field_count = maker->catalogue->schema->count,
        .record_bytes = maker->catalogue->schema->record_bytes,
        .record_name = maker->record_name,
    };
    memcpy(head.capability, maker->capability, sizeof head.capability);
    uint64_t end = 0;
    (void)section(&end, sizeof head);
    head.pilots = section(&end, perfect->buckets);
    head.prints = section(&end, perfect->slots);
    head.indexes = section(&end, perfect->slots * sizeof(uint32_t));
    head.lines = section(&end, perfect->slots * sizeof(struct registry_line));
    head.records = section(&end, count * head.record_bytes);
    head.providers = section(&end, maker->provider_count * sizeof *maker->providers);
    head.words = section(&end, maker->words.count * sizeof *maker->words.offset);
    head.wide = section(&end, maker->wide_count * sizeof *maker->wide);
    head.aliases = section(&end, maker->alias_count * sizeof *maker->aliases);
    head.fields = section(&end, head.field_count * sizeof *maker->fields);
    head.field_words = section(&end, maker->field_word_count * sizeof *maker->field_words);
    head.texts = section(&end, maker->pool.length);
    head.bytes = end;
    if (end > BUILD_MOST) {
        diag_add(maker->diag, maker->file, 0, 0,
                 "%zu %s make tables of %llu MiB; at most %llu fit beside a program's code", count,
                 maker->catalogue->schema->records, (unsigned long long)(end >> 20),
                 (unsigned long long)(BUILD_MOST >> 20));
        return false;
    }
    build->bytes = (size_t)end;
    build->image = aligned_alloc(64, build->bytes);
    if (!build->image) {
        memory_die();
    }
    char *base = (char *)build->image;
    memset(base, 0, build->bytes);
    memcpy(base, &head, sizeof head);
    memcpy(base + head.pilots, perfect->pilots, perfect->buckets);
    memcpy(base + head.records, maker->records, count * head.record_bytes);
    memcpy(base + head.fields, maker->fields, head.field_count * sizeof *maker->fields);
    if (maker->field_word_count > 0) {
        memcpy(base + head.field_words, maker->field_words,
               maker->field_word_count * sizeof *maker->field_words);
    }
    memcpy(base + head.providers, maker->providers,
           maker->provider_count * sizeof *maker->providers);
    memcpy(base + head.words, maker->words.offset,
           maker->words.count * sizeof *maker->words.offset);
    if (maker->wide_count > 0) {
        memcpy(base + head.wide, maker->wide, maker->wide_count * sizeof *maker->wide);
    }
    if (maker->alias_count > 0) {
        memcpy(base + head.aliases, maker->aliases, maker->alias_count * sizeof *maker->aliases);
    }
    image_lines(build->image, maker);
    memcpy(base + head.texts, maker->pool.bytes, maker->pool.length);
    return true;
}

bool build_init(struct build *build, const struct catalogue *catalogue, bool aliases,
                const char *file, struct diag *diag)
{
    *build = (struct build){.bytes = 0};
    struct maker maker = {.catalogue = catalogue, .file = file, .diag = diag};
    bool ok = false;
    pool_init(&maker.pool);
    maker.words.by_offset = memory_new(WORD_BUCKETS, sizeof *maker.words.by_offset);
    memory_grow(&maker.words.offset, &maker.words.room, 1, sizeof *maker.words.offset);
    maker.words.offset[0] = 0;
    maker.words.count = 1;
    maker.records = memory_new(catalogue->count, catalogue->schema->record_bytes);
    maker_capabilities(&maker);
    maker_records(&maker);
    maker_long_keys(&maker);
    maker_fields(&maker);
    if (aliases) {
        maker_aliases(&maker);
    }
    ok = !maker.full && maker_solve(&maker) && maker_image(&maker, build);
    build->moves = maker.perfect.moves;
    perfect_fini(&maker.perfect);
    free(maker.hashes);
    free(maker.aliases);
    free(maker.wide);
    free(maker.providers);
    free(maker.records);
    free(maker.fields);
    free(maker.field_words);
    free(maker.words.by_offset);
    free(maker.words.offset);
    pool_fini(&maker.pool);
    return ok;
}

void build_fini(struct build *build)
{
    free(build->image);
    *build = (struct build){.bytes = 0};
}
