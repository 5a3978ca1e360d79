/* xml.h - text as XML and HTML want it. Supervisor only. */
#ifndef REPORT_XML_H
#define REPORT_XML_H

#include <stddef.h>
#include <stdio.h>

/* At most `most` bytes of `text` (whole characters; "..." behind a cut), escaped for content and
 * for attributes in double quotes. Control characters that XML 1.0 does not allow, and bytes that
 * are not UTF-8, become U+FFFD. SIZE_MAX: all. */
void xml_put(const char *text, size_t most, FILE *out);

#endif
