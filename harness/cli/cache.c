/*
 * cache.c - `tidemark cache VERB STORE`: what whoever runs a cache does to it. The work is done in
 * registry/admin/, here are words, tables and statuses: 0 done, 1 not there, refused or damaged, 2
 * bad input or no such store, 99 the store cannot be asked. Supervisor only.
 */
#include "harness/cli/cache.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/base/whole_file.h"
#include "harness/result/json_write.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cache {
    struct command_line *line;
    struct cache_admin *admin;
    struct text json; /* what --json gets */
    bool text;        /* off when the JSON goes to stdout */
};

static int status_of(enum admin_answer answer)
{
    return answer == ADMIN_YES ? COMMAND_MET : answer == ADMIN_NO ? COMMAND_BROKEN : COMMAND_OURS;
}

static void complain(const char *before, const char *key, size_t key_bytes, const char *why)
{
    struct text line = {0};
    text_put_printable(&line, key, key_bytes < 200 ? key_bytes : 200);
    text_put(&line, key_bytes > 200 ? "...: " : key_bytes > 0 ? ": " : "");
    text_put_printable(&line, why, strlen(why));
    fprintf(stderr, "tidemark cache: %s%s\n", before, text_peek(&line));
    text_fini(&line);
}

static int answer_say(struct cache *cache, enum admin_answer answer)
{
    if (answer != ADMIN_YES) {
        complain("", "", 0, cache_admin_trouble(cache->admin));
    }
    return status_of(answer);
}

static const char *key_at(const struct cache *cache, size_t n)
{
    return n + 2 < cache->line->operand_count ? cache->line->operands[n + 2] : NULL;
}

/* Verbs. -----------------------------------------------------------------------------------------
 */

static int stats_run(struct cache *cache)
{
    struct admin_stats stats;
    char entries[UNIT_TEXT_BYTES], expired[UNIT_TEXT_BYTES], bytes[UNIT_TEXT_BYTES],
        lookups[UNIT_TEXT_BYTES], hits[UNIT_TEXT_BYTES], misses[UNIT_TEXT_BYTES];
    enum admin_answer answer = cache_admin_stats(cache->admin, &stats);
    if (answer == ADMIN_YES && cache->line->json) {
        answer = cache_stats_json(cache->admin, UINT64_MAX, &cache->json);
        text_put_char(&cache->json, '\n');
    }
    if (answer == ADMIN_YES && cache->text) {
        bool counted = stats.lookups != ADMIN_UNKNOWN;
        printf("store     %s\nentries   %s, and %s that have expired\nsize      %s\n", stats.kind,
               unit_count(entries, (double)stats.size), unit_count(expired, (double)stats.expired),
               unit_bytes(bytes, (double)stats.bytes));
        printf("look-ups  %s: %s hits, %s misses, hit rate ",
               unit_count(lookups, counted ? (double)stats.lookups : NAN),
               unit_count(hits, counted ? (double)stats.hits : NAN),
               unit_count(misses, counted ? (double)stats.misses : NAN));
        if (counted && stats.lookups > 0) {
            printf("%.2f %%\n", 100 * (double)stats.hits / (double)stats.lookups);
        } else {
            printf("-\n");
        }
    }
    return answer_say(cache, answer);
}

struct listing {
    struct cache *cache;
    struct table *table;
};

static void entry_show(void *context, const struct admin_entry *entry)
{
    struct listing *listing = context;
    struct text key = {0};
    char bytes[UNIT_TEXT_BYTES], age[UNIT_TEXT_BYTES], left[UNIT_TEXT_BYTES];
    if (listing->cache->line->json) {
        /* Each a line of its own. */
        struct text one = {0};
        cache_entry_json(&one, entry);
        text_put(&listing->cache->json, text_peek(&one));
        text_put_char(&listing->cache->json, '\n');
        text_fini(&one);
    }
    if (!listing->cache->text) {
        return;
    }
    text_put_printable(&key, entry->key, entry->key_bytes);
    table_row(listing->table);
    table_cell(listing->table, text_peek(&key));
    table_cell(listing->table, unit_bytes(bytes, (double)entry->bytes));
    table_cell(listing->table,
               unit_ns(age, entry->age_ns == ADMIN_UNKNOWN ? NAN : (double)entry->age_ns));
    table_cell(listing->table,
               entry->left_ns > 0 ? unit_ns(left, (double)entry->left_ns) : "expired");
    text_fini(&key);
}

static int list_run(struct cache *cache)
{
    struct listing listing = {cache, table_new()};
    table_column(listing.table, cache_admin_has_keys(cache->admin) ? "key" : "version", TABLE_LEFT);
    table_column(listing.table, "size", TABLE_RIGHT);
    table_column(listing.table, "age", TABLE_RIGHT);
    table_column(listing.table, "left", TABLE_RIGHT);
    enum admin_answer answer = cache_admin_list(cache->admin, entry_show, &listing);
    if (answer == ADMIN_YES && cache->text) {
        table_print(listing.table, stdout, table_terminal_width(stdout), cache->line->color);
    }
    table_free(&listing.table);
    return answer_say(cache, answer);
}

static void base64_put(struct text *text, const unsigned char *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned word = (unsigned)data[i] << 16 | (i + 1 < bytes ? (unsigned)data[i + 1] << 8 : 0) |
                        (i + 2 < bytes ? data[i + 2] : 0);
        text_put_char(text, digits[word >> 18]);
        text_put_char(text, digits[word >> 12 & 63]);
        text_put_char(text, i + 1 < bytes ? digits[word >> 6 & 63] : '=');
        text_put_char(text, i + 2 < bytes ? digits[word & 63] : '=');
    }
}

static void value_json(struct text *json, const struct admin_value *value)
{
    size_t bad;
    bool text =
        text_utf8(value->data, value->bytes, &bad) && memchr(value->data, 0, value->bytes) == NULL;
    cache_entry_json(json, &value->entry);
    json->data[--json->length] = 0; /* the value stands in the entry */
    if (text) {
        char *copy = memory_copy_bytes(value->data, value->bytes);
        json_text(json, "value", copy);
        free(copy);
    } else {
        text_put(json, ",\"value_base64\":\"");
        base64_put(json, value->data, value->bytes);
        text_put_char(json, '"');
    }
    text_put(json, "}\n");
}

static int get_run(struct cache *cache)
{
    struct admin_value value;
    const char *key = key_at(cache, 0);
    enum admin_answer answer =
        cache_admin_get(cache->admin, key ? key : "", key ? strlen(key) : 0, &value);
    if (answer == ADMIN_YES) {
        if (cache->line->json) {
            value_json(&cache->json, &value);
        }
        if (cache->text) { /* as it is, so that it may be redirected; main looks at the stream */
            (void)fwrite(value.data, 1, value.bytes, stdout);
        }
    }
    return answer_say(cache, answer);
}

static int done_say(struct cache *cache, enum admin_answer answer, const char *verb,
                    const char *count_name, uint64_t count, const char *words)
{
    if (answer == ADMIN_YES) {
        char number[UNIT_TEXT_BYTES];
        cache_done_json(&cache->json, cache->admin, verb, count_name, count);
        text_put_char(&cache->json, '\n');
        if (cache->text) {
            printf("%s%s%s\n", count_name ? unit_count(number, (double)count) : "",
                   count_name ? " " : "", words);
        }
    }
    return status_of(answer);
}

static void refresh_failed(void *context, const char *key, size_t key_bytes, const char *why)
{
    (void)context;
    complain("", key, key_bytes, why);
}

static int refresh_run(struct cache *cache)
{
    const struct cache_failed failed = {refresh_failed, NULL};
    uint64_t refreshed;
    size_t count = cache->line->operand_count - 2;
    if (!command_text(cache->line, "source")) {
        return command_usage_error(cache->line,
                                   "'refresh' needs --source, a command that prints the value");
    }
    if (count > 0 && !cache_admin_has_keys(cache->admin)) {
        return command_usage_error(cache->line, "a file cache is one document and has no keys");
    }
    enum admin_answer answer = cache_refresh(
        cache->admin, (const char *const *)cache->line->operands + 2, count, &failed, &refreshed);
    (void)done_say(cache, ADMIN_YES, "refresh", "refreshed", refreshed, "refreshed");
    return status_of(answer);
}

static int clear_run(struct cache *cache)
{
    uint64_t removed;
    enum admin_answer answer = cache_admin_clear(cache->admin, &removed);
    (void)answer_say(cache, answer);
    return done_say(cache, answer, "clear", "removed", removed, "removed");
}

static int invalidate_run(struct cache *cache)
{
    uint64_t done = 0;
    enum admin_answer worst = ADMIN_YES;
    bool keys = cache_admin_has_keys(cache->admin);
    if (keys && !key_at(cache, 0)) {
        return command_usage_error(cache->line, "'invalidate' needs the keys");
    }
    if (!keys && key_at(cache, 0)) {
        return command_usage_error(cache->line, "a file cache is one document and has no keys");
    }
    for (size_t i = 0; i == 0 || key_at(cache, i); i++) {
        const char *key = key_at(cache, i) ? key_at(cache, i) : "";
        enum admin_answer answer = cache_admin_invalidate(cache->admin, key, strlen(key));
        done += answer == ADMIN_YES;
        if (answer != ADMIN_YES) {
            complain("", key, strlen(key), cache_admin_trouble(cache->admin));
            worst = answer > worst ? answer : worst;
        }
    }
    if (done > 0 && keys && !cache_admin_has_log(cache->admin) && !cache->line->quiet) {
        fprintf(stderr, "tidemark cache: only in this server; the store with the log of events "
                        "reaches every level\n");
    }
    (void)done_say(cache, ADMIN_YES, "invalidate", "invalidated", done, "invalidated");
    return status_of(worst);
}

static int rollback_run(struct cache *cache)
{
    if (!cache_admin_has_versions(cache->admin)) {
        return command_usage_error(cache->line,
                                   "a file cache can be rolled back; a %s store keeps one version",
                                   cache_admin_kind(cache->admin));
    }
    enum admin_answer answer = cache_admin_rollback(cache->admin);
    (void)answer_say(cache, answer);
    return done_say(cache, answer, "rollback", NULL, 0, "the version before is the present one");
}

struct damage {
    struct cache *cache;
    uint64_t count;
    struct text list;
};

static void damage_say(void *context, const char *key, size_t key_bytes, const char *what)
{
    struct damage *damage = context;
    struct admin_entry entry = {.key = key, .key_bytes = key_bytes};
    char *copy = memory_copy_bytes(entry.key, entry.key_bytes);
    damage->count++;
    json_open(&damage->list, NULL, '{');
    json_text(&damage->list, "key", copy);
    json_text(&damage->list, "what", what);
    json_close(&damage->list, '}');
    free(copy);
    if (damage->cache->text) {
        struct text line = {0};
        text_put_printable(&line, key, key_bytes);
        text_put(&line, key_bytes > 0 ? ": " : "");
        text_put_printable(&line, what, strlen(what));
        printf("%s\n", text_peek(&line));
        text_fini(&line);
    }
}

static int verify_run(struct cache *cache)
{
    struct damage damage = {.cache = cache};
    uint64_t checked;
    char number[UNIT_TEXT_BYTES], bad[UNIT_TEXT_BYTES];
    json_open(&damage.list, NULL, '[');
    enum admin_answer answer = cache_admin_verify(cache->admin, damage_say, &damage, &checked);
    json_close(&damage.list, ']');
    if (answer == ADMIN_DOWN) {
        text_fini(&damage.list);
        return answer_say(cache, answer);
    }
    json_open(&cache->json, NULL, '{');
    json_text(&cache->json, "store", cache_admin_kind(cache->admin));
    json_unsigned(&cache->json, "checked", checked);
    text_format(&cache->json, ",\"damaged\":%s}\n", text_peek(&damage.list));
    if (cache->text) {
        printf("%s checked, %s damaged\n", unit_count(number, (double)checked),
               unit_count(bad, (double)damage.count));
    }
    text_fini(&damage.list);
    return status_of(answer);
}

static int advise_run(struct cache *cache)
{
    bool given[REGISTRY_ADVICES], any = false;
    struct registry_advice_figures figures;
    enum admin_answer answer = cache_admin_advise(cache->admin, given, &figures);
    if (answer == ADMIN_NO) {
        complain("", "", 0, cache_admin_trouble(cache->admin));
        return COMMAND_NOTHING;
    }
    if (answer == ADMIN_DOWN) {
        return answer_say(cache, answer);
    }
    json_open(&cache->json, NULL, '{');
    json_text(&cache->json, "store", cache_admin_kind(cache->admin));
    json_unsigned(&cache->json, "lookups", figures.lookups);
    json_unsigned(&cache->json, "hits", figures.hits);
    json_open(&cache->json, "recommendations", '[');
    for (unsigned i = 0; i < REGISTRY_ADVICES; i++) {
        if (given[i]) {
            const char *text = registry_advice_text((enum registry_advice)i);
            struct text wrapped = {0};
            any = true;
            json_text(&cache->json, NULL, text);
            text_wrap(&wrapped, text, 0, table_terminal_width(stdout));
            fputs(cache->text ? text_peek(&wrapped) : "", stdout);
            text_fini(&wrapped);
        }
    }
    json_close(&cache->json, ']');
    text_put(&cache->json, "}\n");
    if (!any && cache->text) {
        printf("nothing to recommend\n");
    }
    return any ? COMMAND_BROKEN : COMMAND_MET;
}

/* serve. -----------------------------------------------------------------------------------------
 */

/* HOST:PORT, [HOST]:PORT, :PORT or PORT. The caller frees *host. */
static bool listen_parse(const char *text, char **host, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *number = colon ? colon + 1 : text;
    size_t length = colon ? (size_t)(colon - text) : 0;
    char *end = NULL;
    unsigned long value = strtoul(number, &end, 10);
    if (*number < '0' || *number > '9' || *end || value > 65535) {
        return false;
    }
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    *host = length > 0 ? memory_copy_bytes(text, length) : memory_copy("127.0.0.1");
    *port = (uint16_t)value;
    return true;
}

/* The first line of the file, else of the variable. False, after a message: it cannot be read. */
static bool key_read(const struct command_line *line, char **key)
{
    const char *path = command_text(line, "key-file"), *variable = getenv("TIDEMARK_API_KEY");
    char text[1026] = "";
    *key = NULL;
    if (!path) {
        *key = variable && *variable ? memory_copy(variable) : NULL;
        return true;
    }
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) {
        (void)command_usage_error(line, "--key-file: %s: %s", path,
                                  file ? "no key in its first line" : strerror(errno));
        if (file) {
            fclose(file);
        }
        return false;
    }
    fclose(file);
    size_t length = strcspn(text, "\r\n");
    if (length == 0 || length > 1024) {
        (void)command_usage_error(line, "--key-file: %s: a key has 1 to 1,024 characters", path);
        return false;
    }
    *key = memory_copy_bytes(text, length);
    return true;
}

static int serve_run(struct cache *cache)
{
    const struct command_line *line = cache->line;
    const char *listen = command_text(line, "listen");
    struct cache_serve serve = {.admin = cache->admin,
                                .rate = command_number(line, "rate", 10),
                                .verbose = line->verbose > 0};
    char *host = NULL, *key = NULL;
    int status = COMMAND_USAGE;
    if (!listen_parse(listen ? listen : "127.0.0.1:8000", &host, &serve.port)) {
        status = command_usage_error(line,
                                     "--listen: '%s' is not HOST:PORT, such as "
                                     "127.0.0.1:8000",
                                     listen);
    } else if (!(serve.rate > 0)) {
        status = command_usage_error(line, "--rate: a server that answers nobody");
    } else if (key_read(line, &key)) {
        serve.host = host;
        serve.key = key;
        status = cache_serve_run(&serve);
    }
    free(host);
    free(key);
    return status;
}

/* The command. -----------------------------------------------------------------------------------
 */

#define KEYS_ANY COMMAND_MANY
static const struct {
    const char *name;
    unsigned keys_max;
    int (*run)(struct cache *cache);
    const char *options[6]; /* those that belong to it, besides table, ttl and versions */
} verbs[] = {
    {"stats", 0, stats_run, {0}},
    {"list", 0, list_run, {0}},
    {"get", 1, get_run, {0}},
    {"refresh", KEYS_ANY, refresh_run, {"source", "timeout"}},
    {"clear", 0, clear_run, {0}},
    {"invalidate", KEYS_ANY, invalidate_run, {0}},
    {"rollback", 0, rollback_run, {0}},
    {"verify", 0, verify_run, {0}},
    {"advise", 0, advise_run, {0}},
    {"serve", 0, serve_run, {"source", "timeout", "listen", "key-file", "rate"}},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const char *const verb_words[] = {"stats",  "list",       "get",      "refresh",
                                         "clear",  "invalidate", "rollback", "verify",
                                         "advise", "serve",      NULL};

/* An option of other verbs that was given; NULL: none. */
static const char *option_stray(const struct command_line *line, size_t verb)
{
    static const char *const bound[] = {"source", "timeout", "listen", "key-file", "rate"};
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        bool belongs = false;
        for (size_t o = 0; verbs[verb].options[o]; o++) {
            belongs = belongs || strcmp(verbs[verb].options[o], bound[i]) == 0;
        }
        if (!belongs && command_text(line, bound[i])) {
            return bound[i];
        }
    }
    return NULL;
}

static int verb_run(struct cache *cache, size_t verb)
{
    const struct command_line *line = cache->line;
    struct cache_source source = {.command = command_text(line, "source"),
                                  .timeout_ns = command_integer(line, "timeout", 30000000000u),
                                  .bytes_max = 64u << 20};
    char trouble[ADMIN_TROUBLE_BYTES];
    const struct admin_options options = {
        .store = line->operands[1],
        .table = command_text(line, "table"),
        .ttl_ns = command_integer(line, "ttl", 0),
        .versions = (unsigned)command_integer(line, "versions", 0),
        .load = source.command ? cache_source_load : NULL,
        .context = &source,
    };
    cache->admin = cache_admin_open(&options, trouble);
    if (!cache->admin) {
        complain("", "", 0, trouble);
        return COMMAND_USAGE;
    }
    int status = verbs[verb].run(cache);
    cache_admin_close(&cache->admin);
    text_fini(&source.value);
    return status;
}

/* False, after a message: it could not be written. */
static bool json_save(const struct cache *cache)
{
    struct whole_file file;
    const char *path = cache->line->json;
    if (!path || cache->json.length == 0) {
        return true;
    }
    bool ok = whole_file_open(&file, path);
    if (ok) {
        (void)fwrite(cache->json.data, 1, cache->json.length, file.out);
        ok = file.out == stdout || whole_file_close(&file, true);
    }
    if (!ok) {
        fprintf(stderr, "tidemark cache: %s: %s\n", path, strerror(errno));
    }
    return ok;
}

static int cache_run(struct command_line *line)
{
    struct cache cache = {.line = line, .text = !line->json || strcmp(line->json, "-") != 0};
    size_t verb = 0;
    while (verb < VERBS && strcmp(line->operands[0], verbs[verb].name) != 0) {
        verb++;
    }
    if (verb == VERBS) {
        return command_word_error(line, "verb", line->operands[0], verb_words, VERBS);
    }
    if (line->operand_count < 2) {
        return command_usage_error(line, "'%s' needs a store: a path or a URL", line->operands[0]);
    }
    if (line->operand_count - 2 > verbs[verb].keys_max) {
        return command_usage_error(line, "'%s' takes a store%s, not '%s' as well",
                                   line->operands[0], verbs[verb].keys_max ? " and one key" : "",
                                   line->operands[2 + verbs[verb].keys_max]);
    }
    const char *stray = option_stray(line, verb);
    if (stray) {
        return command_usage_error(line, "--%s does not belong to '%s'", stray, line->operands[0]);
    }
    if (command_integer(line, "versions", 0) > 9) {
        return command_usage_error(line, "--versions: at most 9 are kept");
    }
    int status = verb_run(&cache, verb);
    bool ok = json_save(&cache);
    text_fini(&cache.json);
    return ok ? status : COMMAND_OURS;
}

static const struct option_spec options[] = {
    {"source", 's', OPTION_TEXT, "COMMAND",
     "refresh, serve: a shell command that prints the value of $TIDEMARK_CACHE_KEY", NULL, false},
    {"timeout", 0, OPTION_DURATION, "TIME", "refresh, serve: what the source may take; 30 s", NULL,
     false},
    {"ttl", 0, OPTION_DURATION, "TIME",
     "how long what is refreshed is good, by default what the entry had; of a file cache 1 h", NULL,
     false},
    {"versions", 0, OPTION_INTEGER, "N",
     "how many older versions of a file are kept, by default as many as there are", NULL, false},
    {"table", 't', OPTION_TEXT, "NAME",
     "PostgreSQL: tidemark_entry or cache_entries, where both are there", NULL, false},
    {"listen", 'l', OPTION_TEXT, "ADDRESS", "serve: where; 127.0.0.1:8000", NULL, false},
    {"key-file", 0, OPTION_FILE, "FILE",
     "serve: the key of X-API-KEY, its first line; by default TIDEMARK_API_KEY", NULL, false},
    {"rate", 0, OPTION_NUMBER, "N", "serve: requests a second, of all clients together; 10", NULL,
     false},
    {0},
};

static const char *const examples[] = {
    "tidemark cache stats /var/cache/app.db\tentries, size, hit rate",
    "tidemark cache list redis://cache.internal\tkeys, sizes, ages, what is left of their time",
    "tidemark cache invalidate postgresql://db.internal/app openrouter-models\tfor every process",
    "tidemark cache refresh -s ./fetch.sh providers.json\tunder the lock of its processes",
    "TIDEMARK_API_KEY=... tidemark cache serve /var/cache/app.db\tGET /cache/stats and more",
    NULL,
};

const struct command command_cache = {
    .name = "cache",
    .about = "look after a cache: a file cache, or a SQLite, PostgreSQL or Redis store",
    .operands = "VERB STORE [KEY...]",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "VERB is stats, list, get, refresh, clear, invalidate, rollback, verify, advise or serve. "
        "STORE is the path of a file cache or of a SQLite file, a postgresql:// URL, or a "
        "redis://, rediss:// or unix:// URL. What is not there is not made. The cache may be in "
        "use: the command takes the locks and claims that its processes take.\n"
        "'invalidate' and 'clear' reach every level of every process, because they go through the "
        "log of events; on a Redis server alone they reach that server. 'rollback' is for a file "
        "cache, whose 'get' takes a version, 0 to 9, and no key. Hits and misses are known where "
        "the processes count them together: a file cache does, a store does when its processes "
        "set 'totals'.\n"
        "'serve' answers GET /cache/stats, POST /cache/clear and POST /cache/refresh[?key=KEY]. "
        "What changes something needs the header X-API-KEY; everything does where others than "
        "this machine can connect.\n"
        "Exit status 0: done; 1: not there, refused, damaged, or something is recommended; 2: bad "
        "input or no such store; 77: nothing can be recommended, because nobody counts; 99: the "
        "store cannot be asked.",
    .examples = examples,
    .words = verb_words,
    .run = cache_run,
};
