/* study_print.c - see study.h: tables, sentences, and the same as JSON. Supervisor only. */
#include "harness/cli/study.h"

#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/result/json_write.h"

#include <math.h>
#include <string.h>

static char *size_text(const struct study *study, char text[UNIT_TEXT_BYTES], uint64_t size)
{
    return study->by_bytes ? unit_limit(text, size) : unit_count(text, (double)size);
}

/* As a column's title: the decimal size of a binary one stands below it. */
static char *size_title(const struct study *study, char text[UNIT_TEXT_BYTES], uint64_t size)
{
    char *decimal = strstr(size_text(study, text, size), " (");
    if (decimal) {
        decimal[0] = '\n';
        memmove(decimal + 1, decimal + 2, strlen(decimal + 2) + 1);
        decimal[strlen(decimal) - 1] = '\0';
    }
    return text;
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
    if (trace->left_out > 0) {
        printf("; %s neither GET nor HEAD, left out",
               unit_count(requests, (double)trace->left_out));
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
        table_column(table, size_title(study, text, study->sizes[s]), TABLE_RIGHT);
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
}

/* --reach asks for a size; so a size is the answer, and no other advice. */
static void reach_print(const struct study *study)
{
    char ratio[UNIT_TEXT_BYTES], size[UNIT_TEXT_BYTES + 16], other[UNIT_TEXT_BYTES + 16];
    const struct simulator *best = NULL;
    uint64_t least = 0, lru = 0;
    for (size_t p = 0; p < study->policy_count; p++) {
        uint64_t smallest = study->smallest[p];
        if (smallest && strcmp(study->policies[p]->name, "lru") == 0) {
            lru = smallest;
        }
        if (smallest && !study->policies[p]->optimal && (!best || smallest < least)) {
            best = study->policies[p];
            least = smallest;
        }
    }
    unit_ratio(ratio, study->reach);
    if (study->reach > ceiling_of(study)) {
        whatif_say(
            "No cache of any size reaches %s: the first request of each key misses, which leaves "
            "at most %.1f %%.",
            ratio, 100 * ceiling_of(study));
    } else if (!best) {
        whatif_say("None of these policies reaches %s at any size that was tried.", ratio);
    } else if (lru && lru > least) {
        whatif_say("A hit rate of %s takes %s with %s; with lru it takes %s.", ratio,
                   size_words(study, size, least), best->name, size_words(study, other, lru));
    } else {
        whatif_say("A hit rate of %s takes %s with %s.", ratio, size_words(study, size, least),
                   best->name);
    }
    printf("\n");
}

static void advice_print(const struct study *study, const struct advice *advice)
{
    char size[UNIT_TEXT_BYTES + 16], last[UNIT_TEXT_BYTES + 16];
    double ceiling = ceiling_of(study);
    size_words(study, size, study->sizes[advice->size]);
    size_words(study, last, study->sizes[study->size_count - 1]);
    if (ceiling < 0.01) {
        whatif_say(
            "Do without a cache: hardly any key is asked for twice, so that none of any size "
            "answers more than %.1f %% of the requests.\n",
            100 * ceiling);
        return;
    }
    struct text text = {0};
    text_format(&text, "Take %s with %s: %.1f %% hits.",
                advice->lru_will_do ? "lru" : advice->policy->name, size,
                100 * (advice->lru_will_do ? advice->lru_rate : advice->rate));
    bool knee = advice->size + 1 < study->size_count;
    if (knee) {
        text_format(&text, " That is nine tenths or more of what %s would give;", last);
    }
    whatif_say("%s %s cache of everything would have %.1f %%.", text_peek(&text), knee ? "a" : "A",
               100 * ceiling);
    text_fini(&text);
    if (advice->lru_will_do && strcmp(advice->policy->name, "lru") != 0) {
        whatif_say(
            "At that size %s would have %.1f %%: less than a point more, not worth the change.",
            advice->policy->name, 100 * advice->rate);
    } else if (advice->lru_rate >= 0 && !advice->lru_will_do) {
        whatif_say("At that size lru has %.1f %%.", 100 * advice->lru_rate);
    }
    if (advice->optimal_rate >= 0) {
        whatif_say("The best that is possible there, with the future known, is %.1f %%.",
                   100 * advice->optimal_rate);
    }
    printf("\n");
}

void study_print(const struct study *study, const struct advice *advice)
{
    if (study->reach > 0) {
        reach_print(study);
    } else if (advice) {
        advice_print(study, advice);
    }
    head_print(study);
    rates_print(study);
    smallest_print(study);
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

void study_json(const struct study *study, const struct advice *advice, FILE *json)
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
