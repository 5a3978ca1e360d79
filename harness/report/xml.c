/* xml.c - see xml.h. Supervisor only. */
#include "harness/report/xml.h"
#include "harness/base/text.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the valid character at `text`, 0 when there is none. U+FFFE and U+FFFF are no XML. */
static size_t character(const char *text, size_t length)
{
    unsigned char c = (unsigned char)*text;
    size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, bad;
    if (bytes > length || !text_utf8(text, bytes, &bad) ||
        (bytes == 3 &&
         (memcmp(text, "\xef\xbf\xbe", 3) == 0 || memcmp(text, "\xef\xbf\xbf", 3) == 0))) {
        return 0;
    }
    return bytes;
}

void xml_put(const char *text, size_t most, FILE *out)
{
    size_t length = strlen(text), at = 0;
    while (at < length) {
        unsigned char c = (unsigned char)text[at];
        size_t bytes = c < 0x80 ? 1 : character(text + at, length - at);
        size_t step = bytes ? bytes : 1;
        if (at + step > most) {
            fputs(most > 1000 ? "..." : "", out);
            return;
        }
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&quot;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        if (entity) {
            fputs(entity, out);
        } else if (bytes == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            fputs(REPLACEMENT, out);
        } else {
            fwrite(text + at, 1, bytes, out);
        }
        at += step;
    }
}
