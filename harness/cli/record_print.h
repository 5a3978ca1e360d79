/*
 * record_print.h - one record of a catalogue as text, as a row of a table, as JSON, by the fields
 * that the image says it has; and conditions on them as a user writes them. For models, whose units
 * are known, see model_print.h. Supervisor only.
 */
#ifndef CLI_RECORD_PRINT_H
#define CLI_RECORD_PRINT_H

#include "harness/base/table.h"
#include "registry/field.h"

#include <stdio.h>

/* Does the compiled-in catalogue hold models? */
bool record_is_model(void);
/* "model", "airport"; borrowed. */
const char *record_noun(void);
/* "1 model", "3 statuses". The caller frees. */
char *record_count_text(uint32_t count);

void record_print(registry_index index, bool color, FILE *out);
/* The key and the fields that may be filtered by. */
void record_columns(struct table *table);
void record_row(struct table *table, registry_index index);
/* One line; the fields by their names, numbers in their units; what is unknown is left out. */
void record_json(registry_index index, FILE *out);

/* "elevation<=100", "country=DE", "caps=tools". False: *why is one line, which the caller frees. */
bool record_where_parse(const char *text, struct registry_where *where, char **why);

#endif
