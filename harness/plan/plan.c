/* plan.c - see plan.h. Supervisor only. */
#include "harness/plan/plan.h"
#include "harness/base/executable.h"
#include "harness/base/memory.h"
#include "harness/plan/plugin.h"
#include "harness/plan/shard.h"
#include "harness/scenario/scenario.h"
#include "registry/strategy.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void plan_init(struct plan *plan)
{
    *plan = (struct plan){.passes = 1, .allocator = PLAN_JEMALLOC, .seed = 1};
}

struct words { /* a NULL-terminated array of owned strings */
    char **items;
    size_t count, room;
};

static void words_add(struct words *words, char *word)
{
    memory_grow(&words->items, &words->room, words->count + 2, sizeof words->items[0]);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static char **words_take(struct words *words)
{
    char **items = words->items ? words->items : memory_new(1, sizeof *items);
    *words = (struct words){0};
    return items;
}

static void words_free(char **items)
{
    for (size_t i = 0; items && items[i]; i++) {
        free(items[i]);
    }
    free(items);
}

static char **words_dup(char *const *items)
{
    struct words words = {0};
    for (size_t i = 0; items && items[i]; i++) {
        words_add(&words, memory_copy(items[i]));
    }
    return words_take(&words);
}

static struct plan_variant *variant_new(struct plan *plan)
{
    struct plan_variant *variants =
        reallocarray(plan->variants, plan->variant_count + 1, sizeof plan->variants[0]);
    if (!variants) {
        memory_die();
    }
    plan->variants = variants;
    struct plan_variant *variant = &variants[plan->variant_count++];
    *variant = (struct plan_variant){0};
    return variant;
}

struct plan_variant *plan_variant_add(struct plan *plan, const char *name, const char *program,
                                      char *const *argv, char *const *env)
{
    char *const alone[] = {(char *)program, NULL};
    struct plan_variant *variant = variant_new(plan);
    variant->name = memory_copy(name);
    variant->program = memory_copy(program);
    variant->argv = words_dup(argv ? argv : alone);
    variant->env = words_dup(env);
    variant->skip = memory_copy("");
    return variant;
}

/* "PREFIX" + "max-entries" + "=" + value, the key in upper case with '_' for '-'. */
static char *setting(const char *prefix, const char *key, const char *value)
{
    char *text = memory_format("%s%s=%s", prefix, key, value);
    for (char *at = text + strlen(prefix); *at != '='; at++) {
        *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
    }
    return text;
}

static bool pair_find(const struct scenario_pair *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static char **variant_env(const struct scenario *scenario, const struct scenario_variant *from,
                          bool builtin, const char *strategy)
{
    static const char *const teardowns[] = {[TEARDOWN_PER_TEST] = "per-test",
                                            [TEARDOWN_PER_MODULE] = "per-module",
                                            [TEARDOWN_AFTER_SUITE] = "after-suite",
                                            [TEARDOWN_NEVER] = "never"};
    struct words env = {0};
    for (size_t i = 0; builtin && i < scenario->suite_count; i++) {
        const struct scenario_pair *pair = &scenario->suite[i];
        if (!pair_find(from->suite, from->suite_count, pair->key)) {
            words_add(&env, setting("TIDEMARK_SUITE_", pair->key, pair->value));
        }
    }
    for (size_t i = 0; builtin && i < from->suite_count; i++) {
        words_add(&env, setting("TIDEMARK_SUITE_", from->suite[i].key, from->suite[i].value));
    }
    if (builtin) {
        words_add(&env, memory_format("TIDEMARK_STRATEGY=%s", strategy));
    }
    for (size_t i = 0; builtin && i < from->param_count; i++) {
        words_add(&env, setting("TIDEMARK_STRATEGY_", from->params[i].key, from->params[i].value));
    }
    if (builtin || scenario->teardown_given || from->teardown_given) {
        enum scenario_teardown teardown =
            from->teardown_given ? from->teardown : scenario->teardown;
        words_add(&env, memory_format("TIDEMARK_TEARDOWN=%s", teardowns[teardown]));
    }
    for (size_t i = 0; i < from->env_count; i++) {
        words_add(&env, memory_format("%s=%s", from->env[i].key, from->env[i].value));
    }
    return words_take(&env);
}

static char **variant_argv(const struct scenario *scenario, const struct scenario_variant *from,
                           const char *program)
{
    char *const *args = from->args_given ? from->args : scenario->args;
    size_t count = from->args_given ? from->arg_count : scenario->arg_count;
    struct words argv = {0};
    words_add(&argv, memory_copy(program));
    for (size_t i = 0; i < count; i++) {
        words_add(&argv, memory_copy(args[i]));
    }
    return words_take(&argv);
}

/* A suite's name is a file of libexec; a path is relative to the scenario's folder. */
static char *program_resolve(const struct scenario *scenario, const char *program,
                             const char *libexec)
{
    const char *slash = strrchr(scenario->file, '/');
    if (!strchr(program, '/')) {
        return memory_format("%s/%s", libexec, program);
    }
    if (program[0] == '/' || !slash) {
        return memory_copy(program);
    }
    return memory_format("%.*s/%s", (int)(slash - scenario->file), scenario->file, program);
}

/* The built-in suite that was meant, or NULL; the caller frees. */
static char *suite_nearest(const char *name, const char *libexec)
{
    struct words names = {0};
    DIR *listing = opendir(libexec);
    for (struct dirent *entry; listing && (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] != '.') {
            words_add(&names, memory_copy(entry->d_name));
        }
    }
    if (listing) {
        closedir(listing);
    }
    const char *nearest = diag_nearest(name, (const char *const *)names.items, names.count);
    char *copy = nearest ? memory_copy(nearest) : NULL;
    words_free(names.items);
    return copy;
}

static bool program_check(const struct scenario *scenario, const struct scenario_variant *from,
                          const char *program, const char *path, const char *libexec, char *error,
                          size_t error_bytes)
{
    unsigned line = from->program[0] ? from->line : scenario->program_line;
    unsigned column = from->program[0] ? from->column : scenario->program_column;
    int why = executable_error(path);
    if (why == 0) {
        return true;
    }
    if (strchr(program, '/')) {
        snprintf(error, error_bytes, "%s:%u:%u: program '%s' cannot be run: %s (%s)",
                 scenario->file, line, column, program, strerror(why), path);
        return false;
    }
    char *nearest = suite_nearest(program, libexec);
    if (nearest) {
        snprintf(error, error_bytes, "%s:%u:%u: unknown suite '%s'; did you mean '%s'?",
                 scenario->file, line, column, program, nearest);
    } else {
        snprintf(
            error, error_bytes,
            "%s:%u:%u: unknown suite '%s' (a program of yours is written ./%s); suites are in %s",
            scenario->file, line, column, program, program, libexec);
    }
    free(nearest);
    return false;
}

static bool plugged_check(const struct scenario *scenario, const struct scenario_variant *from,
                          const char *path, char *error, size_t error_bytes)
{
    char why[STRATEGY_ERROR_BYTES];
    if (plugin_check(path, why, sizeof why)) {
        return true;
    }
    snprintf(error, error_bytes, "%s:%u:%u: %s", scenario->file, from->line, from->column, why);
    return false;
}

static bool variant_plan(struct plan *plan, const struct scenario *scenario,
                         const struct scenario_variant *from, const char *libexec, char *error,
                         size_t error_bytes)
{
    const char *program = from->program[0] ? from->program : scenario->program;
    bool builtin = !strchr(program, '/');
    struct plan_variant *variant = variant_new(plan);
    variant->name = memory_copy(from->name);
    variant->program = program_resolve(scenario, program, libexec);
    variant->argv = variant_argv(scenario, from, variant->program);
    bool plugged = builtin && strchr(from->strategy, '/');
    char *strategy =
        plugged ? program_resolve(scenario, from->strategy, libexec) : memory_copy(from->strategy);
    variant->env = variant_env(scenario, from, builtin, strategy);
    bool missing = builtin && !plugged && !strategy_find(from->strategy);
    bool good = !plugged || plugged_check(scenario, from, strategy, error, error_bytes);
    free(strategy);
    variant->skip = missing ? memory_format("strategy '%s' is not compiled in", from->strategy)
                            : memory_copy("");
    return good &&
           program_check(scenario, from, program, variant->program, libexec, error, error_bytes);
}

bool plan_from_scenario(struct plan *plan, const struct scenario *scenario, const char *libexec,
                        char *error, size_t error_bytes)
{
    plan_init(plan);
    plan->memory_cap = scenario->memory;
    plan->timeout_ns = scenario->timeout_ns;
    plan->passes = scenario->passes ? scenario->passes : 1;
    for (size_t i = 0; i < scenario->variant_count; i++) {
        if (!variant_plan(plan, scenario, &scenario->variants[i], libexec, error, error_bytes)) {
            plan_fini(plan);
            return false;
        }
    }
    return true;
}

bool plan_without_caches(struct plan *plan, const struct scenario *scenario, const char *libexec,
                         char *error, size_t error_bytes)
{
    size_t before = plan->variant_count;
    for (size_t i = 0; i < scenario->variant_count; i++) {
        const struct scenario_variant *from = &scenario->variants[i];
        if (!from->strategy[0] || strcmp(from->strategy, "direct") == 0) {
            continue;
        }
        struct scenario_variant bare = *from; /* borrows: the plan copies what it keeps */
        bare.name = memory_format("%s, no cache", from->name);
        bare.strategy = (char[]){"direct"};
        bare.param_count = 0;
        bool planned = variant_plan(plan, scenario, &bare, libexec, error, error_bytes);
        plan->variants[plan->variant_count - 1].without_cache_of = 1 + i;
        free(bare.name);
        if (!planned) {
            return false;
        }
    }
    if (plan->variant_count == before) {
        snprintf(error, error_bytes, "%s: no variant has a cache that could be left out",
                 scenario->file);
        return false;
    }
    return true;
}

bool plan_takes(const struct plan *plan, const char *id)
{
    return plan_filter_takes(&plan->filter, id);
}

void plan_fini(struct plan *plan)
{
    for (size_t i = 0; i < plan->variant_count; i++) {
        struct plan_variant *variant = &plan->variants[i];
        free(variant->name);
        free(variant->program);
        free(variant->skip);
        shard_map_free(&variant->shard);
        words_free(variant->argv);
        words_free(variant->env);
    }
    free(plan->variants);
    plan_filter_fini(&plan->filter);
    *plan = (struct plan){0};
}
