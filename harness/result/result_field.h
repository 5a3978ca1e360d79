/* result_field.h - fields of a JSON object as rows of a table: key, kind, place in the struct. Keys
 * usually come in the order of the table, so looking one up costs one comparison. Internal to
 * harness/result. Supervisor only. */
#ifndef RESULT_RESULT_FIELD_H
#define RESULT_RESULT_FIELD_H

#include "harness/result/json_read.h"

#include <stdbool.h>
#include <stddef.h>

enum field_kind {
    FIELD_TEXT,
    FIELD_INT64,
    FIELD_UINT64,
    FIELD_SIZE,
    FIELD_INT,
    FIELD_UNSIGNED,
    FIELD_DOUBLE,
    FIELD_BOOL,
    FIELD_STATUS,
    FIELD_VERDICT,
    FIELD_REACH,
    FIELD_ORDER,
    FIELD_FAIL_ON,
    FIELD_OTHER, /* has code of its own */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
};

#define FIELD(type, key, kind, member)                                                             \
    {                                                                                              \
        key, kind, offsetof(struct type, member)                                                   \
    }

/* The row of `key`, looked for from *next on, or NULL. */
const struct field *field_find(const struct field *fields, size_t *next, const char *key);
/* Its value into the struct at `base`; null leaves what is there. False: json->error. */
bool field_read(struct json *json, const struct field *field, void *base);
/* An object of plain fields; others are passed over. */
void field_object_read(struct json *json, const struct field *fields, void *base);

#endif
