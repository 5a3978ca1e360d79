/* variant.c - the `variants:` of a scenario. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/scenario/reader.h"

#include <stdlib.h>
#include <string.h>

/* The names of all strategies in strategy.def, compiled in or not: whether one can run is the
 * plan's question. An underscore of the symbol is a dash of the name. */
static const char *const strategy_symbols[] = {
#define STRATEGY(symbol) #symbol,
#include "registry/cache/strategy.def"
#undef STRATEGY
};
#define STRATEGY_COUNT (sizeof strategy_symbols / sizeof strategy_symbols[0])

static char (*strategy_names(const char *names[STRATEGY_COUNT]))[32]
{
    static char storage[STRATEGY_COUNT][32];
    for (size_t i = 0; i < STRATEGY_COUNT; i++) {
        size_t length = strlen(strategy_symbols[i]);
        for (size_t j = 0; j <= length && j < sizeof storage[0]; j++) {
            char letter = strategy_symbols[i][j];
            storage[i][j] = (char)(letter == '_' ? '-' : letter);
        }
        storage[i][sizeof storage[0] - 1] = '\0';
        names[i] = storage[i];
    }
    return storage;
}

static void strategy_check(struct reader *reader, const struct node *node)
{
    const char *names[STRATEGY_COUNT];
    strategy_names(names);
    if (strchr(node->text, '/')) { /* a plug-in: whether it is one is the plan's question */
        return;
    }
    for (size_t i = 0; i < STRATEGY_COUNT; i++) {
        if (strcmp(names[i], node->text) == 0) {
            return;
        }
    }
    reader_unknown(reader, node, "strategy", names, STRATEGY_COUNT);
}

static bool key_is(const struct node *key, const char *name)
{
    return key->kind == NODE_SCALAR && strcmp(key->text, name) == 0;
}

#define NAMES_MAX 64

static void key_unknown(struct reader *reader, const struct node *key)
{
    const char *names[NAMES_MAX] = {"strategy", "program", "args", "env", "teardown"};
    size_t count = 5;
    count += parameter_names(PARAMETER_STRATEGY, names + count, NAMES_MAX - count);
    count += parameter_names(PARAMETER_SUITE, names + count, NAMES_MAX - count);
    reader_unknown(reader, key, "key", names, count);
}

static void variant_key(struct reader *reader, struct scenario_variant *variant,
                        const struct node *key, const struct node *value)
{
    const char *text;
    if (key->kind != NODE_SCALAR || key_is(key, "<<")) {
        return; /* was said when the document was read */
    }
    if (key_is(key, "strategy")) {
        if (!reader->scenario->builtin) {
            reader_error(reader, key, "strategy is for built-in suites; '%s' is a program of yours",
                         reader->scenario->program);
        } else if ((text = reader_text(reader, value, "strategy")) != NULL) {
            strategy_check(reader, value);
            free(variant->strategy);
            variant->strategy = memory_copy(text);
        }
    } else if (key_is(key, "program")) {
        if ((text = reader_text(reader, value, "program")) != NULL) {
            free(variant->program);
            variant->program = memory_copy(text);
        }
    } else if (key_is(key, "args")) {
        variant->args_given = true;
        reader_texts(reader, value, "args", &variant->args, &variant->arg_count);
    } else if (key_is(key, "env")) {
        reader_environment(reader, value, &variant->env, &variant->env_count);
    } else if (key_is(key, "teardown")) {
        variant->teardown_given = teardown_take(reader, value, &variant->teardown);
    } else if (!reader->scenario->builtin) {
        static const char *const names[] = {"program", "args", "env", "teardown"};
        reader_unknown(reader, key, "key", names, sizeof names / sizeof names[0]);
    } else if (parameter_is(PARAMETER_STRATEGY, key->text)) {
        parameter_take(reader, PARAMETER_STRATEGY, key, value, &variant->params,
                       &variant->param_count);
    } else if (parameter_is(PARAMETER_SUITE, key->text)) {
        parameter_take(reader, PARAMETER_SUITE, key, value, &variant->suite, &variant->suite_count);
    } else {
        key_unknown(reader, key);
    }
}

static struct scenario_variant *variant_add(struct reader *reader, const struct node *name)
{
    struct scenario *scenario = reader->scenario;
    char shown[NODE_SHOWN_BYTES];
    for (size_t i = 0; i < scenario->variant_count; i++) {
        if (strcmp(scenario->variants[i].name, name->text) == 0) {
            reader_error(
                reader, name,
                "a second variant '%s', first on line %u; name it {other-name: {strategy: %s}}",
                node_shown(name->text, shown), scenario->variants[i].line,
                node_shown(name->text, shown));
            return NULL;
        }
    }
    struct scenario_variant *variants =
        reallocarray(scenario->variants, scenario->variant_count + 1, sizeof scenario->variants[0]);
    if (!variants) {
        memory_die();
    }
    scenario->variants = variants;
    struct scenario_variant *variant = &variants[scenario->variant_count++];
    *variant = (struct scenario_variant){.name = memory_copy(name->text),
                                         .strategy = memory_copy(""),
                                         .program = memory_copy(""),
                                         .line = name->line,
                                         .column = name->column};
    for (size_t i = 0; i < reader->suite_env_count; i++) {
        pair_add(&variant->env, &variant->env_count, reader->suite_env[i].key,
                 reader->suite_env[i].value);
    }
    return variant;
}

static void variant_take(struct reader *reader, const struct node *name, const struct node *params)
{
    if (!reader_name(reader, name, "variant")) {
        return;
    }
    struct scenario_variant *variant = variant_add(reader, name);
    if (!variant) {
        return;
    }
    if (params && params->kind == NODE_MAP) {
        for (size_t i = 0; i + 1 < params->count; i += 2) {
            variant_key(reader, variant, params->items[i], params->items[i + 1]);
        }
    } else if (params && (params->kind == NODE_LIST || params->text[0])) {
        reader_error(reader, params,
                     "parameters of variant '%s' must be a map, such as {entries: 64}",
                     variant->name);
    }
    /* A built-in suite needs a strategy; without one of its own, the variant's name is it. */
    if (reader->scenario->builtin && !variant->strategy[0]) {
        strategy_check(reader, name);
        free(variant->strategy);
        variant->strategy = memory_copy(variant->name);
    }
}

void variants_take(struct reader *reader, const struct node *list)
{
    if (list->kind != NODE_LIST) {
        reader_error(reader, list, "variants must be a list, a line '- NAME' each");
        return;
    }
    if (list->count == 0) {
        reader_error(reader, list, "variants is empty; name at least one");
    }
    if (list->count > 64) {
        reader_error(reader, list, "%zu variants; at most 64", list->count);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = list->items[i];
        if (item->kind == NODE_SCALAR) {
            variant_take(reader, item, NULL);
        } else if (item->kind == NODE_MAP && item->count == 2) {
            if (item->items[0]->kind == NODE_SCALAR) {
                variant_take(reader, item->items[0], item->items[1]);
            }
        } else if (item->kind == NODE_MAP && item->count > 2) {
            reader_error(reader, item->items[2],
                         "one variant a line; put the parameters in braces: - %s: {...}",
                         item->items[0]->kind == NODE_SCALAR ? item->items[0]->text : "name");
        } else {
            reader_error(reader, item, "a variant is a name, or {name: {parameters}}");
        }
    }
}
