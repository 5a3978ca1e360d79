/* wire_heap.c - see wire.h: a heap error in words. Runs in both processes. */
#include "harness/base/wire.h"

#include <stdio.h>

void wire_heap_describe(const struct wire_heap_error *error, char *text, size_t room)
{
    unsigned long long bytes = error->bytes, other = error->other;
    char size[64] = "a block";
    if (error->bytes != WIRE_HEAP_UNKNOWN) {
        snprintf(size, sizeof size, "a block of %llu B", bytes);
    }
    switch ((enum wire_heap_kind)error->kind) {
    case WIRE_HEAP_OVERRUN:
        snprintf(text, room, "wrote beyond the end of %s", size);
        break;
    case WIRE_HEAP_DAMAGED:
        snprintf(text, room,
                 error->other    ? "wrote over the bytes before %s: beyond the end of a block of "
                                   "%llu B, or before the beginning of this one"
                 : error->unsure ? "wrote over the bytes before %s, or freed it a second time"
                                 : "wrote over the bytes before %s",
                 size, other);
        break;
    case WIRE_HEAP_FREED_TWICE:
        snprintf(text, room, "freed %s a second time", size);
        break;
    case WIRE_HEAP_MIDDLE:
        snprintf(text, room, "freed a pointer %llu B into %s", other, size);
        break;
    case WIRE_HEAP_FOREIGN:
        snprintf(text, room, "freed a pointer that no allocation returned%s",
                 other == WIRE_HEAP_AT_STACK   ? ", to the stack"
                 : other == WIRE_HEAP_AT_IMAGE ? ", to data of the program"
                                               : "");
        break;
    case WIRE_HEAP_REALLOC_FREED:
        snprintf(text, room, "reallocated %s that was freed before", size);
        break;
    case WIRE_HEAP_SIZE:
        snprintf(text, room, "deleted %s as one of %llu B", size, other);
        break;
    }
}
