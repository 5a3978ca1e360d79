/* result_shard.c - see result_shard.h. Supervisor only. */
#include "harness/result/result_shard.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/result/result_printable.h"

#include <stdlib.h>
#include <string.h>

#define TOTAL_MAX   100000u
#define TESTS_NAMED 50 /* of each missing shard; the rest is counted */

struct part {
    bool there;
    bool whole; /* its file has all of its tests */
};

/* "2/5", as the run line has it. */
static bool shard_read(const struct result_source *source, unsigned *shard, unsigned *shards)
{
    char *end;
    unsigned long index = strtoul(source->shard, &end, 10), count = 0;
    if (*end == '/') {
        count = strtoul(end + 1, &end, 10);
    }
    *shard = (unsigned)index;
    *shards = (unsigned)count;
    return *end == '\0' && index >= 1 && index <= count && count <= TOTAL_MAX;
}

/* Do the files of a program fit each other? *total is 0 when none is a shard. */
static bool sources_fit(const struct result_source *sources, size_t count, const char *program,
                        unsigned *total, struct diag *diag)
{
    const struct result_source *first = NULL;
    unsigned shard, shards;
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        if (sources[i].shard[0] == '\0' || strcmp(sources[i].program, program) != 0) {
            continue;
        }
        if (!shard_read(&sources[i], &shard, &shards) || (*total != 0 && shards != *total)) {
            char *said = printable_new(sources[i].shard);
            diag_add(diag, sources[i].path, sources[i].line, 1,
                     "shard %s does not fit the others (of %u)", said, *total);
            free(said);
            return false;
        }
        *total = shards;
        if (first && strcmp(first->partition, sources[i].partition) != 0) {
            diag_add(
                diag, sources[i].path, sources[i].line, 1,
                "shard %s was parted otherwise than %s: another build, other tests, or another "
                "--balance; not merged",
                sources[i].shard, first->path);
            return false;
        }
        first = first ? first : &sources[i];
    }
    return true;
}

/* Counts the tests of `list` that no file has, or none that was judged, and names the first of
 * them.
 */
static size_t tests_missing(const struct result *result, const struct result_elsewhere *list,
                            const struct result_reader *reader, struct text *names)
{
    size_t missing = 0, at;
    for (size_t i = 0; i < list->count; i++) {
        if (result_reader_find(reader, list->tests[i], list->variant, &at) &&
            !result->tests[at].once) {
            continue;
        }
        if (missing++ < TESTS_NAMED) {
            text_put(names, "\n    ");
            printable_put(names, list->tests[i]);
            text_put(names, list->variant[0] ? " under " : "");
            printable_put(names, list->variant);
        }
    }
    return missing;
}

/* `program` is "" where the tests of all variants are meant. */
static void shard_tell(struct result *result, const struct result_reader *reader,
                       const char *program, unsigned shard, unsigned total, bool there,
                       struct diag *diag)
{
    struct text names = {0};
    size_t missing = 0;
    bool listed = false;
    for (size_t i = 0; i < result->elsewhere_count; i++) {
        if (result->elsewhere[i].shard == shard &&
            (program[0] == '\0' || strcmp(result->elsewhere[i].variant, program) == 0)) {
            missing += tests_missing(result, &result->elsewhere[i], reader, &names);
            listed = true;
        }
    }
    if (missing > TESTS_NAMED) {
        text_format(&names, "\n    and %zu more", missing - TESTS_NAMED);
    }
    char *shown = printable_new(program);
    const char *of = program[0] ? " of " : "";
    if (listed) {
        diag_add(diag, "", 0, 0, "%s shard of %u%s%s: %u, with %zu test%s%s",
                 there ? "broken off" : "missing", total, of, shown, shard, missing,
                 missing == 1 ? "" : "s", names.data ? names.data : "");
    } else {
        diag_add(diag, "", 0, 0, "%s shard of %u%s%s: %u", there ? "broken off" : "missing", total,
                 of, shown, shard);
    }
    free(shown);
    /* A file that broke off was counted when it was read. */
    result->incomplete += there ? 0 : missing > 0 ? missing : 1;
    text_fini(&names);
}

static bool program_complete(struct result *result, const struct result_reader *reader,
                             const char *program, struct diag *diag)
{
    size_t count;
    const struct result_source *sources = result_reader_sources(reader, &count);
    unsigned total = 0, shard, shards;
    if (!sources_fit(sources, count, program, &total, diag)) {
        return false;
    }
    if (total <= 1) {
        return true;
    }
    bool complete = true;
    struct part *parts = memory_new(total + 1, sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sources[i].program, program) != 0 || !shard_read(&sources[i], &shard, &shards)) {
            continue;
        }
        if (parts[shard].there) {
            diag_add(diag, sources[i].path, sources[i].line, 1, "shard %s is there twice",
                     sources[i].shard);
            complete = false;
        }
        parts[shard] = (struct part){.there = true, .whole = sources[i].incomplete == 0};
    }
    for (shard = 1; shard <= total; shard++) {
        if (!parts[shard].there || !parts[shard].whole) {
            shard_tell(result, reader, program, shard, total, parts[shard].there, diag);
            complete = false;
        }
    }
    free(parts);
    return complete;
}

/* Each program of a project is parted by itself. */
bool result_shards_complete(struct result *result, const struct result_reader *reader,
                            struct diag *diag)
{
    size_t count;
    const struct result_source *sources = result_reader_sources(reader, &count);
    bool complete = true;
    for (size_t i = 0; i < count; i++) {
        size_t first = 0;
        while (strcmp(sources[first].program, sources[i].program) != 0) {
            first++;
        }
        complete =
            (first != i || program_complete(result, reader, sources[i].program, diag)) && complete;
    }
    return complete;
}
