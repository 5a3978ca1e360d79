/*
 * schema.h - what the records of a catalogue are: the parts of their key and their fields, read
 * from a file of YAML beside it. The schema of the model catalogue (registry/catalogue/model.yaml)
 * is built in. Build time only.
 *
 *   record: airport                   the name of a record, and of the struct in the header
 *   key: [iata]                       one part, or two, which a colon joins
 *   fields:
 *     elevation: {type: integer, unit: ft, filter: true}
 *     kind: {type: enum, words: [large, medium, small], filter: true}
 *
 * Types: text word date list number integer decimal enum set names flag (registry/field.h). A
 * decimal has `digits`, enum and set have `words`; `names` takes any words, at most 32 of a
 * catalogue, and with `denied: NAME` a second list of those that are stated false. `what` is the
 * noun of messages. A name with a point, a.b, stands for b in a mapping a.
 */
#ifndef GENERATE_SCHEMA_H
#define GENERATE_SCHEMA_H

#include "harness/base/diag.h"
#include "registry/field.h"

#define SCHEMA_FIELDS_MOST 64u
#define SCHEMA_NAME_MOST   48u
#define SCHEMA_WORDS_MOST  250u /* of an enum; of a set 8 */

struct schema_field {
    char *name, *unit, *denied, *what; /* unit, denied: NULL: none */
    enum registry_field_type type;
    unsigned digits, word_count;
    char **words;
    bool filter;
    unsigned at; /* in the record */
    unsigned line;
};

struct schema {
    char *record, *records; /* "airport", "airports" */
    char *key[2];
    unsigned key_count;
    struct schema_field fields[SCHEMA_FIELDS_MOST];
    unsigned count;
    unsigned record_bytes;
};

/* False: diagnostics were added. Call schema_fini in any case. */
bool schema_read(struct schema *schema, const char *path, struct diag *diag);
bool schema_parse(struct schema *schema, const char *path, const char *text, size_t length,
                  struct diag *diag);
void schema_fini(struct schema *schema);
/* That of the model catalogue; lives as long as the process. */
const struct schema *schema_models(void);
/* The field's number, or its count. */
unsigned schema_find(const struct schema *schema, const char *name);
const char *schema_type_name(enum registry_field_type type);

#endif
