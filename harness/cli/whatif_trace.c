/*
 * whatif_trace.c - `tidemark whatif TRACE`: which sizes and policies, what each would have done,
 * and what to take. study_print.c shows it. Supervisor only.
 */
#include "harness/cli/study.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS_SAMPLE UINT64_C(20000000) /* from here on sampled, unless --exact */
#define KEYS_SAMPLED    20000              /* that a sample should have at least */

static void bar_draw(struct bar *bar, double share)
{
    static const char full[] = "########################################";
    double now = (double)monotonic_ns() / 1e9;
    if (!bar->wanted || now - bar->last < 0.1) {
        return;
    }
    bar->last = now;
    bar->shown = true;
    int width = (int)(share * 40);
    fprintf(stderr, "\r%-10s [%.*s%*s] %3.0f %%", bar->what, width, full, 40 - width, "",
            100 * share);
    fflush(stderr);
}

static void bar_clear(struct bar *bar)
{
    if (bar->shown) {
        fprintf(stderr, "\r%60s\r", "");
    }
}

static void read_progress(void *context, uint64_t done, uint64_t total)
{
    bar_draw(context, total ? (double)done / (double)total : 0);
}

static bool trace_load(struct study *study)
{
    struct diag diag;
    const char *format = command_text(study->line, "format");
    struct trace_options options = {
        .most = command_integer(study->line, "requests", 0),
        .key_column = command_text(study->line, "key-column"),
        .size_column = command_text(study->line, "size-column"),
        .progress = read_progress,
        .context = &study->bar,
    };
    for (int i = 0; format && trace_format_names[i]; i++) {
        if (strcmp(trace_format_names[i], format) == 0) {
            options.format = (enum trace_format)i;
        }
    }
    diag_init(&diag);
    study->bar.what = "reading";
    bool good = trace_read(&study->trace, study->path, &options, &diag);
    bar_clear(&study->bar);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    return good;
}

/* "1024" or "128 MiB"; all of one kind. */
static bool sizes_read(struct study *study)
{
    char error[UNIT_ERROR_BYTES];
    const char *text;
    for (size_t n = 0; (text = command_text_at(study->line, "size", n)) != NULL; n++) {
        uint64_t size;
        bool count = unit_parse_count(text, &size, error);
        if (!count && !unit_parse(UNIT_BYTES, text, false, &size, error)) {
            command_usage_error(study->line, "--size '%s' %s", text, error);
            return false;
        }
        if (size == 0 || n == STUDY_SIZES) {
            command_usage_error(
                study->line,
                size == 0 ? "--size '%s' holds nothing" : "'%s' is one --size too many", text);
            return false;
        }
        if (n > 0 && study->by_bytes == count) {
            command_usage_error(study->line,
                                "--size '%s': either all sizes are entries or all are bytes", text);
            return false;
        }
        study->by_bytes = !count;
        study->sizes[study->size_count++] = size;
    }
    return true;
}

/* Even steps of the logarithm, from a thousandth of everything to half of it. */
static bool sizes_choose(struct study *study)
{
    uint64_t points = command_integer(study->line, "points", 8);
    if (points == 0 || points > STUDY_SIZES) {
        command_usage_error(study->line, "--points is not between 1 and %d", STUDY_SIZES);
        return false;
    }
    study->by_bytes = command_flag(study->line, "by-bytes");
    double all = (double)(study->by_bytes ? study->trace.unique_bytes : study->trace.unique);
    double low = log(fmax(all / 1000, 4)), high = log(fmax(all / 2, 4));
    uint64_t before = 0;
    for (uint64_t i = 0; i < points; i++) {
        double at = points == 1 ? high : low + (high - low) * (double)i / (double)(points - 1);
        double size = exp(at), step = pow(10, floor(log10(size)) - 1); /* two digits */
        uint64_t rounded = (uint64_t)(size < 20 ? round(size) : round(size / step) * step);
        if (rounded > before) {
            study->sizes[study->size_count++] = before = rounded;
        }
    }
    return true;
}

static bool study_ask(struct study *study)
{
    const char *name;
    for (size_t n = 0; (name = command_text_at(study->line, "policy", n)) != NULL; n++) {
        if (n < STUDY_POLICIES) {
            study->policies[study->policy_count++] = simulator_find(name);
        }
    }
    for (const struct simulator *at = simulators; at->name && !command_text(study->line, "policy");
         at++) {
        study->policies[study->policy_count++] = at;
    }
    if (!sizes_read(study) || (study->size_count == 0 && !sizes_choose(study))) {
        return false;
    }
    study->reach = command_number(study->line, "reach", 0);
    if (study->reach < 0 || study->reach > 1) {
        command_usage_error(study->line, "--reach '%s' is not between 0 and 100 %%",
                            command_text(study->line, "reach"));
        return false;
    }
    return true;
}

/* 1: exact. */
static bool rate_choose(const struct study *study, double *rate)
{
    const struct trace *trace = &study->trace;
    const char *given = command_text(study->line, "sample");
    *rate = command_number(study->line, "sample", 1);
    if (given && command_flag(study->line, "exact")) {
        command_usage_error(study->line, "--sample and --exact do not go together");
        return false;
    }
    if (given && !(*rate > 0 && *rate <= 0.25)) {
        command_usage_error(
            study->line, "--sample '%s' is not above 0 and at most 25 %%: there are four of them",
            given);
        return false;
    }
    if (given && *rate * trace->unique < 100) {
        command_usage_error(study->line,
                            "--sample '%s' of %u keys leaves less than 100 keys to a sample", given,
                            trace->unique);
        return false;
    }
    if (!given && !command_flag(study->line, "exact") && trace->requests > REQUESTS_SAMPLE &&
        trace->unique > 8 * KEYS_SAMPLED) {
        *rate = fmax(0.01, (double)KEYS_SAMPLED / trace->unique);
    }
    return true;
}

static void study_simulate(struct study *study)
{
    size_t all = study->policy_count * (study->size_count + (study->reach > 0)), done = 0;
    study->bar.what = "simulating";
    for (size_t p = 0; p < study->policy_count; p++) {
        for (size_t s = 0; s < study->size_count; s++) {
            curve_at(&study->curve, study->policies[p], study->sizes[s], &study->points[p][s]);
            bar_draw(&study->bar, (double)++done / (double)all);
        }
        if (study->reach > 0) {
            study->smallest[p] = curve_smallest(&study->curve, study->policies[p], study->reach);
            bar_draw(&study->bar, (double)++done / (double)all);
        }
    }
    bar_clear(&study->bar);
}

/* The policy with the best mean over the sizes, the optimum aside; -1 if there is none. */
static int best_policy(const struct study *study, double means[STUDY_POLICIES])
{
    int best = -1;
    for (size_t p = 0; p < study->policy_count; p++) {
        means[p] = 0;
        for (size_t s = 0; s < study->size_count; s++) {
            means[p] += study->points[p][s].hit_rate / (double)study->size_count;
        }
        if (!study->policies[p]->optimal && (best < 0 || means[p] > means[best])) {
            best = (int)p;
        }
    }
    return best;
}

static bool advice_make(const struct study *study, struct advice *advice)
{
    int best = best_policy(study, advice->means);
    if (best < 0) {
        return false;
    }
    *advice = (struct advice){.lru_rate = -1, .optimal_rate = -1, .policy = study->policies[best]};
    double ceiling = study->points[best][study->size_count - 1].hit_rate;
    while (study->points[best][advice->size].hit_rate < 0.9 * ceiling) {
        advice->size++;
    }
    advice->rate = study->points[best][advice->size].hit_rate;
    for (size_t p = 0; p < study->policy_count; p++) {
        double rate = study->points[p][advice->size].hit_rate;
        if (study->policies[p]->optimal) {
            advice->optimal_rate = rate;
        } else if (strcmp(study->policies[p]->name, "lru") == 0) {
            advice->lru_rate = rate;
        }
    }
    advice->lru_will_do = advice->lru_rate >= advice->rate - 0.01;
    return true;
}

int whatif_trace(const struct command_line *line, const char *path, FILE *json)
{
    int status = COMMAND_USAGE;
    double rate = 1;
    struct advice advice;
    struct study *study = memory_new(1, sizeof *study);
    study->line = line;
    study->path = path;
    study->bar.wanted = !line->quiet && isatty(STDERR_FILENO);
    trace_init(&study->trace);
    if (!trace_load(study) || !study_ask(study) || !rate_choose(study, &rate)) {
        goto out;
    }
    curve_init(&study->curve, &study->trace, study->by_bytes, rate);
    study_simulate(study);
    bool advised = advice_make(study, &advice);
    if (json != stdout) {
        study_print(study, advised ? &advice : NULL);
    }
    study_json(study, advised ? &advice : NULL, json);
    curve_fini(&study->curve);
    status = COMMAND_MET;
out:
    trace_fini(&study->trace);
    free(study);
    return status;
}
