/* reader.h - what the files of the scenario reader share: the walk over a map by a table of keys,
 * and values of each kind with their diagnostics. Internal to harness/scenario. */
#ifndef SCENARIO_READER_H
#define SCENARIO_READER_H

#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/scenario/node.h"
#include "harness/scenario/programs.h"
#include "harness/scenario/scenario.h"

struct reader {
    const char *path;
    struct diag *diag;
    struct scenario *scenario;
    struct programs *programs;            /* of .tidemark.yaml; else NULL */
    bool all;                             /* in the expectations of `all` */
    const struct node *variants, *expect; /* read after the suite is known */
    struct scenario_pair *suite_env;      /* of the suite, for every variant */
    size_t suite_env_count;
};

struct reader_key {
    const char *name;
    void (*take)(struct reader *reader, const struct node *value);
};

void reader_error(struct reader *reader, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "unknown WHAT 'text'; did you mean 'x'?" or, when nothing is near, "; known here: a, b, c". */
void reader_unknown(struct reader *reader, const struct node *node, const char *what,
                    const char *const *words, size_t count);

/* NULL when none has this name. */
const struct reader_key *reader_key_find(const struct reader_key *keys, size_t count,
                                         const char *name);

/* Calls the taker of each key; unknown keys and values that are not there are errors. False when
 * `node` is not a map (an error, too). */
bool reader_map(struct reader *reader, const struct node *node, const char *what,
                const struct reader_key *keys, size_t count);

/* Text of a scalar; NULL and a diagnostic when it is a list, a map or nothing. Borrowed. */
const char *reader_text(struct reader *reader, const struct node *node, const char *what);
/* A name: letters, digits, '.', '_', '-', '/', at most 100. */
const char *reader_name(struct reader *reader, const struct node *node, const char *what);
bool reader_size(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                 uint64_t *value);
bool reader_time(struct reader *reader, const struct node *node, const char *what, uint64_t *value);
bool reader_count(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                  uint64_t most, uint64_t *value);
/* A list of texts, or one text. */
void reader_texts(struct reader *reader, const struct node *node, const char *what, char ***texts,
                  size_t *count);
/* {NAME: value} with names as environment variables have. */
void reader_environment(struct reader *reader, const struct node *node,
                        struct scenario_pair **pairs, size_t *count);

void pair_add(struct scenario_pair **pairs, size_t *count, const char *key, const char *value);

/* parameter.c: the keys of suites and of strategies. */
enum parameter_owner { PARAMETER_SUITE, PARAMETER_STRATEGY };
bool parameter_is(enum parameter_owner owner, const char *key);
/* Checks the value of a key that is one, and adds it in base units. */
void parameter_take(struct reader *reader, enum parameter_owner owner, const struct node *key,
                    const struct node *value, struct scenario_pair **pairs, size_t *count);
/* "bytes: 4194304 B", as parameter_take reads it. */
void parameter_print(enum parameter_owner owner, const struct scenario_pair *pair,
                     struct text *out);
/* Words that a key of a suite or a strategy may be. */
size_t parameter_names(enum parameter_owner owner, const char **names, size_t most);

/* scenario.c */
bool teardown_take(struct reader *reader, const struct node *value,
                   enum scenario_teardown *teardown);
/* variant.c */
void variants_take(struct reader *reader, const struct node *list);
/* expect.c; after the variants. */
void expect_take(struct reader *reader, const struct node *map);
/* Of one variant, which is a program of .tidemark.yaml. */
void expect_program_take(struct reader *reader, size_t variant, const struct node *map);

#endif
