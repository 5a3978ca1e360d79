/*
 * whatif_trace.c - `tidemark whatif TRACE`: hit rates by policy and size, smallest sizes, advice.
 */
#include "harness/cli/whatif.h"

#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/result/json_write.h"
#include "harness/trace/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIZES_MAX       64
#define POLICIES_MAX    16
#define REQUESTS_SAMPLE UINT64_C(20000000) /* from here on sampled, unless --exact */
#define KEYS_SAMPLED    20000              /* that a sample should have at least */

/* A bar on stderr, redrawn at most ten times a second; nothing unless that is a terminal. */
struct bar {
    const char *what;
    bool wanted, shown;
    double last;
};

struct study {
    const struct command_line *line;
    const char *path;
    struct trace trace;
    struct curve curve;
    struct bar bar;
    bool by_bytes;
    uint64_t sizes[SIZES_MAX];
    size_t size_count;
    const struct simulator *policies[POLICIES_MAX];
    size_t policy_count;
    struct curve_point points[POLICIES_MAX][SIZES_MAX];
    double reach; /* 0: not asked for */
    uint64_t smallest[POLICIES_MAX];
};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void bar_draw(struct bar *bar, double share)
{
    static const char full[] = "########################################";
    double now = seconds();
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
        if (size == 0 || n == SIZES_MAX) {
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
    if (points == 0 || points > SIZES_MAX) {
        command_usage_error(study->line, "--points is not between 1 and %d", SIZES_MAX);
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
        if (n < POLICIES_MAX) {
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

static char *size_text(const struct study *study, char text[UNIT_TEXT_BYTES], uint64_t size)
{
    return study->by_bytes ? unit_bytes_two(text, (double)size) : unit_count(text, (double)size);
}

static const char *size_words(const struct study *study, char text[UNIT_TEXT_BYTES + 16],
                              uint64_t size)
{
    char number[UNIT_TEXT_BYTES];
    snprintf(text, UNIT_TEXT_BYTES + 16, "%s%s", size_text(study, number, size),
             study->by_bytes ? "" : " entries");
    return text;
}

static double ceiling_of(const struct study *study)
{
    return 1 - (double)study->trace.unique / (double)study->trace.requests;
}

static void head_print(const struct study *study)
{
    const struct trace *trace = &study->trace;
    char requests[UNIT_TEXT_BYTES], keys[UNIT_TEXT_BYTES], bytes[UNIT_TEXT_BYTES];
    const char *name = strrchr(study->path, '/');
    printf("%s: %s requests, %s keys", name ? name + 1 : study->path,
           unit_count(requests, (double)trace->requests), unit_count(keys, trace->unique));
    if (trace->sizes) {
        printf(", %s in all keys", unit_bytes(bytes, (double)trace->unique_bytes));
    }
    printf("\nHit rate by policy and size in %s, cold start%s\n",
           study->by_bytes ? "bytes" : "entries",
           study->curve.rate < 1 ? ", estimated from samples" : "");
}

static void rates_print(const struct study *study)
{
    struct table *table = table_new();
    char text[UNIT_TEXT_BYTES];
    double worst = 0;
    table_column(table, "policy", TABLE_LEFT);
    for (size_t s = 0; s < study->size_count; s++) {
        table_column(table, size_text(study, text, study->sizes[s]), TABLE_RIGHT);
    }
    for (size_t p = 0; p < study->policy_count; p++) {
        table_row(table);
        table_cell(table, study->policies[p]->name);
        for (size_t s = 0; s < study->size_count; s++) {
            const struct curve_point *point = &study->points[p][s];
            bool best = !study->policies[p]->optimal;
            for (size_t o = 0; o < study->policy_count; o++) {
                best = best && (study->policies[o]->optimal ||
                                study->points[o][s].hit_rate <= point->hit_rate);
            }
            table_cell_color(table, unit_ratio(text, point->hit_rate),
                             best                          ? TABLE_GREEN
                             : study->policies[p]->optimal ? TABLE_DIM
                                                           : TABLE_PLAIN);
            worst = fmax(worst, point->error);
        }
    }
    table_print(table, stdout, table_terminal_width(stdout), study->line->color);
    table_free(&table);
    if (study->curve.rate < 1) {
        whatif_say(
            "Four samples of %.3g %% of the keys each; no figure is off by more than %.1f points "
            "at 95 %% confidence. --exact simulates every request.",
            100 * study->curve.rate, 100 * worst);
    }
}

static void smallest_print(const struct study *study)
{
    char text[UNIT_TEXT_BYTES], ratio[UNIT_TEXT_BYTES];
    if (study->reach <= 0) {
        return;
    }
    struct table *table = table_new();
    printf("\nSmallest cache with a hit rate of %s\n", unit_ratio(ratio, study->reach));
    table_column(table, "policy", TABLE_LEFT);
    table_column(table, study->by_bytes ? "bytes" : "entries", TABLE_RIGHT);
    for (size_t p = 0; p < study->policy_count; p++) {
        table_row(table);
        table_cell(table, study->policies[p]->name);
        table_cell(table, study->smallest[p] ? size_text(study, text, study->smallest[p]) : NULL);
    }
    table_print(table, stdout, table_terminal_width(stdout), study->line->color);
    table_free(&table);
    if (study->reach > ceiling_of(study)) {
        whatif_say(
            "No cache of any size reaches %s: the first request of each key misses, which leaves "
            "at most %.1f %%.",
            ratio, 100 * ceiling_of(study));
    }
}

/* The policy with the best mean over the sizes, the optimum aside; -1 if there is none. */
static int best_policy(const struct study *study, double means[POLICIES_MAX])
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

struct advice {
    const struct simulator *policy;
    size_t size; /* index of the knee: the smallest with nine tenths of what can be had */
    double means[POLICIES_MAX];
    double rate, lru_rate, optimal_rate; /* at the knee; -1: not simulated */
    bool lru_will_do;
};

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

static void advice_print(const struct study *study, const struct advice *advice)
{
    char size[UNIT_TEXT_BYTES + 16], last[UNIT_TEXT_BYTES + 16];
    double ceiling = ceiling_of(study);
    size_words(study, size, study->sizes[advice->size]);
    size_words(study, last, study->sizes[study->size_count - 1]);
    printf("\n");
    if (ceiling < 0.01) {
        whatif_say(
            "Do without a cache: hardly any key is asked for twice, so that none of any size "
            "answers more than %.1f %% of the requests.",
            100 * ceiling);
        return;
    }
    struct text text = {0};
    text_format(&text, "Take %s with %s: %.1f %% hits.",
                advice->lru_will_do ? "lru" : advice->policy->name, size,
                100 * (advice->lru_will_do ? advice->lru_rate : advice->rate));
    if (study->size_count > 1) {
        text_format(&text, " That is nine tenths or more of what %s would give;", last);
    }
    whatif_say("%s %s cache of everything would have %.1f %%.", text_peek(&text),
               study->size_count > 1 ? "a" : "A", 100 * ceiling);
    text_fini(&text);
    if (advice->lru_will_do && strcmp(advice->policy->name, "lru") != 0) {
        whatif_say("There %s would have %.1f %%: less than a point more, not worth the change.",
                   advice->policy->name, 100 * advice->rate);
    } else if (advice->lru_rate >= 0 && !advice->lru_will_do) {
        whatif_say("There lru has %.1f %%.", 100 * advice->lru_rate);
    }
    if (advice->optimal_rate >= 0) {
        whatif_say("Who knew the future would have %.1f %% there.", 100 * advice->optimal_rate);
    }
}

static void json_points(const struct study *study, FILE *json, struct text *text)
{
    for (size_t p = 0; p < study->policy_count; p++) {
        for (size_t s = 0; s < study->size_count; s++) {
            const struct curve_point *point = &study->points[p][s];
            whatif_json_begin(text, "curve");
            json_text(text, "policy", study->policies[p]->name);
            json_unsigned(text, study->by_bytes ? "bytes" : "entries", point->size);
            json_number(text, "hit_rate", point->hit_rate);
            json_number(text, "byte_hit_rate", point->byte_hit_rate);
            if (study->curve.rate < 1) {
                json_number(text, "hit_rate_error", point->error);
            } else {
                json_unsigned(text, "misses", point->exact.misses);
                json_unsigned(text, "miss_bytes", point->exact.miss_bytes);
                json_unsigned(text, "evictions", point->exact.evictions);
                json_unsigned(text, "evicted_unused", point->exact.evicted_unused);
            }
            whatif_json_end(text, json);
        }
    }
}

static void json_print(const struct study *study, const struct advice *advice, FILE *json)
{
    struct text text = {0};
    const struct trace *trace = &study->trace;
    whatif_json_begin(&text, "trace");
    json_text(&text, "file", study->path);
    json_unsigned(&text, "requests", trace->requests);
    json_unsigned(&text, "keys", trace->unique);
    json_unsigned(&text, "key_bytes", trace->unique_bytes);
    json_number(&text, "hit_rate_ceiling", ceiling_of(study));
    json_number(&text, "sample_rate", study->curve.rate);
    whatif_json_end(&text, json);
    json_points(study, json, &text);
    for (size_t p = 0; study->reach > 0 && p < study->policy_count; p++) {
        whatif_json_begin(&text, "smallest");
        json_text(&text, "policy", study->policies[p]->name);
        json_number(&text, "hit_rate", study->reach);
        json_bool(&text, "reached", study->smallest[p] != 0);
        if (study->smallest[p]) {
            json_unsigned(&text, study->by_bytes ? "bytes" : "entries", study->smallest[p]);
        }
        whatif_json_end(&text, json);
    }
    if (advice) {
        whatif_json_begin(&text, "advice");
        json_text(&text, "policy", advice->lru_will_do ? "lru" : advice->policy->name);
        json_unsigned(&text, study->by_bytes ? "bytes" : "entries", study->sizes[advice->size]);
        json_number(&text, "hit_rate", advice->lru_will_do ? advice->lru_rate : advice->rate);
        whatif_json_end(&text, json);
    }
    text_fini(&text);
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
        head_print(study);
        rates_print(study);
        smallest_print(study);
        if (advised) {
            advice_print(study, &advice);
        }
    }
    json_print(study, advised ? &advice : NULL, json);
    curve_fini(&study->curve);
    status = COMMAND_MET;
out:
    trace_fini(&study->trace);
    free(study);
    return status;
}
