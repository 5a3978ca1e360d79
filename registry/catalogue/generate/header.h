/*
 * header.h - the C header of a catalogue: a struct with all fields of a record, its enums, and
 * inline functions over the tables beside it. Build time only.
 */
#ifndef GENERATE_HEADER_H
#define GENERATE_HEADER_H

#include "registry/catalogue/generate/schema.h"

/* The text, which the caller frees. `symbol` is the tables' name, `source` the catalogue's. */
char *header_text(const struct schema *schema, const char *symbol, const char *source);

#endif
