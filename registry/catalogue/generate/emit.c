/* emit.c - see emit.h. Build time only. */
#include "registry/catalogue/generate/emit.h"

#include "harness/base/memory.h"
#include "registry/catalogue/generate/header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Writes beside the file and renames, so that make never sees half of one. */
static bool write_whole(const char *path, const char *bytes, size_t count)
{
    char *partial = memory_format("%s.part", path);
    FILE *stream = fopen(partial, "wb");
    bool ok = stream && fwrite(bytes, 1, count, stream) == count;
    if (stream && fclose(stream) != 0) {
        ok = false;
    }
    ok = ok && rename(partial, path) == 0;
    if (!ok) {
        int reason = errno;
        (void)unlink(partial);
        errno = reason;
    }
    free(partial);
    return ok;
}

bool emit_write(const struct build *build, const struct schema *schema, const char *out,
                const char *symbol, const char *source)
{
    const char *bytes = (const char *)build->image;
    if (ends_with(out, ".image")) {
        return write_whole(out, bytes, build->bytes);
    }
    if (!ends_with(out, ".c") || strpbrk(out, "\"\\\n")) {
        errno = EINVAL;
        return false;
    }
    char *image = memory_format("%.*s.image", (int)strlen(out) - 2, out);
    char *text = memory_format(
        "/* %u %s of %s, made by registry-generate: do not edit. Layout: registry/image.h */\n"
        "__asm__(\".pushsection .rodata\\n\"\n"
        "        \".balign %d\\n\"\n"
        "        \".globl %s\\n\"\n"
        "        \".hidden %s\\n\"\n"
        "        \".type %s, STT_OBJECT\\n\"\n"
        "        \"%s:\\n\"\n"
        "        \".incbin \\\"%s\\\"\\n\"\n"
        "        \".size %s, . - %s\\n\"\n"
        "        \".popsection\\n\");\n",
        build->image->count, schema->records,
        strrchr(source, '/') ? strrchr(source, '/') + 1 : source,
        build->bytes < REGISTRY_HUGE_FROM ? 64 : REGISTRY_HUGE_PAGE, symbol, symbol, symbol, symbol,
        image, symbol, symbol);
    char *header = memory_format("%.*s.h", (int)strlen(out) - 2, out);
    char *struct_text = header_text(schema, symbol, source);
    bool ok = write_whole(image, bytes, build->bytes) &&
              write_whole(header, struct_text, strlen(struct_text)) &&
              write_whole(out, text, strlen(text));
    free(struct_text);
    free(header);
    free(text);
    free(image);
    return ok;
}
