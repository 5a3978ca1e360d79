/*
 * model_print.h - one model of the registry as text, as a row of a table, as JSON. Supervisor only.
 */
#ifndef CLI_MODEL_PRINT_H
#define CLI_MODEL_PRINT_H

#include "harness/base/table.h"
#include "registry/registry.h"

#include <stdio.h>

/* Key, then a line for each field that the catalogue states. */
void model_print(registry_index index, bool color, FILE *out);

/* Columns for model_row: model, context, max output, $ in, $ out, capabilities. */
void model_columns(struct table *table);
void model_row(struct table *table, registry_index index);

/* One line of JSON: the catalogue's own field names and units; what is unknown is left out. */
void model_json(registry_index index, FILE *out);

void provider_json(struct registry_text name, uint32_t models, FILE *out);

/* micro-USD as dollars: "0.15", "2.50", "0.000001". Returns `text`. */
#define MODEL_DOLLARS_BYTES 32
char *model_dollars(char text[MODEL_DOLLARS_BYTES], uint64_t micro);

#endif
