/* heap_place.c - see heap_place.h. Runs in the worker. */
#include "harness/ledger/heap_place.h"

#include "harness/base/wire.h"
#include "harness/ledger/allocator.h"
#include "harness/ledger/header.h"
#include "harness/meter/kernel.h"

#include <fcntl.h>
#include <string.h>

#define LOOK_BACK   (1u << 20) /* bytes before a pointer in which the block that it is in begins */
#define NEIGHBOURS  64u        /* most bytes between a block's end and the next one's header */
#define CHUNK_LEAST 32u        /* libc's smallest chunk */

struct area { /* a line of /proc/self/maps */
    uint64_t start, end;
    bool readable, heap, stack, image;
};

static bool hex_take(const char **at, uint64_t *value)
{
    const char *from = *at;
    *value = 0;
    for (;; *at += 1) {
        char digit = **at;
        if (digit >= '0' && digit <= '9') {
            *value = *value * 16 + (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            *value = *value * 16 + (uint64_t)(digit - 'a' + 10);
        } else {
            return *at != from;
        }
    }
}

static bool line_take(const char *line, struct area *area)
{
    *area = (struct area){0};
    if (!hex_take(&line, &area->start) || *line++ != '-' || !hex_take(&line, &area->end)) {
        return false;
    }
    area->readable = line[0] == ' ' && line[1] == 'r';
    area->heap = strstr(line, "[heap]") != NULL;
    area->stack = strstr(line, "[stack]") != NULL;
    area->image = strchr(line, '/') != NULL;
    return true;
}

/* The mapping that an address is in. */
static bool area_find(uint64_t address, struct area *area)
{
    char text[2048];
    size_t kept = 0;
    bool found = false;
    int fd = kernel_open("/proc/self/maps", O_RDONLY);
    for (long got = 1; fd >= 0 && got > 0 && !found;) {
        got =
            kernel_call(SYS_read, fd, (long)(text + kept), (long)(sizeof text - 1 - kept), 0, 0, 0);
        size_t filled = kept + (got > 0 ? (size_t)got : 0);
        char *line = text, *end;
        text[filled] = '\0';
        while (!found && (end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            found = line_take(line, area) && address - area->start < area->end - area->start;
            line = end + 1;
        }
        kept = filled - (size_t)(line - text);
        kept = kept == sizeof text - 1 ? 0 : kept; /* a path longer than that */
        memmove(text, line, kept);
    }
    if (fd >= 0) {
        kernel_close(fd);
    }
    return found;
}

/* Is there a block's header here, whatever depth it was allocated at? Of a live one, or also of one
 * that was freed. */
static bool header_is(uint64_t block, bool freed, uint64_t *bytes)
{
    const struct header *header = header_of((const void *)(uintptr_t)block);
    size_t size;
    void *start;
    if (header->mark != header_mark((const void *)(uintptr_t)block, header->mark & 0xff)) {
        return false;
    }
    enum header_state state = header_read((void *)(uintptr_t)block, &size, &start);
    *bytes = size;
    return state == HEADER_WHOLE || (freed && state == HEADER_FREED);
}

/* The nearest block at or before `from`, within [from - LOOK_BACK, from]; 0: none. */
static uint64_t block_before(uint64_t from, uint64_t area_start, bool freed, uint64_t *bytes)
{
    uint64_t low = from > LOOK_BACK ? from - LOOK_BACK : 0;
    low = low < area_start + HEADER_BYTES ? area_start + HEADER_BYTES : low;
    for (uint64_t block = from & ~(uint64_t)15; block >= low; block -= 16) {
        if (header_is(block, freed, bytes)) {
            return block;
        }
    }
    return 0;
}

/* Does the word before it look like the head of a chunk of libc's that is in use? */
static bool libc_chunk(uint64_t pointer, const struct area *area)
{
    uint64_t word, size;
    if (pointer % 16 != 0 || pointer - 16 < area->start) {
        return false;
    }
    memcpy(&word, (const void *)(uintptr_t)(pointer - 8), sizeof word);
    size = word & ~(uint64_t)7;
    bool mapped = (word & 2) != 0;
    bool fits = size >= CHUNK_LEAST && size % 16 == 0 && size <= area->end - (pointer - 16);
    /* [heap] is the main arena's; another arena says that it is one; a mapped chunk is whole pages.
     */
    return fits && (mapped ? size % 4096 == 0 : area->heap || (word & 4) != 0);
}

static void nobody(struct heap_place *place, const struct area *area, bool known)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    place->owner = HEAP_NOBODY;
    place->bytes = WIRE_HEAP_UNKNOWN;
    place->other = !known ? WIRE_HEAP_AT_UNKNOWN
                   : area->stack || here - area->start < area->end - area->start
                       ? WIRE_HEAP_AT_STACK
                   : area->image ? WIRE_HEAP_AT_IMAGE
                                 : WIRE_HEAP_AT_UNKNOWN;
}

uint64_t heap_place_before(const void *block)
{
    uint64_t bytes, header = (uint64_t)(uintptr_t)block - HEADER_BYTES;
    struct area area;
    uint64_t before =
        area_find(header, &area) ? block_before(header - 1, area.start, true, &bytes) : 0;
    return before != 0 && before + bytes <= header && header - (before + bytes) < NEIGHBOURS ? bytes
                                                                                             : 0;
}

void heap_place_find(const void *pointer, bool native, struct heap_place *place)
{
    uint64_t address = (uint64_t)(uintptr_t)pointer, bytes;
    struct area area;
    bool known = area_find(address, &area);
    bool jemalloc = below.usable_of != NULL;
    *place = (struct heap_place){.owner = HEAP_BELOW, .bytes = WIRE_HEAP_UNKNOWN};
    if (!known || !area.readable || area.stack || area.image) {
        nobody(place, &area, known);
        return;
    }
    uint64_t block = block_before(address, area.start, false, &bytes);
    if (block != 0 && address - block < bytes) {
        *place = (struct heap_place){HEAP_MIDDLE, block, bytes, address - block};
    } else if (jemalloc && allocator_has(pointer)) {
        if (!native) {
            place->owner = HEAP_DAMAGED;
            place->block = address;
            place->other = heap_place_before(pointer);
        }
    } else if (libc_chunk(address, &area)) {
        place->owner = jemalloc ? HEAP_LIBC : HEAP_BELOW;
    } else if (area.heap && !jemalloc) {
        place->owner = HEAP_DAMAGED;
        place->block = address;
    } else {
        nobody(place, &area, known);
    }
}
