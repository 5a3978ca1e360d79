/* scenario.c - reads a scenario file: the keys of the top level, and the order in which the parts
 * depend on each other. Supervisor only. */
#include "harness/scenario/scenario.h"
#include "harness/base/memory.h"
#include "harness/scenario/reader.h"

#include <stdlib.h>
#include <string.h>

static void text_keep(char **slot, const char *text)
{
    free(*slot);
    *slot = memory_copy(text);
}

static void scenario_take(struct reader *reader, const struct node *value)
{
    const char *text = reader_name(reader, value, "scenario");
    text_keep(&reader->scenario->name, text ? text : "?");
}

static void about_take(struct reader *reader, const struct node *value)
{
    const char *text = reader_text(reader, value, "about");
    text_keep(&reader->scenario->about, text ? text : "");
}

/* A plain word is a built-in suite; anything with a slash is a program of the user's. */
static void program_take(struct reader *reader, const struct node *value)
{
    const char *text = reader_text(reader, value, "program");
    if (text) {
        text_keep(&reader->scenario->program, text);
        reader->scenario->builtin = strchr(text, '/') == NULL;
        reader->scenario->program_line = value->line;
        reader->scenario->program_column = value->column;
    }
}

#define NAMES_MAX 64

static void suite_key_unknown(struct reader *reader, const struct node *key, bool user)
{
    const char *names[NAMES_MAX] = {"program", "args", "env"};
    size_t count = 3;
    if (!user) {
        count += parameter_names(PARAMETER_SUITE, names + count, NAMES_MAX - count);
    }
    reader_unknown(reader, key, "key", names, count);
}

static void suite_take(struct reader *reader, const struct node *value)
{
    struct scenario *scenario = reader->scenario;
    const struct node *program = NULL;
    if (value->kind == NODE_SCALAR) {
        program_take(reader, value);
        return;
    }
    if (value->kind != NODE_MAP) {
        reader_error(reader, value, "suite must be a name or a map, such as {program: registry}");
        return;
    }
    for (size_t i = 0; i + 1 < value->count; i += 2) {
        if (value->items[i]->kind == NODE_SCALAR && strcmp(value->items[i]->text, "program") == 0) {
            program = value->items[i + 1];
            program_take(reader, program);
        }
    }
    bool user = scenario->program[0] && !scenario->builtin;
    if (!program) {
        reader_error(reader, value, "suite needs program: a built-in suite or a path");
    }
    for (size_t i = 0; i + 1 < value->count; i += 2) {
        const struct node *key = value->items[i], *item = value->items[i + 1];
        if (key->kind != NODE_SCALAR || item == program || strcmp(key->text, "<<") == 0) {
            continue;
        }
        if (strcmp(key->text, "args") == 0) {
            reader_texts(reader, item, "args", &scenario->args, &scenario->arg_count);
        } else if (strcmp(key->text, "env") == 0) {
            reader_environment(reader, item, &reader->suite_env, &reader->suite_env_count);
        } else if (user || !parameter_is(PARAMETER_SUITE, key->text)) {
            suite_key_unknown(reader, key, user);
        } else {
            parameter_take(reader, PARAMETER_SUITE, key, item, &scenario->suite,
                           &scenario->suite_count);
        }
    }
}

bool teardown_take(struct reader *reader, const struct node *value,
                   enum scenario_teardown *teardown)
{
    static const char *const words[] = {[TEARDOWN_PER_TEST] = "per-test",
                                        [TEARDOWN_PER_MODULE] = "per-module",
                                        [TEARDOWN_AFTER_SUITE] = "after-suite",
                                        [TEARDOWN_NEVER] = "never"};
    const char *text = reader_text(reader, value, "teardown");
    if (!text) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], text) == 0) {
            *teardown = (enum scenario_teardown)i;
            return true;
        }
    }
    reader_unknown(reader, value, "teardown", words, sizeof words / sizeof words[0]);
    return false;
}

static void top_teardown_take(struct reader *reader, const struct node *value)
{
    reader->scenario->teardown_given = teardown_take(reader, value, &reader->scenario->teardown);
}

static void memory_take(struct reader *reader, const struct node *value)
{
    reader_size(reader, value, "memory", 16 << 20, &reader->scenario->memory);
}

static void timeout_take(struct reader *reader, const struct node *value)
{
    if (reader_time(reader, value, "timeout", &reader->scenario->timeout_ns) &&
        reader->scenario->timeout_ns < 1000000) {
        char shown[NODE_SHOWN_BYTES];
        reader_error(reader, value, "timeout '%s' is too small; at least 1 ms",
                     node_shown(value->text, shown));
    }
}

static void limits_take(struct reader *reader, const struct node *value)
{
    static const struct reader_key keys[] = {{"memory", memory_take}, {"timeout", timeout_take}};
    reader_map(reader, value, "limits", keys, sizeof keys / sizeof keys[0]);
}

static void passes_take(struct reader *reader, const struct node *value)
{
    uint64_t passes = 0;
    reader_count(reader, value, "passes", 1, 1000, &passes);
    reader->scenario->passes = (unsigned)passes;
}

/* Remembered: they are read when the suite is known. */
static void variants_later(struct reader *reader, const struct node *value)
{
    reader->variants = value;
}

static void expect_later(struct reader *reader, const struct node *value)
{
    reader->expect = value;
}

static const struct reader_key top_keys[] = {
    {"scenario", scenario_take},     {"about", about_take},        {"suite", suite_take},
    {"teardown", top_teardown_take}, {"variants", variants_later}, {"limits", limits_take},
    {"passes", passes_take},         {"expect", expect_later},
};

/* Without `variants:` there is one, called "default"; a built-in suite looks up directly then. */
static void variant_default(struct reader *reader, const struct node *root)
{
    struct node name = {.kind = NODE_SCALAR, .line = root->line, .column = root->column};
    struct node *items[1] = {&name};
    struct node list = {.kind = NODE_LIST, .items = items, .count = 1};
    name.text = reader->scenario->builtin ? "direct" : "default";
    variants_take(reader, &list);
}

#define TOP_KEYS (sizeof top_keys / sizeof top_keys[0])

static void document_take(struct reader *reader, const struct node *root)
{
    if (!reader_map(reader, root, "a scenario", top_keys, TOP_KEYS)) {
        return;
    }
    bool suite = false, misspelt = false; /* then what seems to be missing may be there */
    for (size_t i = 0; i + 1 < root->count; i += 2) {
        const struct node *key = root->items[i];
        if (key->kind == NODE_SCALAR) {
            suite = suite || strcmp(key->text, "suite") == 0;
            misspelt = misspelt || reader_key_find(top_keys, TOP_KEYS, key->text) == NULL;
        }
    }
    if (!reader->scenario->name[0] && !misspelt) {
        reader_error(reader, root, "a scenario needs 'scenario: NAME'");
    }
    if (!suite && !misspelt) {
        reader_error(reader, root, "a scenario needs 'suite: {program: NAME}'");
    }
    if (!reader->scenario->program[0]) {
        reader->scenario->builtin = true; /* variants are still worth checking */
    }
    if (reader->variants) {
        variants_take(reader, reader->variants);
    } else {
        variant_default(reader, root);
    }
    if (reader->expect && (reader->variants || !misspelt)) {
        expect_take(reader, reader->expect);
    }
}

static void pairs_free(struct scenario_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
    free(pairs);
}

static void texts_free(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static bool scenario_take_document(struct scenario *scenario, struct document *document, bool good,
                                   const char *path, struct diag *diag, size_t before)
{
    *scenario = (struct scenario){.file = memory_copy(path),
                                  .name = memory_copy(""),
                                  .about = memory_copy(""),
                                  .program = memory_copy("")};
    struct reader reader = {.path = path, .diag = diag, .scenario = scenario};
    if (good) {
        document_take(&reader, document->root);
    }
    pairs_free(reader.suite_env, reader.suite_env_count);
    document_fini(document);
    if (diag->count != before) {
        scenario_fini(scenario);
        return false;
    }
    return true;
}

bool scenario_read(const char *path, struct scenario *scenario, struct diag *diag)
{
    struct document document;
    size_t before = diag->count;
    bool good = document_read(&document, path, diag);
    return scenario_take_document(scenario, &document, good, path, diag, before);
}

bool scenario_parse(const char *path, const char *bytes, size_t length, struct scenario *scenario,
                    struct diag *diag)
{
    struct document document;
    size_t before = diag->count;
    bool good = document_parse(&document, path, bytes, length, diag);
    return scenario_take_document(scenario, &document, good, path, diag, before);
}

void scenario_fini(struct scenario *scenario)
{
    free(scenario->file);
    free(scenario->name);
    free(scenario->about);
    free(scenario->program);
    texts_free(scenario->args, scenario->arg_count);
    pairs_free(scenario->suite, scenario->suite_count);
    for (size_t i = 0; i < scenario->variant_count; i++) {
        struct scenario_variant *variant = &scenario->variants[i];
        free(variant->name);
        free(variant->strategy);
        free(variant->program);
        texts_free(variant->args, variant->arg_count);
        pairs_free(variant->params, variant->param_count);
        pairs_free(variant->env, variant->env_count);
        pairs_free(variant->suite, variant->suite_count);
    }
    free(scenario->variants);
    for (size_t i = 0; i < scenario->expect_count; i++) {
        free(scenario->expects[i].metric);
        free(scenario->expects[i].text);
    }
    free(scenario->expects);
    *scenario = (struct scenario){0};
}
