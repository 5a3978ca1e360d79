/*
 * registry_suggest.c - the keys nearest to one that was not found. Scans the whole catalogue (a few
 * milliseconds for 27,000 keys), so it is for the error path only. Any process; no heap.
 *
 * Distance: edits (insert, delete, replace; letters without case) between the wanted text and the
 * key, by Myers' bit-parallel algorithm (JACM 46, 1999; Hyyro's form for whole strings), on the
 * first 64 bytes of the wanted text. Without a colon the text is held against the ids alone.
 */
#include "registry/image.h"

#include <string.h>

#define WANTED_MOST 64
#define OUT_MOST    32

struct wanted {
    uint64_t places[256]; /* by byte: where in the text it stands, in either case */
    size_t length;
    bool whole; /* with provider */
};

struct ranked {
    unsigned score;
    registry_index index;
};

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

static void wanted_init(struct wanted *wanted, const char *key, size_t length)
{
    memset(wanted, 0, sizeof *wanted);
    wanted->length = length < WANTED_MOST ? length : WANTED_MOST;
    wanted->whole = memchr(key, ':', length) != NULL;
    for (size_t i = 0; i < wanted->length; i++) {
        wanted->places[lower((uint8_t)key[i])] |= UINT64_C(1) << i;
    }
}

static unsigned wanted_distance(const struct wanted *wanted, const char *text, size_t length)
{
    uint64_t plus = UINT64_MAX, minus = 0;
    uint64_t last = UINT64_C(1) << (wanted->length - 1);
    unsigned distance = (unsigned)wanted->length;
    for (size_t i = 0; i < length; i++) {
        uint64_t equal = wanted->places[lower((uint8_t)text[i])];
        uint64_t vertical = equal | minus;
        uint64_t horizontal = (((equal & plus) + plus) ^ plus) | equal;
        uint64_t up = minus | ~(horizontal | plus), down = plus & horizontal;
        distance += (up & last) != 0;
        distance -= (down & last) != 0;
        up = up << 1 | 1;
        down <<= 1;
        plus = down | ~(vertical | up);
        minus = up & vertical;
    }
    return distance;
}

size_t registry_image_suggest(const struct registry_image *image, const char *key, size_t length,
                              registry_index *out, size_t most)
{
    struct ranked best[OUT_MOST];
    size_t found = 0;
    most = most < OUT_MOST ? most : OUT_MOST;
    if (length == 0 || most == 0) {
        return 0;
    }
    struct wanted wanted;
    wanted_init(&wanted, key, length);
    /* Beyond this nobody would recognise it. */
    unsigned limit = (unsigned)wanted.length / 3 + 1;
    for (registry_index i = 0; i < image->count; i++) {
        struct registry_text text = registry_image_key(image, i);
        if (!wanted.whole) {
            const char *colon = memchr(text.data, ':', text.length);
            size_t skip = colon ? (size_t)(colon + 1 - text.data) : 0; /* a key may have one part */
            text.length -= (uint32_t)skip;
            text.data += skip;
        }
        /* A key cut off at WANTED_MOST cannot be told from a longer one. */
        size_t reach =
            length > WANTED_MOST && text.length > WANTED_MOST ? WANTED_MOST : text.length;
        size_t gap = reach > wanted.length ? reach - wanted.length : wanted.length - reach;
        if (gap > limit) {
            continue;
        }
        unsigned score = wanted_distance(&wanted, text.data, reach);
        if (score > limit || (found == most && score >= best[found - 1].score)) {
            continue;
        }
        size_t at = found < most ? found++ : found - 1;
        for (; at > 0 && best[at - 1].score > score; at--) {
            best[at] = best[at - 1];
        }
        best[at] = (struct ranked){score, i};
    }
    for (size_t i = 0; i < found; i++) {
        out[i] = best[i].index;
    }
    return found;
}
