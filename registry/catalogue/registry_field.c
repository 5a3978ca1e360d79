/* registry_field.c - see registry/field.h. Any process; nothing here allocates, writes or fails. */
#include "registry/field.h"
#include "registry/registry_inline.h"

#include <assert.h>
#include <string.h>

static struct registry_text text_at(const struct registry_image *image, uint32_t offset)
{
    const uint8_t *at = registry_image_bytes(image, image->texts) + offset;
    return (struct registry_text){(const char *)at + 2, (uint32_t)(at[0] | at[1] << 8)};
}

struct registry_text registry_image_record_name(const struct registry_image *image)
{
    return text_at(image, image->record_name);
}

uint32_t registry_image_field_count(const struct registry_image *image)
{
    return image->field_count;
}

const struct registry_field *registry_image_field(const struct registry_image *image, uint32_t n)
{
    assert(n < image->field_count);
    const void *fields = registry_image_bytes(image, image->fields);
    return (const struct registry_field *)fields + n;
}

struct registry_text registry_image_field_name(const struct registry_image *image, uint32_t n)
{
    return text_at(image, registry_image_field(image, n)->name);
}

struct registry_text registry_image_field_unit(const struct registry_image *image, uint32_t n)
{
    return text_at(image, registry_image_field(image, n)->unit);
}

struct registry_text registry_image_field_word(const struct registry_image *image, uint32_t n,
                                               uint32_t word)
{
    const struct registry_field *field = registry_image_field(image, n);
    if (field->type == REGISTRY_FIELD_NAMES) {
        assert(word < image->capability_count);
        return text_at(image, image->capability[word]);
    }
    assert(word < field->word_count);
    const void *words = registry_image_bytes(image, image->field_words);
    return text_at(image, ((const uint32_t *)words)[field->words + word]);
}

bool registry_image_field_find(const struct registry_image *image, const char *name, size_t length,
                               uint32_t *n)
{
    for (uint32_t i = 0; i < image->field_count; i++) {
        struct registry_text own = registry_image_field_name(image, i);
        if (own.length == length && memcmp(own.data, name, length) == 0) {
            *n = i;
            return true;
        }
    }
    return false;
}

const unsigned char *registry_image_record(const struct registry_image *image, registry_index index)
{
    assert(index < image->count);
    /* An image of before there were schemas does not say how long its records are. */
    uint64_t bytes = image->record_bytes ? image->record_bytes : sizeof(struct registry_record);
    return registry_image_bytes(image, image->records) + index * bytes;
}

struct registry_text registry_read_text(const struct registry_image *image, const unsigned char *at)
{
    return text_at(image, registry_read_bits(at));
}

struct registry_text registry_read_word(const struct registry_image *image, const unsigned char *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    const void *words = registry_image_bytes(image, image->words);
    return text_at(image, ((const uint32_t *)words)[word]);
}

uint64_t registry_read_number(const struct registry_image *image, const unsigned char *at)
{
    uint32_t number = registry_read_bits(at);
    if (number < REGISTRY_NUMBER_WIDE) {
        return number;
    }
    if (number == REGISTRY_NUMBER_ABSENT) {
        return REGISTRY_UNKNOWN;
    }
    const void *wide = registry_image_bytes(image, image->wide);
    return ((const uint64_t *)wide)[number - REGISTRY_NUMBER_WIDE];
}

int64_t registry_read_integer(const unsigned char *at)
{
    int64_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

uint32_t registry_read_bits(const unsigned char *at)
{
    uint32_t bits;
    memcpy(&bits, at, sizeof bits);
    return bits;
}

void registry_image_key_parts(const struct registry_image *image, registry_index index,
                              struct registry_text *first, struct registry_text *last)
{
    struct registry_text key = registry_image_key(image, index);
    const struct registry_record *head = (const void *)registry_image_record(image, index);
    uint32_t length = registry_image_provider_name(image, head->provider).length;
    uint32_t skip = length > 0 ? length + 1 : 0;
    *first = (struct registry_text){key.data, length};
    *last = (struct registry_text){key.data + skip, key.length - skip};
}

static void number_fill(struct registry_value *value, int64_t number, bool stated)
{
    value->stated = stated;
    value->number = stated ? number : 0;
}

void registry_image_value(const struct registry_image *image, registry_index index, uint32_t n,
                          struct registry_value *value)
{
    const struct registry_field *field = registry_image_field(image, n);
    const unsigned char *at = registry_image_record(image, index) + field->at;
    *value = (struct registry_value){.stated = false};
    switch ((enum registry_field_type)field->type) {
    case REGISTRY_FIELD_TEXT:
        value->text = registry_read_text(image, at);
        value->stated = value->text.length > 0;
        break;
    case REGISTRY_FIELD_WORD:
    case REGISTRY_FIELD_DATE:
    case REGISTRY_FIELD_LIST:
        value->text = registry_read_word(image, at);
        value->stated = value->text.length > 0;
        break;
    case REGISTRY_FIELD_NUMBER: {
        uint64_t number = registry_read_number(image, at);
        number_fill(value, (int64_t)number, number != REGISTRY_UNKNOWN);
        break;
    }
    case REGISTRY_FIELD_INTEGER:
    case REGISTRY_FIELD_DECIMAL: {
        int64_t number = registry_read_integer(at);
        number_fill(value, number, number != REGISTRY_NO_INTEGER);
        break;
    }
    case REGISTRY_FIELD_ENUM:
        value->stated = *at > 0;
        if (value->stated) {
            value->text = registry_image_field_word(image, n, *at - 1u);
        }
        break;
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_FLAG:
        value->yes = *at;
        value->stated = *at != 0;
        break;
    case REGISTRY_FIELD_NAMES:
        value->yes = registry_read_bits(at);
        value->no = registry_read_bits(at + 4);
        value->stated = (value->yes | value->no) != 0;
        break;
    case REGISTRY_FIELD_TYPES:
        break;
    }
}

static int text_order(struct registry_text a, struct registry_text b)
{
    uint32_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool condition_met(const struct registry_image *image, const struct registry_where *where,
                          registry_index index)
{
    struct registry_value value;
    int order = 0;
    registry_image_value(image, index, where->field, &value);
    switch ((enum registry_field_type)registry_image_field(image, where->field)->type) {
    case REGISTRY_FIELD_NUMBER:
    case REGISTRY_FIELD_INTEGER:
    case REGISTRY_FIELD_DECIMAL:
        order = (value.number > where->number) - (value.number < where->number);
        break;
    case REGISTRY_FIELD_SET:
    case REGISTRY_FIELD_NAMES:
    case REGISTRY_FIELD_FLAG:
        order = (value.yes & where->bits) == where->bits ? 0 : 1;
        break;
    default:
        order = text_order(value.text, where->text);
        break;
    }
    return value.stated && (where->how == REGISTRY_IS         ? order == 0
                            : where->how == REGISTRY_AT_LEAST ? order >= 0
                                                              : order <= 0);
}

bool registry_image_matches(const struct registry_image *image, const struct registry_where *where,
                            size_t count, registry_index index)
{
    for (size_t i = 0; i < count; i++) {
        if (!condition_met(image, &where[i], index)) {
            return false;
        }
    }
    return true;
}

registry_index registry_image_where_next(const struct registry_image *image,
                                         const struct registry_where *where, size_t count,
                                         registry_index from)
{
    for (; from < image->count; from++) {
        if (registry_image_matches(image, where, count, from)) {
            return from;
        }
    }
    return REGISTRY_NONE;
}
