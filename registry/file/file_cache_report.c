/* file_cache_report.c - see file_cache.h: health as JSON, totals for Prometheus. */
#include "registry/file/file_cache_inside.h"

#include <inttypes.h>

static const char *const trouble_words[] = {
    [FILE_FINE] = "fine",
    [FILE_LOCK_TIMEOUT] = "another process holds the lock",
    [FILE_REFRESHING] = "another process is refreshing it",
    [FILE_SOURCE_FAILED] = "the source has no answer",
    [FILE_SOURCE_REJECTED] = "the source's answer is not a document",
    [FILE_HELD_OFF] = "the source failed a moment ago",
    [FILE_NOT_PUBLISHED] = "the file could not be written",
    [FILE_NO_LOCK] = "no lock can be made here",
    [FILE_NO_MEMORY] = "no memory",
};

const char *file_trouble_words(enum file_trouble trouble)
{
    return trouble_words[trouble];
}

static const struct {
    const char *name, *words;
} metrics[] = {
#define METRIC(name, words) {#name, words},
#include "registry/file/file_metric.def"
#undef METRIC
};
#define METRICS (sizeof metrics / sizeof metrics[0])

/* The counters in the order of `metrics`. */
static void totals_list(struct file_cache *cache, uint64_t list[METRICS])
{
    struct file_statistics totals;
    size_t n = 0;
    file_cache_totals(cache, &totals);
#define METRIC(name, words) list[n++] = totals.name;
#include "registry/file/file_metric.def"
#undef METRIC
}

static void text_print(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') {
            fprintf(out, "\\u%04x", (unsigned char)*text);
        } else {
            fputc(*text, out);
        }
    }
    fputc('"', out);
}

static void version_print(struct file_cache *cache, unsigned version, FILE *out)
{
    static const char *const states[] = {
        [FILE_READ_OK] = "stale",        [FILE_READ_ABSENT] = "absent",
        [FILE_READ_CORRUPT] = "corrupt", [FILE_READ_FOREIGN] = "foreign",
        [FILE_READ_DENIED] = "denied",   [FILE_READ_NO_MEMORY] = "unknown"};
    struct file_snapshot *snapshot;
    struct file_stamp now;
    enum file_read read = file_cache_read(cache, version, &snapshot, NULL);
    const char *state =
        snapshot && file_cache_is_fresh(cache, snapshot, 0) ? "fresh" : states[read];
    fprintf(out, "{\"version\":%u,\"state\":\"%s\"", version, state);
    if (snapshot) {
        cache->options.now(cache->options.clock, &now);
        uint64_t age = file_stamp_age(&snapshot->head.begun, &now);
        fprintf(out, ",\"generation\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"age\":",
                snapshot->head.generation, snapshot->head.bytes);
        if (age == FILE_AGE_UNKNOWN) {
            fputs("null", out);
        } else {
            fprintf(out, "%.3f", (double)age / 1e9);
        }
    }
    fputc('}', out);
    file_snapshot_release(&snapshot);
}

void file_cache_json(struct file_cache *cache, FILE *out)
{
    uint64_t totals[METRICS];
    totals_list(cache, totals);
    fputs("{\"path\":", out);
    text_print(cache->path, out);
    fprintf(out, ",\"ttl\":%.3f,\"versions\":[", (double)cache->options.ttl_ns / 1e9);
    for (unsigned v = 0; v <= cache->options.versions; v++) {
        fputs(v > 0 ? "," : "", out);
        version_print(cache, v, out);
    }
    fputs("],\"totals\":{", out);
    for (size_t i = 0; i < METRICS; i++) {
        fprintf(out, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", metrics[i].name, totals[i]);
    }
    fputs("}}\n", out);
}

void file_cache_prometheus(struct file_cache *cache, FILE *out)
{
    uint64_t totals[METRICS];
    totals_list(cache, totals);
    for (size_t i = 0; i < METRICS; i++) {
        fprintf(out, "# HELP file_cache_%s_total %s\n# TYPE file_cache_%s_total counter\n",
                metrics[i].name, metrics[i].words, metrics[i].name);
        fprintf(out, "file_cache_%s_total %" PRIu64 "\n", metrics[i].name, totals[i]);
    }
}
