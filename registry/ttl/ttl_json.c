/* ttl_json.c - the ttl cache read out as JSON, see ttl_cache.h. */
#include "registry/ttl/ttl_store.h"

static void json_text(FILE *out, const char *text, size_t length)
{
    fputc('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

void ttl_cache_json(struct ttl_cache *cache, FILE *out)
{
    pthread_mutex_lock(&cache->lock);
    const struct ttl_statistics *s = &cache->statistics;
    uint64_t now = ttl_now(cache), lookups = s->hits + s->misses;
    fprintf(out, "{\"size\":%u,\"hits\":%llu,\"misses\":%llu,\"hit_rate\":", cache->heap_count,
            (unsigned long long)s->hits, (unsigned long long)s->misses);
    if (lookups) {
        fprintf(out, "%.2f", 100.0 * (double)s->hits / (double)lookups);
    } else {
        fputs("null", out);
    }
    fputs(",\"entries\":[", out);
    bool first = true;
    for (uint32_t e = cache->newest; e != TTL_NONE; e = cache->entries[e].older) {
        const struct ttl_entry *entry = &cache->entries[e];
        if (entry->expires_ns > now) {
            fputs(first ? "{\"key\":" : ",{\"key\":", out);
            json_text(out, ttl_key(cache, e), entry->key_bytes);
            fprintf(out, ",\"age\":%.3f,\"ttl_remaining\":%.3f}",
                    (double)(now - entry->born_ns) / 1e9, (double)(entry->expires_ns - now) / 1e9);
            first = false;
        }
    }
    fputs("]}\n", out);
    pthread_mutex_unlock(&cache->lock);
}
