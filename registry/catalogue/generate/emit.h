/*
 * emit.h - writes an image: the bytes to OUT.image, the struct of its records to OUT.h, and to
 * OUT.c a C file that puts the bytes into .rodata under a hidden symbol. The bytes are included by
 * the assembler (.incbin): a C array of them would take the compiler minutes for a large catalogue.
 * Build time only.
 */
#ifndef GENERATE_EMIT_H
#define GENERATE_EMIT_H

#include "registry/catalogue/generate/build.h"

/* `out` ends in .c, or in .image for the bytes alone. False: the reason is in errno. A half-written
 * file is not left behind. */
bool emit_write(const struct build *build, const struct schema *schema, const char *out,
                const char *symbol, const char *source);

#endif
