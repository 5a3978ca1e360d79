/* result_read.c - see result_read.h: files and lines; result_line.c knows the fields. Supervisor
 * only. */
#include "harness/result/result_read.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/version.h"
#include "harness/result/result_index.h"
#include "harness/result/result_line.h"
#include "harness/result/result_printable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct result_reader {
    struct result *result;
    size_t sites_max;
    int64_t sites_least; /* once sites were cut: a smaller one is hidden without being read */
    struct result_index index;
    struct result_source *sources;
    size_t source_count, source_room;
    size_t first_test, first_expect, first_variant, refused; /* of the run that is being read */
    unsigned line;
    bool passing; /* over a run of a scenario that is not wanted */
    struct json json;
};

static bool test_same(const void *context, uint64_t value, const char *id, const char *variant)
{
    const struct result *result = context;
    return strcmp(result->tests[value].id, id) == 0 &&
           strcmp(result->tests[value].variant, variant) == 0;
}

/* The test that was read moves into the result, or over its earlier line. */
static void test_store(struct result_reader *reader, struct result_test *test)
{
    struct result *result = reader->result;
    bool fresh;
    uint64_t at = result_index_add(&reader->index, test->id, test->variant, result->test_count,
                                   test_same, result, &fresh);
    if (fresh) {
        memory_grow(&result->tests, &result->test_room, result->test_count + 1,
                    sizeof result->tests[0]);
        result->tests[result->test_count++] = *test;
        return;
    }
    if (at < reader->first_test) {
        json_fail(&reader->json, RESULT_DUPLICATE);
        reader->refused++;
        const char *id = strstr(reader->json.from, "\"id\"");
        reader->json.at = id ? id + 5 : reader->json.from;
        result_test_fini(test);
        return;
    }
    result_test_fini(&result->tests[at]);
    result->tests[at] = *test;
}

/* Largest first; what is suppressed comes last. */
static int site_compare(const void *left, const void *right)
{
    const struct result_site *a = left, *b = right;
    if (a->suppressed != b->suppressed) {
        return a->suppressed ? 1 : -1;
    }
    return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

static void sites_cut(struct result_reader *reader)
{
    struct result *result = reader->result;
    qsort(result->sites, result->site_count, sizeof result->sites[0], site_compare);
    while (result->site_count > reader->sites_max) {
        struct result_site *site = &result->sites[--result->site_count];
        result->sites_hidden++;
        result->bytes_hidden += site->bytes;
        result_site_fini(site);
    }
    const struct result_site *last = &result->sites[result->site_count - 1];
    reader->sites_least = last->suppressed ? INT64_MIN : last->bytes;
}

static void test_take(struct result_reader *reader, bool once)
{
    struct result_test test;
    result_test_start(&test);
    test.once = once;
    result_line_test(&reader->json, &test);
    if (reader->json.error) {
        result_test_fini(&test);
        return;
    }
    test_store(reader, &test);
}

static void test_read(struct result_reader *reader)
{
    test_take(reader, false);
}

static void once_read(struct result_reader *reader)
{
    test_take(reader, true);
}

static void site_read(struct result_reader *reader)
{
    struct result *result = reader->result;
    struct result_site site;
    result_site_start(&site);
    bool wanted = result_line_site(&reader->json, &site, reader->sites_least);
    if (reader->json.error || !wanted) {
        result->sites_hidden += !reader->json.error;
        result->bytes_hidden += reader->json.error ? 0 : site.bytes;
        result_site_fini(&site);
        return;
    }
    memory_grow(&result->sites, &result->site_room, result->site_count + 1,
                sizeof result->sites[0]);
    result->sites[result->site_count++] = site;
    if (reader->sites_max > 0 && result->site_count >= 2 * reader->sites_max) {
        sites_cut(reader);
    }
}

static void birth_read(struct result_reader *reader)
{
    struct result *result = reader->result;
    struct result_site birth;
    if (result->births_unwanted) {
        json_skip(&reader->json);
        return;
    }
    result_site_start(&birth);
    result_line_site(&reader->json, &birth, INT64_MIN);
    if (reader->json.error) {
        result_site_fini(&birth);
        return;
    }
    memory_grow(&result->births, &result->birth_room, result->birth_count + 1,
                sizeof result->births[0]);
    result->births[result->birth_count++] = birth;
}

static struct result_source *source_last(struct result_reader *reader)
{
    return &reader->sources[reader->source_count - 1];
}

static void variant_read(struct result_reader *reader)
{
    struct result_variant *variant = result_variant_add(reader->result);
    result_line_variant(&reader->json, variant);
    if (source_last(reader)->shard[0]) {
        result_set(&variant->shard, source_last(reader)->shard);
    }
}

static void note_read(struct result_reader *reader)
{
    result_line_note(&reader->json, reader->result);
}

static void expect_read(struct result_reader *reader)
{
    result_line_expect(&reader->json, result_expect_add(reader->result));
}

/* Every file of N tells of the same tests: one list of each shard is kept, and read. */
static bool elsewhere_new(void *context, const struct result_elsewhere *read)
{
    const struct result *result = context; /* `read` is its last */
    for (size_t i = 0; i + 1 < result->elsewhere_count; i++) {
        const struct result_elsewhere *other = &result->elsewhere[i];
        if (other->shard == read->shard && strcmp(other->variant, read->variant) == 0) {
            return false;
        }
    }
    return true;
}

static void elsewhere_read(struct result_reader *reader)
{
    struct result *result = reader->result;
    struct result_elsewhere *read = result_elsewhere_add(result);
    result_line_elsewhere(&reader->json, read, elsewhere_new, result);
    if (reader->json.error || read->count == 0) {
        result_elsewhere_fini(read);
        result->elsewhere_count--;
    }
}

static void source_open(struct result_reader *reader, const char *path)
{
    memory_grow(&reader->sources, &reader->source_room, reader->source_count + 1,
                sizeof reader->sources[0]);
    reader->sources[reader->source_count++] = (struct result_source){.path = memory_copy(path),
                                                                     .line = reader->line,
                                                                     .command = memory_copy(""),
                                                                     .suite = memory_copy(""),
                                                                     .program = memory_copy(""),
                                                                     .scenario = memory_copy(""),
                                                                     .shard = memory_copy(""),
                                                                     .partition = memory_copy(""),
                                                                     .host = memory_copy(""),
                                                                     .way_in = memory_copy(""),
                                                                     .reason = memory_copy("")};
    reader->first_test = reader->result->test_count;
    reader->first_expect = reader->result->expect_count;
    reader->first_variant = reader->result->variant_count;
    reader->refused = 0;
}

static void source_close(struct result_reader *reader)
{
    struct result *result = reader->result;
    struct result_source *source = source_last(reader);
    source->tests = result->test_count - reader->first_test;
    size_t told = source->passed + source->failed + source->skipped;
    size_t lines = source->tests + reader->refused + result->expect_count - reader->first_expect +
                   result->variant_count - reader->first_variant;
    size_t judged = 0;
    if (!source->has_summary) {
        for (size_t i = reader->first_test; i < result->test_count; i++) {
            enum result_status status = result->tests[i].status;
            source->passed += status == RESULT_PASS;
            bool neither = status == RESULT_SKIP || status == RESULT_FLAKY;
            source->skipped += neither;
            source->failed += status != RESULT_PASS && !neither;
            judged += !result->tests[i].once;
        }
        bool missing = source->expected > judged;
        source->incomplete = missing ? source->expected - judged : 1;
        source->cut_short = !missing;
    } else if (told > lines) { /* lines were lost */
        source->incomplete += told - lines;
    }
    if (source->way_in[0]) { /* not known yet when the run's line was written */
        result_set(&result->way_in, source->way_in);
    }
    if (source->reason[0] && !result->reason[0]) {
        result_set(&result->reason, source->reason);
    }
    result->passed += source->passed;
    result->failed += source->failed;
    result->skipped += source->skipped;
    result->incomplete += source->incomplete;
    result->cut_short += source->cut_short;
}

/* Is the line of a run that of the scenario that is asked for? It is read twice. */
static bool run_wanted(struct result_reader *reader)
{
    const char *from = reader->json.from;
    size_t length = (size_t)(reader->json.end - from);
    struct result run;
    if (!reader->result->scenario_wanted) {
        return true;
    }
    result_init(&run);
    result_line_run(&reader->json, &run);
    bool wanted = strcmp(run.scenario, reader->result->scenario_wanted) == 0;
    result_fini(&run);
    if (wanted && !reader->json.error) {
        json_begin(&reader->json, from, length);
    }
    return wanted;
}

static void run_read(struct result_reader *reader)
{
    reader->passing = !run_wanted(reader);
    if (reader->passing) {
        return;
    }
    if (source_last(reader)->has_run) {
        source_close(reader);
        source_open(reader, source_last(reader)->path);
    }
    struct result_source *source = source_last(reader);
    struct result *result = reader->result;
    result_set(&result->shard, ""); /* not what the file before said */
    result_set(&result->partition, "");
    result_set(&result->program, "");
    result_line_run(&reader->json, result);
    result_set(&source->command, result->command);
    result_set(&source->suite, result->suite);
    result_set(&source->program, result->program);
    result_set(&source->scenario, result->scenario);
    result_set(&source->shard, result->shard);
    result_set(&source->partition, result->partition);
    result_set(&source->host, result->host);
    source->has_run = true;
}

static void summary_read(struct result_reader *reader)
{
    result_line_source(&reader->json, source_last(reader));
    source_last(reader)->has_summary = true;
}

static void expected_read(struct result_reader *reader)
{
    result_line_source(&reader->json, source_last(reader));
}

static const struct line_type {
    const char *name;
    void (*read)(struct result_reader *reader);
} line_types[] = {
    {"test", test_read},    {"site", site_read},         {"variant", variant_read},
    {"run", run_read},      {"summary", summary_read},   {"expect", expect_read},
    {"note", note_read},    {"expected", expected_read}, {"elsewhere", elsewhere_read},
    {"births", birth_read}, {"once", once_read},
};

/* Finds `v` and `type`, wherever in the object they stand. NULL: an error, or a type of a later
 * version, which is passed over. */
static const struct line_type *line_type_find(struct json *json)
{
    const char *key, *text;
    const struct line_type *found = NULL;
    int64_t version = 0;
    bool typed = false;
    if (!json_enter(json, '{')) {
        return NULL;
    }
    while ((!typed || version == 0) && json_next_key(json, &key)) {
        if (strcmp(key, "v") == 0) {
            json_peek(json);
            const char *from = json->at;
            if (json_take_integer(json, &version) && version != 1) {
                json->at = from;
                json_fail(json, "a version of the format that tidemark " TIDEMARK_VERSION
                                " does not read, it reads version 1");
            }
        } else if (strcmp(key, "type") == 0) {
            typed = json_take_text(json, &text);
            for (size_t i = 0; i < sizeof line_types / sizeof line_types[0]; i++) {
                found = strcmp(line_types[i].name, text) == 0 ? &line_types[i] : found;
            }
        } else {
            json_skip(json);
        }
    }
    if (!json->error && (!typed || version == 0)) {
        json_fail(json, typed ? "a line without \"v\":1" : "a line without \"type\"");
    }
    return json->error ? NULL : found;
}

static bool line_read(struct result_reader *reader, const char *line, size_t length)
{
    struct json *json = &reader->json;
    json_begin(json, line, length);
    const struct line_type *type = line_type_find(json);
    if (!json->error) {
        json_begin(json, line, length);
        if (type && (!reader->passing || type->read == run_read)) {
            type->read(reader);
        } else {
            json_skip(json);
        }
    }
    return json_end(json);
}

#define BAD_LINES_MAX 20 /* that are named; the rest is counted */

#define EXCERPT_BYTES 40

static void bad_line_tell(const struct result_reader *reader, const char *path, const char *line,
                          size_t length, struct diag *diag)
{
    struct text excerpt = {0};
    size_t left = (size_t)(line + length - reader->json.at);
    text_put_printable(&excerpt, reader->json.at, left < EXCERPT_BYTES ? left : EXCERPT_BYTES);
    diag_add(diag, path, reader->line, (unsigned)(reader->json.at - line) + 1, "%s: %s",
             reader->json.error, excerpt.length > 0 ? excerpt.data : "(end)");
    text_fini(&excerpt);
}

/* Is version "0.10.2" later than this program's? */
static bool version_newer(const char *version)
{
    unsigned long theirs, ours;
    const char *own = TIDEMARK_VERSION;
    char *end;
    for (int part = 0; part < 3; part++) {
        theirs = strtoul(version, &end, 10);
        version = *end == '.' ? end + 1 : end;
        ours = strtoul(own, &end, 10);
        own = *end == '.' ? end + 1 : end;
        if (theirs != ours) {
            return theirs > ours;
        }
    }
    return false;
}

/* A line that a newer tidemark wrote cannot be read: one message says so, and nothing is guessed.
 */
static bool newer_tell(struct result_reader *reader, const char *path, const char *line,
                       struct diag *diag)
{
    const char *version = reader->result->tool_version;
    bool newer = source_last(reader)->has_run && version_newer(version);
    if (newer) {
        char *said = printable_new(version);
        diag_add(diag, path, reader->line, (unsigned)(reader->json.at - line) + 1,
                 "written by tidemark %s, and this is tidemark " TIDEMARK_VERSION
                 ", which cannot read it (%s): update it",
                 said, reader->json.error);
        free(said);
    }
    return newer;
}

static void lines_read(struct result_reader *reader, const char *path, FILE *file,
                       struct diag *diag)
{
    char *line = NULL;
    size_t room = 0;
    unsigned bad = 0;
    bool any = false; /* line that was read */
    ssize_t length;
    reader->line = 0;
    while ((length = getline(&line, &room, file)) > 0) {
        reader->line++;
        bool ended = line[length - 1] == '\n';
        length -= ended;
        line[length] = '\0';
        size_t mark = reader->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        if (strspn(line, " \t\r") == (size_t)length) {
            continue;
        }
        if (line_read(reader, line + mark, (size_t)length - mark)) {
            any = true;
            continue;
        }
        if (any && !ended) { /* the writer was killed: every line that it finished counts */
            source_last(reader)->has_summary = false;
            break;
        }
        if (newer_tell(reader, path, line, diag)) {
            break;
        }
        if (++bad <= BAD_LINES_MAX) {
            bad_line_tell(reader, path, line, (size_t)length, diag);
        }
        if (!any) { /* another kind of file: one line says it, and not one for each of its own */
            break;
        }
    }
    if (bad > BAD_LINES_MAX) {
        diag_add(diag, path, reader->line, 0, "%u more lines like these", bad - BAD_LINES_MAX);
    }
    free(line);
}

bool result_reader_add(struct result_reader *reader, const char *path, struct diag *diag)
{
    bool input = strcmp(path, "-") == 0;
    FILE *file = input ? stdin : fopen(path, "re");
    if (!file) {
        diag_add(diag, path, 0, 0, "cannot be read: %s", strerror(errno));
        return false;
    }
    size_t before = diag->count;
    reader->line = 1;
    reader->passing = false;
    source_open(reader, path);
    errno = 0;
    lines_read(reader, path, file, diag);
    if (ferror(file)) {
        diag_add(diag, path, 0, 0, "cannot be read: %s", strerror(errno));
    }
    if (!input) {
        fclose(file);
    }
    if (diag->count == before && !source_last(reader)->has_run) {
        const char *wanted = reader->result->scenario_wanted;
        diag_add(diag, path, 1, 1,
                 wanted ? "no run of scenario '%s'"
                        : "not a result of tidemark: no line of type \"run\"",
                 wanted);
    }
    source_close(reader);
    if (reader->sites_max > 0 && reader->result->site_count > reader->sites_max) {
        sites_cut(reader);
    }
    return diag->count == before;
}

struct result_reader *result_reader_new(struct result *result, size_t sites_max)
{
    struct result_reader *reader = memory_new(1, sizeof *reader);
    reader->result = result;
    reader->sites_max = sites_max;
    reader->sites_least = INT64_MIN;
    for (size_t i = 0; i < result->test_count; i++) {
        bool fresh;
        result_index_add(&reader->index, result->tests[i].id, result->tests[i].variant, i,
                         test_same, result, &fresh);
    }
    return reader;
}

const struct result_source *result_reader_sources(const struct result_reader *reader, size_t *count)
{
    *count = reader->source_count;
    return reader->sources;
}

bool result_reader_find(const struct result_reader *reader, const char *id, const char *variant,
                        size_t *at)
{
    uint64_t found = 0;
    bool there = result_index_find(&reader->index, id, variant, test_same, reader->result, &found);
    *at = found;
    return there;
}

void result_reader_free(struct result_reader **slot)
{
    struct result_reader *reader = *slot;
    *slot = NULL;
    if (!reader) {
        return;
    }
    for (size_t i = 0; i < reader->source_count; i++) {
        free(reader->sources[i].path);
        free(reader->sources[i].command);
        free(reader->sources[i].suite);
        free(reader->sources[i].program);
        free(reader->sources[i].scenario);
        free(reader->sources[i].shard);
        free(reader->sources[i].partition);
        free(reader->sources[i].host);
        free(reader->sources[i].way_in);
        free(reader->sources[i].reason);
    }
    free(reader->sources);
    result_index_fini(&reader->index);
    json_fini(&reader->json);
    free(reader);
}

bool result_read(const char *path, struct result *result, struct diag *diag)
{
    struct result_reader *reader = result_reader_new(result, 0);
    bool ok = result_reader_add(reader, path, diag);
    result_reader_free(&reader);
    return ok;
}
