/* ttl_metrics.c - the ttl cache read out for Prometheus, see ttl_cache.h. Runs in the program that
 * caches. */
#include "registry/ttl/ttl_store.h"

#include <string.h>

#define PREFIX "ttl_cache_"

/* A counter's family carries the suffix of its samples in Prometheus' own format, and not in
 * OpenMetrics. */
static void head_print(const char *name, const char *kind, const char *words,
                       enum ttl_metrics_format format, FILE *out)
{
    const char *suffix = strcmp(kind, "counter") == 0 && format == TTL_PROMETHEUS ? "_total" : "";
    fprintf(out, "# HELP " PREFIX "%s%s %s\n# TYPE " PREFIX "%s%s %s\n", name, suffix, words, name,
            suffix, kind);
}

static void count_print(const char *name, const char *kind, const char *words, uint64_t value,
                        enum ttl_metrics_format format, FILE *out)
{
    head_print(name, kind, words, format, out);
    fprintf(out, PREFIX "%s%s %llu\n", name, strcmp(kind, "counter") == 0 ? "_total" : "",
            (unsigned long long)value);
}

static void gauge_print(const char *name, const char *words, double value,
                        enum ttl_metrics_format format, FILE *out)
{
    head_print(name, "gauge", words, format, out);
    fprintf(out, PREFIX "%s %.9g\n", name, value);
}

/* Ages of what is held and has not expired; a label for each key would drown a server. */
static void ages_print(const struct ttl_cache *cache, enum ttl_metrics_format format, FILE *out)
{
    uint64_t now = ttl_now(cache), oldest = 0, fresh = 0;
    double sum = 0;
    for (uint32_t e = cache->newest; e != TTL_NONE; e = cache->entries[e].older) {
        const struct ttl_entry *entry = &cache->entries[e];
        if (entry->expires_ns > now) {
            uint64_t age = now - entry->born_ns;
            oldest = age > oldest ? age : oldest;
            sum += (double)age;
            fresh++;
        }
    }
    gauge_print("fresh_entries", "entries that have not expired", (double)fresh, format, out);
    if (fresh) { /* no age where there is nothing */
        gauge_print("age_mean_seconds", "mean age of these", sum / (double)fresh / 1e9, format,
                    out);
        gauge_print("age_most_seconds", "age of the oldest of these", (double)oldest / 1e9, format,
                    out);
    }
}

void ttl_cache_metrics(struct ttl_cache *cache, enum ttl_metrics_format format, FILE *out)
{
    pthread_mutex_lock(&cache->lock);
    struct ttl_statistics s = cache->statistics;
    uint64_t lookups = s.hits + s.misses;
    s.entries = cache->heap_count;
    s.bytes = cache->heap_count * ttl_entry_bytes(cache);
#define METRIC(field, kind, words) count_print(#field, #kind, words, s.field, format, out);
#include "registry/ttl/ttl_metric.def"
#undef METRIC
    if (lookups) {
        gauge_print("hit_ratio", "hits by look-ups", (double)s.hits / (double)lookups, format, out);
    }
    ages_print(cache, format, out);
    pthread_mutex_unlock(&cache->lock);
    if (format == TTL_OPENMETRICS) {
        fputs("# EOF\n", out);
    }
}
