/* result_merge.c - see result_merge.h. Supervisor only. */
#include "harness/result/result_merge.h"
#include "harness/base/memory.h"
#include "harness/result/result_folder.h"
#include "harness/result/result_index.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_shard.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a metric of two parts becomes that of the whole. */
enum join { JOIN_SUM, JOIN_MAX, JOIN_DERIVED };

static enum join join_of(enum result_metric metric)
{
    switch (metric) {
    case METRIC_PEAK_RSS:
    case METRIC_RETAINED_TEST_MAX:
    case METRIC_LIVE_PEAK:
    case METRIC_TEST_PEAK:
        return JOIN_MAX;
    case METRIC_GROWTH: /* see kept_join */
    case METRIC_LIVE_END:
    case METRIC_LOOKUP_P50:
    case METRIC_LOOKUP_P99:
    case METRIC_HIT_RATE:
    case METRIC_ALLOCS_PER_LOOKUP:
        return JOIN_DERIVED;
    default:
        return JOIN_SUM;
    }
}

static double value_join(enum join join, double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return isnan(a) ? b : a;
    }
    return join == JOIN_SUM ? a + b : fmax(a, b);
}

/* The worse of two verdicts. Order: what a person must look at first comes last. */
static enum result_verdict verdict_worse(enum result_verdict a, enum result_verdict b)
{
    static const unsigned char badness[VERDICT_COUNT] = {
        [VERDICT_NONE] = 0,         [VERDICT_CLEAN] = 1,       [VERDICT_SATURATING] = 2,
        [VERDICT_INCONCLUSIVE] = 3, [VERDICT_ACCUMULATES] = 4, [VERDICT_GROWTH] = 5,
        [VERDICT_LEAK] = 6,
    };
    return badness[a] >= badness[b] ? a : b;
}

static void counters_join(struct result_variant *into, const struct result_variant *from)
{
    for (size_t i = 0; i < from->counter_count; i++) {
        size_t j = 0;
        while (j < into->counter_count &&
               strcmp(into->counters[j].name, from->counters[i].name) != 0) {
            j++;
        }
        if (j < into->counter_count) {
            into->counters[j].value += from->counters[i].value;
        } else {
            result_counter_add(into, from->counters[i].name, from->counters[i].value);
        }
    }
}

/* What stays of all parts that keep something, over their tests: the rate is its quotient. A part
 * that was stopped has a projection for its own tests; of two there is none. */
static void kept_join(struct result_variant *into, const struct result_variant *from, double growth)
{
    bool both = into->kept_tests > 0 && from->kept_tests > 0;
    if (both) {
        into->kept_bytes += from->kept_bytes;
        into->kept_tests += from->kept_tests;
        result_set(&into->projection, "");
    } else if (from->kept_tests > 0) {
        into->kept_bytes = from->kept_bytes;
        into->kept_tests = from->kept_tests;
        result_set(&into->projection, from->projection);
    } else if (!into->projection[0]) { /* of earlier versions */
        result_set(&into->projection, from->projection);
    }
    into->metric[METRIC_GROWTH] = into->kept_tests > 0
                                      ? into->kept_bytes / into->kept_tests
                                      : value_join(JOIN_MAX, growth, from->metric[METRIC_GROWTH]);
}

static void variant_join(struct result_variant *into, const struct result_variant *from)
{
    double *metric = into->metric, growth = into->metric[METRIC_GROWTH];
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        enum join join = join_of((enum result_metric)i);
        metric[i] = join == JOIN_DERIVED ? NAN : value_join(join, metric[i], from->metric[i]);
        into->low[i] = into->high[i] = NAN;
    }
    double asked = metric[METRIC_HITS] + metric[METRIC_MISSES];
    metric[METRIC_HIT_RATE] = asked > 0 ? metric[METRIC_HITS] / asked : NAN;
    metric[METRIC_ALLOCS_PER_LOOKUP] =
        metric[METRIC_LOOKUPS] > 0 ? metric[METRIC_ALLOCS] / metric[METRIC_LOOKUPS] : NAN;
    kept_join(into, from, growth);
    if (verdict_worse(into->verdict, from->verdict) != into->verdict) {
        into->verdict = from->verdict;
        result_set(&into->horizon, from->horizon);
        result_set(&into->shard, from->shard);
    }
    if (from->stopped_by[0] && !into->stopped_by[0]) {
        result_set(&into->stopped_by, from->stopped_by);
        result_set(&into->culprit, from->culprit);
    }
    counters_join(into, from);
}

static bool expect_same(const struct result_expect *a, const struct result_expect *b)
{
    return a->line == b->line && strcmp(a->file, b->file) == 0 &&
           strcmp(a->variant, b->variant) == 0 && strcmp(a->metric, b->metric) == 0 &&
           strcmp(a->limit, b->limit) == 0;
}

static void expects_merge(struct result *result)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->expect_count; i++) {
        size_t j = 0;
        while (j < kept && !expect_same(&result->expects[j], &result->expects[i])) {
            j++;
        }
        if (j == kept) {
            result->expects[kept++] = result->expects[i];
            continue;
        }
        if (result->expects[j].ok && !result->expects[i].ok) {
            result->expects[j].ok = false;
            result_set(&result->expects[j].actual, result->expects[i].actual);
        }
        result_expect_fini(&result->expects[i]);
    }
    result->expect_count = kept;
}

/* What the verdict rests on is of one shard: of which, is said. */
static void horizon_place(struct result_variant *variant)
{
    if (variant->joined && variant->shard[0] && variant->horizon[0]) {
        char *horizon = memory_format("shard %s: %s", variant->shard, variant->horizon);
        result_set(&variant->horizon, horizon);
        free(horizon);
    }
}

void result_merge_variants(struct result *result)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->variant_count; i++) {
        size_t j = 0;
        while (j < kept && strcmp(result->variants[j].name, result->variants[i].name) != 0) {
            j++;
        }
        if (j == kept) {
            result->variants[kept++] = result->variants[i];
            continue;
        }
        variant_join(&result->variants[j], &result->variants[i]);
        result->variants[j].joined = true;
        result_variant_fini(&result->variants[i]);
    }
    result->variant_count = kept;
    for (size_t i = 0; i < kept; i++) {
        horizon_place(&result->variants[i]);
    }
    expects_merge(result);
}

/* What a note says beside the program that it begins with; all of it where it begins with none. */
static const char *note_text(const struct result *result, const char *note)
{
    const char *text = note;
    for (size_t i = 0; i < result->variant_count; i++) {
        const char *name = result->variants[i].name;
        size_t length = strlen(name);
        if (length > 0 && strncmp(note, name, length) == 0 &&
            strncmp(note + length, ": ", 2) == 0 && note + length + 2 > text) {
            text = note + length + 2; /* of "a" and "a: b", the longer one */
        }
    }
    return text;
}

/* Notes are repeated by every shard, and by the programs of a project. */
static void notes_merge(struct result *result)
{
    size_t kept = 0;
    unsigned *more = memory_new(result->note_count + 1, sizeof *more);
    for (size_t i = 0; i < result->note_count; i++) {
        const char *text = note_text(result, result->notes[i]);
        bool same = false;
        size_t j = 0;
        while (j < kept && strcmp(note_text(result, result->notes[j]), text) != 0) {
            j++;
        }
        for (size_t k = 0; k <= j && k < kept; k++) {
            same = same || strcmp(result->notes[k], result->notes[i]) == 0;
        }
        if (j < kept) {
            more[j] += !same;
            free(result->notes[i]);
        } else {
            result->notes[kept++] = result->notes[i];
        }
    }
    for (size_t j = 0; j < kept; j++) {
        if (more[j] > 0) {
            const char *text = note_text(result, result->notes[j]);
            int length = (int)(text - result->notes[j] - 2); /* of the program's name */
            char *note =
                memory_format("%.*s and %u more: %s", length, result->notes[j], more[j], text);
            free(result->notes[j]);
            result->notes[j] = note;
        }
    }
    free(more);
    result->note_count = kept;
}

static bool same_run(const struct result_source *first, const struct result_source *other,
                     struct diag *diag)
{
    const struct {
        const char *what, *a, *b;
    } rows[] = {{"suite", first->suite, other->suite},
                {"scenario", first->scenario, other->scenario},
                {"command", first->command, other->command}};
    bool named = first->program[0] && other->program[0]; /* each is a suite of its own */
    for (size_t i = named; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].a, rows[i].b) != 0) {
            char *a = printable_new(rows[i].a), *b = printable_new(rows[i].b);
            diag_add(
                diag, other->path, other->line, 1, "another %s ('%s') than %s ('%s'); not merged%s",
                rows[i].what, b, first->path, a,
                first->scenario[0] && other->scenario[0] ? "; --scenario NAME takes one of them"
                                                         : "");
            free(a);
            free(b);
            return false;
        }
    }
    return true;
}

/* Why one part has measured nothing is no reason why another one is missing. */
static void reason_merge(struct result *result, const struct result_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i].incomplete > 0 && sources[i].reason[0]) {
            result_set(&result->reason, sources[i].reason);
            return;
        }
    }
    if (result->incomplete > 0) {
        result_set(&result->reason, "");
    }
}

/* One partition of all programs, in whatever order they are. */
static void partition_merge(struct result *result, const struct result_source *sources,
                            size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all += result_hash(sources[i].program, sources[i].partition);
    }
    char *partition = memory_format("%016" PRIx64, all);
    result_set(&result->partition, partition);
    free(partition);
}

/* What the programs do not have in common is nobody's. */
static void programs_merge(struct result *result, const struct result_source *sources, size_t count)
{
    bool one_program = true, one_way = true;
    for (size_t i = 1; i < count; i++) {
        one_program = one_program && strcmp(sources[i].program, sources[0].program) == 0;
        one_way = one_way && strcmp(sources[i].way_in, sources[0].way_in) == 0;
    }
    if (!one_program) {
        result_set(&result->program, "");
        result_set(&result->suite, "");
        result_set(&result->argv, ""); /* of one of them */
    }
    if (!one_way) {
        result_set(&result->way_in, "");
    }
}

static enum result_merge merge(struct result *result, const char *const *paths, size_t count,
                               size_t sites_max, bool whole, struct diag *diag)
{
    struct result_reader *reader = result_reader_new(result, sites_max);
    enum result_merge done = RESULT_MERGE_DONE;
    for (size_t i = 0; i < count; i++) {
        size_t before = diag->count;
        if (result_reader_add(reader, paths[i], diag)) {
            continue;
        }
        done = done == RESULT_MERGE_DONE ? RESULT_MERGE_REFUSED : done;
        for (; before < diag->count; before++) {
            if (!strstr(diag->items[before].text, RESULT_DUPLICATE) &&
                !strstr(diag->items[before].text, "more lines")) {
                done = RESULT_MERGE_BAD;
            }
        }
    }
    size_t source_count;
    const struct result_source *sources = result_reader_sources(reader, &source_count);
    for (size_t i = 1; i < source_count && done != RESULT_MERGE_BAD; i++) {
        if (!same_run(&sources[0], &sources[i], diag)) {
            done = RESULT_MERGE_REFUSED;
        }
    }
    if (whole && done != RESULT_MERGE_BAD && !result_shards_complete(result, reader, diag)) {
        done = RESULT_MERGE_REFUSED;
    }
    if (!whole && result->shard[0]) {
        partition_merge(result, sources, source_count);
    } else if (source_count > 1) {
        result_set(&result->shard, "");
        result_set(&result->partition, "");
    }
    if (source_count > 1) {
        reason_merge(result, sources, source_count);
        programs_merge(result, sources, source_count);
        result_merge_variants(result);
        result_merge_sites(result);
        notes_merge(result);
    }
    result_reader_free(&reader);
    result_sites_sort(result);
    return done;
}

enum result_merge result_merge(struct result *result, const char *const *paths, size_t count,
                               size_t sites_max, struct diag *diag)
{
    size_t expanded;
    char **files = result_folders_expand(paths, count, &expanded);
    enum result_merge done =
        merge(result, (const char *const *)files, expanded, sites_max, true, diag);
    result_folders_free(files);
    return done;
}

enum result_merge result_merge_programs(struct result *result, const char *const *paths,
                                        size_t count, size_t sites_max, struct diag *diag)
{
    return merge(result, paths, count, sites_max, false, diag);
}
