/*
 * bench_contenders.c - who stands in the table of `tidemark bench`: the strategies named or all,
 * the variants of a scenario, plug-ins, and the peers that `make bench-peers` built. Supervisor
 * only.
 */
#include "harness/base/memory.h"
#include "harness/cli/bench.h"
#include "harness/scenario/scenario.h"
#include "registry/cache/source_registry.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct contender *contender_add(struct bench *bench, const char *name,
                                       const struct strategy *strategy)
{
    if (bench->count == BENCH_CONTENDERS) {
        return NULL;
    }
    struct contender *contender = &bench->contenders[bench->count++];
    *contender = (struct contender){.strategy = strategy, .source = bench->source};
    contender->options.entries = bench->entries;
    contender->options.bytes = command_integer(bench->line, "bytes", 0);
    snprintf(contender->name, sizeof contender->name, "%s", name);
    return contender;
}

/* The reference, and right behind it itself once more: whatever the table says of that row is what
 * the machine does to figures today. */
static void reference_add(struct bench *bench, const struct strategy *strategy, const char *name)
{
    contender_add(bench, name, strategy);
    struct contender *control = contender_add(bench, name, strategy);
    control->options = bench->contenders[0].options;
    control->control = true;
    snprintf(control->name, sizeof control->name, "%.36s, again", name);
    double planted = command_number(bench->line, "plant", 0);
    if (planted > 0) {
        struct contender *slow = contender_add(bench, name, strategy);
        slow->options = bench->contenders[0].options;
        slow->extra = planted;
        snprintf(slow->name, sizeof slow->name, "%.30s + %.3g %%", name, planted * 100);
    }
}

/* NULL, and the nearest name was said, when there is no such strategy. A name with a '/' in it is
 * the path of a plug-in. */
static const struct strategy *strategy_named(const struct bench *bench, const char *name)
{
    if (strchr(name, '/')) {
        char error[STRATEGY_ERROR_BYTES];
        const struct strategy *plugged = strategy_load(name, error);
        if (!plugged) {
            command_usage_error(bench->line, "%s", error);
        }
        return plugged;
    }
    const char *names[64];
    size_t known = 0;
    const struct strategy *strategy = strategy_find(name);
    for (; known < 64 && strategies[known]; known++) {
        names[known] = strategies[known]->name;
    }
    if (!strategy) {
        command_word_error(bench->line, "strategy", name, names, known);
    }
    return strategy;
}

bool bench_strategies_add(struct bench *bench)
{
    const char *first = command_text_at(bench->line, "strategy", 0);
    const char *named = command_text(bench->line, "reference");
    const struct strategy *reference = named ? strategy_named(bench, named) : strategies[0];
    bool good = reference != NULL;
    if (reference) {
        reference_add(bench, reference, reference->name);
    }
    for (size_t n = 0; first && command_text_at(bench->line, "strategy", n); n++) {
        const char *name = command_text_at(bench->line, "strategy", n);
        const struct strategy *strategy = strategy_named(bench, name);
        good = good && strategy;
        if (strategy && strategy != reference) {
            good = contender_add(bench, strategy->name, strategy) != NULL && good;
        }
    }
    for (size_t i = 0; !first && strategies[i]; i++) {
        if (strategies[i] != reference) {
            contender_add(bench, strategies[i]->name, strategies[i]);
        }
    }
    return good;
}

static uint64_t pair_number(const struct scenario_pair *pairs, size_t count, const char *key,
                            uint64_t otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].key, key) == 0) {
            return strtoull(pairs[i].value, NULL, 10);
        }
    }
    return otherwise;
}

static const char *pair_text(const struct scenario_pair *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].key, key) == 0) {
            return pairs[i].value;
        }
    }
    return "";
}

/* A plug-in's path is relative to the scenario's folder. NULL: it was said why. */
static const struct strategy *variant_strategy(const struct bench *bench, const char *path,
                                               const struct scenario_variant *variant)
{
    char error[STRATEGY_ERROR_BYTES];
    const struct strategy *strategy = strategy_find(variant->strategy);
    const char *slash = strrchr(path, '/');
    if (!strategy && strchr(variant->strategy, '/')) {
        char *plugged =
            variant->strategy[0] == '/' || !slash
                ? memory_copy(variant->strategy)
                : memory_format("%.*s/%s", (int)(slash - path), path, variant->strategy);
        strategy = strategy_load(plugged, error);
        free(plugged);
    } else if (!strategy) {
        snprintf(error, sizeof error, "strategy '%s' is not compiled in", variant->strategy);
    }
    if (!strategy) {
        command_usage_error(bench->line, "%s:%u:%u: %s", path, variant->line, variant->column,
                            error);
    }
    return strategy;
}

/* The variants of a scenario of a built-in suite, with their bounds; the first is the reference. */
int bench_scenario_add(struct bench *bench, const char *path)
{
    struct scenario scenario;
    struct diag diag;
    int status = COMMAND_USAGE;
    diag_init(&diag);
    if (!scenario_read(path, &scenario, &diag)) {
        diag_print(&diag, stderr);
        diag_fini(&diag);
        return COMMAND_USAGE;
    }
    if (!scenario.builtin) {
        command_usage_error(bench->line,
                            "%s: bench measures strategies; '%s' is a program of yours", path,
                            scenario.program);
        goto out;
    }
    if (strcmp(pair_text(scenario.suite, scenario.suite_count, "value"), "materialised") == 0) {
        bench->source = &source_registry_materialised;
    }
    for (size_t i = 0; i < scenario.variant_count; i++) {
        const struct scenario_variant *variant = &scenario.variants[i];
        const struct strategy *strategy = variant_strategy(bench, path, variant);
        if (!strategy) {
            goto out;
        }
        if (i == 0) {
            reference_add(bench, strategy, variant->name);
        } else if (!contender_add(bench, variant->name, strategy)) {
            command_usage_error(bench->line, "%s: more variants than %d", path, BENCH_CONTENDERS);
            goto out;
        }
        struct strategy_options bounds = {
            .entries =
                pair_number(variant->params, variant->param_count, "entries", bench->entries),
            .bytes = pair_number(variant->params, variant->param_count, "bytes", 0),
            .ttl_ns = pair_number(variant->params, variant->param_count, "ttl", 0),
            .shards = (uint32_t)pair_number(variant->params, variant->param_count, "shards", 0),
            .weights = (uint32_t)pair_number(variant->params, variant->param_count, "weights", 0)};
        for (size_t n = i == 0 ? 0 : bench->count - 1; n < bench->count; n++) {
            bench->contenders[n].options = bounds;
        }
    }
    for (size_t n = 0; n < bench->count; n++) {
        bench->contenders[n].source = bench->source;
    }
    status = COMMAND_MET;
out:
    scenario_fini(&scenario);
    diag_fini(&diag);
    return status;
}

/* Where peers are: beside the tidemark binary, as the suites are. The caller frees. */
static char *peers_folder(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    return memory_format("%.*s/peers", slash ? (int)(slash - self) : 1, slash ? self : ".");
}

static int object_is(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".so") == 0;
}

/* In the order of their names. A peer that cannot be loaded (its library went) is said and left
 * out. */
bool bench_peers_add(struct bench *bench)
{
    struct dirent **entries = NULL;
    char *folder = peers_folder();
    int count = scandir(folder, &entries, object_is, alphasort), added = 0;
    for (int i = 0; i < count; i++) {
        char error[STRATEGY_ERROR_BYTES];
        char *path = memory_format("%s/%s", folder, entries[i]->d_name);
        const struct strategy *strategy = strategy_load(path, error);
        if (!strategy) {
            fprintf(stderr, "tidemark bench: %s\n", error);
        } else if (contender_add(bench, strategy->name, strategy)) {
            added++;
        }
        free(path);
        free(entries[i]);
    }
    if (added == 0) {
        command_usage_error(bench->line, "--peers: none in %s; 'make bench-peers' builds them",
                            folder);
    }
    free((void *)entries);
    free(folder);
    return added > 0;
}
