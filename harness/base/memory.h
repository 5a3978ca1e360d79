/*
 * memory.h - memory of the supervisor: a failed allocation ends the command with status 99 and a
 * message, so that callers need no error path for it. Never used in the measured process.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed, count * size bytes (at least one). The caller frees. */
void *memory_new(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Makes room for `need` elements of `size` bytes in the array *slot, which has room for *room;
 * grows by half at least. New elements are not zeroed. */
void memory_grow(void *slot, size_t *room, size_t need, size_t size);

/* Copies; the caller frees. */
char *memory_copy(const char *text) __attribute__((returns_nonnull));
char *memory_copy_bytes(const char *text, size_t length) __attribute__((returns_nonnull));
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

char *memory_format_list(const char *format, va_list list)
    __attribute__((format(printf, 1, 0), returns_nonnull));

/* Prints "tidemark: out of memory" and ends with 99. */
void memory_die(void) __attribute__((noreturn));

#endif
