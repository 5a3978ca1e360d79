/* memory.c - see memory.h. Supervisor and build tools only. */
#include "harness/base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_die(void)
{
    fputs("tidemark: out of memory\n", stderr);
    exit(99);
}

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory) {
        memory_die();
    }
    return memory;
}

void memory_grow(void *slot, size_t *room, size_t need, size_t size)
{
    if (need <= *room) {
        return;
    }
    size_t more = *room + *room / 2 + 8;
    if (more < need) {
        more = need;
    }
    void *memory;
    memcpy(&memory, slot, sizeof memory);
    memory = reallocarray(memory, more, size);
    if (!memory) {
        memory_die();
    }
    memcpy(slot, &memory, sizeof memory);
    *room = more;
}

char *memory_copy_bytes(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy) {
        memory_die();
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *memory_copy(const char *text)
{
    return memory_copy_bytes(text, strlen(text));
}

char *memory_format_list(const char *format, va_list list)
{
    char *text;
    if (vasprintf(&text, format, list) < 0) {
        memory_die();
    }
    return text;
}

char *memory_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = memory_format_list(format, list);
    va_end(list);
    return text;
}
