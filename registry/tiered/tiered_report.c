/* tiered_report.c - see tiered_report.h. Any process. */
#include "registry/tiered/tiered_report.h"

#include <math.h>

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

struct tiered_figures tiered_figures(const struct tiered_statistics *s, uint64_t bytes)
{
    return (struct tiered_figures){
        .hit_rate = ratio(s->hits, s->lookups),
        .miss_rate = ratio(s->misses, s->lookups),
        .cached_ms = ratio(s->cached_ns, s->hits) / 1e6,
        .uncached_ms = ratio(s->uncached_ns, s->misses) / 1e6,
        .size_mb = bytes == UINT64_MAX ? NAN : (double)bytes / 1e6,
        .expired_cleaned = s->expired_cleaned,
    };
}

static void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == '"' || c == '\\') {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static void json_number(FILE *out, const char *name, double value)
{
    if (isnan(value)) {
        fprintf(out, "\"%s\":null,", name);
    } else {
        fprintf(out, "\"%s\":%.6g,", name, value);
    }
}

struct count {
    const char *name, *help;
    uint64_t value;
};

#define COUNTS 11
static void counts_of(const struct tiered_statistics *s, struct count counts[COUNTS])
{
    const struct count all[COUNTS] = {
        {"loads", "calls of the source", s->loads},
        {"failures", "calls of the source that gave nothing", s->failures},
        {"waited", "misses that another process loaded", s->waited},
        {"direct", "loads without the protection of a claim", s->direct},
        {"refreshes", "loads before expiry", s->refreshes},
        {"stale", "hits after expiry, while the value was loaded anew", s->stale},
        {"events", "invalidations", s->events},
        {"unpublished", "invalidations that no log took", s->unpublished},
        {"purged", "entries that events of others removed", s->purged},
        {"expired_entries_cleaned", "entries that sweeps removed", s->expired_cleaned},
        {"lookups", "look-ups", s->lookups},
    };
    for (unsigned i = 0; i < COUNTS; i++) {
        counts[i] = all[i];
    }
}

void tiered_report_json(const struct tiered_statistics *s, uint64_t bytes, FILE *out)
{
    struct tiered_figures f = tiered_figures(s, bytes);
    struct count counts[COUNTS];
    counts_of(s, counts);
    fputc('{', out);
    json_number(out, "hit_rate", f.hit_rate);
    json_number(out, "miss_rate", f.miss_rate);
    json_number(out, "avg_response_time_cached", f.cached_ms);
    json_number(out, "avg_response_time_uncached", f.uncached_ms);
    json_number(out, "cache_size_mb", f.size_mb);
    for (unsigned i = 0; i < COUNTS; i++) {
        fprintf(out, "\"%s\":%llu,", counts[i].name, (unsigned long long)counts[i].value);
    }
    fputs("\"levels\":[", out);
    for (unsigned i = 0; i < s->level_count; i++) {
        const struct tiered_level_statistics *l = &s->levels[i];
        fprintf(
            out,
            "%s{\"name\":\"%s\",\"hits\":%llu,\"misses\":%llu,\"outages\":%llu,"
            "\"recoveries\":%llu,\"failures\":%llu,\"skipped\":%llu,\"refused\":%llu,\"trouble\":",
            i ? "," : "", l->name, (unsigned long long)l->hits, (unsigned long long)l->misses,
            (unsigned long long)l->outages, (unsigned long long)l->recoveries,
            (unsigned long long)l->failures, (unsigned long long)l->skipped,
            (unsigned long long)l->refused);
        json_text(out, l->trouble);
        fputc('}', out);
    }
    fputs("]}\n", out);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
    if (!isnan(value)) {
        fprintf(out, "# TYPE tidemark_cache_%s gauge\n# HELP tidemark_cache_%s %s\n", name, name,
                help);
        fprintf(out, "tidemark_cache_%s %.9g\n", name, value);
    }
}

static void levels_print(const struct tiered_statistics *s, FILE *out)
{
    static const char *const names[] = {"hits", "misses", "outages", "recoveries"};
    for (unsigned n = 0; n < 4; n++) {
        fprintf(out, "# TYPE tidemark_cache_level_%s counter\n# HELP tidemark_cache_level_%s %s\n",
                names[n], names[n], "of one level of the cache");
        for (unsigned i = 0; i < s->level_count; i++) {
            const struct tiered_level_statistics *l = &s->levels[i];
            const uint64_t values[] = {l->hits, l->misses, l->outages, l->recoveries};
            fprintf(out, "tidemark_cache_level_%s_total{level=\"%s\"} %llu\n", names[n], l->name,
                    (unsigned long long)values[n]);
        }
    }
}

void tiered_report_openmetrics(const struct tiered_statistics *s, uint64_t bytes,
                               const struct tiered_alert *alerts, size_t alert_count, FILE *out)
{
    struct tiered_figures f = tiered_figures(s, bytes);
    struct count counts[COUNTS];
    counts_of(s, counts);
    gauge(out, "hit_ratio", "hits by look-ups", f.hit_rate);
    gauge(out, "miss_ratio", "misses by look-ups", f.miss_rate);
    gauge(out, "response_cached_seconds", "mean of hits", f.cached_ms / 1e3);
    gauge(out, "response_uncached_seconds", "mean of misses", f.uncached_ms / 1e3);
    gauge(out, "size_bytes", "of the shared level", f.size_mb * 1e6);
    for (unsigned i = 0; i < COUNTS; i++) {
        fprintf(out, "# TYPE tidemark_cache_%s counter\n# HELP tidemark_cache_%s %s\n",
                counts[i].name, counts[i].name, counts[i].help);
        fprintf(out, "tidemark_cache_%s_total %llu\n", counts[i].name,
                (unsigned long long)counts[i].value);
    }
    levels_print(s, out);
    tiered_alert_openmetrics(alerts, alert_count, out);
    fputs("# EOF\n", out);
}
