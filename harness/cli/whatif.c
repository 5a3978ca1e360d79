/*
 * whatif.c - `tidemark whatif`: what a cache would have done for a trace, or will do for clients
 * that poll. The options, and which of the two is asked for. Supervisor only.
 */
#include "harness/cli/whatif.h"

#include "harness/base/table.h"
#include "harness/base/whole_file.h"
#include "harness/result/json_write.h"
#include "harness/trace/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
    {"policy", 'p', OPTION_WORD, "NAME", "only this policy; the default is all of them",
     (const char *const[]){"lru", "fifo", "clock", "sieve", "s3-fifo", "w-tinylfu", "arc",
                           "optimal", NULL},
     true},
    {"size", 's', OPTION_TEXT, "N", "a cache of N entries, or of that many bytes (\"128 MiB\")",
     NULL, true},
    {"points", 0, OPTION_INTEGER, "N", "how many sizes to choose when none is given (8)", NULL,
     false},
    {"by-bytes", 0, OPTION_FLAG, NULL, "choose sizes in bytes; the trace has sizes", NULL, false},
    {"reach", 'r', OPTION_NUMBER, "RATE", "the smallest size that has this hit rate (\"90 %\")",
     NULL, false},
    {"sample", 0, OPTION_NUMBER, "RATE",
     "estimate from four samples of this share of the keys (\"1 %\"); by itself above 20 million "
     "requests",
     NULL, false},
    {"exact", 0, OPTION_FLAG, NULL, "never sample", NULL, false},
    {"format", 'f', OPTION_WORD, "NAME", "format of the trace, when its name does not tell",
     trace_format_names, false},
    {"key-column", 0, OPTION_TEXT, "COLUMN",
     "of a trace of several columns: which is the key, by its number or its heading", NULL, false},
    {"size-column", 0, OPTION_TEXT, "COLUMN", "and which is its size in bytes", NULL, false},
    {"requests", 'n', OPTION_INTEGER, "N", "read only the first N requests", NULL, false},
    {"ttl", 0, OPTION_TEXT, "TIME", "clients: time to live of the cached value", NULL, true},
    {"poll", 0, OPTION_DURATION, "TIME", "clients: each asks every TIME", NULL, false},
    {"clients", 0, OPTION_TEXT, "N", "clients: how many ask (1)", NULL, true},
    {"draws", 0, OPTION_INTEGER, "N", "clients: random draws of their phases (200)", NULL, false},
    {"seed", 0, OPTION_INTEGER, "N", "clients: seed of the draws (1)", NULL, false},
    {0},
};

static const char *const examples[] = {
    "tidemark whatif oltp.lis.zst\thit rates of all policies over eight sizes, and advice",
    "tidemark whatif --size \"1 GiB\" io.oracleGeneral.zst\ta cache bounded by bytes",
    "tidemark whatif --reach \"50 %\" oltp.lis.zst\tthe smallest cache that answers half",
    "tidemark whatif --ttl 3s --poll 5s --clients 3\ta value that three clients poll",
    NULL,
};

void whatif_json_begin(struct text *text, const char *type)
{
    text_reset(text);
    json_open(text, NULL, '{');
    json_signed(text, "v", 1);
    json_text(text, "type", type);
}

void whatif_json_end(struct text *text, FILE *json)
{
    json_close(text, '}');
    if (json) {
        fprintf(json, "%s\n", text_peek(text));
    }
}

void whatif_say(const char *format, ...)
{
    char line[1024];
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun one line above */
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_wrap(&text, line, 0, table_terminal_width(stdout));
    fputs(text_peek(&text), stdout);
    text_fini(&text);
}

static int whatif_dispatch(const struct command_line *line, FILE *json)
{
    bool clients =
        command_text(line, "ttl") || command_text(line, "poll") || command_text(line, "clients");
    if (line->operand_count == 0 && !clients) {
        return command_usage_error(line,
                                   "needs a trace file, or --ttl and --poll for polling clients");
    }
    if (line->operand_count > 0 && clients) {
        return command_usage_error(line,
                                   "is either about a trace or about polling clients: '%s' and "
                                   "--ttl, --poll or --clients do not go together",
                                   line->operands[0]);
    }
    if (clients) {
        return whatif_clients(line, json);
    }
    int status = COMMAND_MET;
    for (size_t i = 0; i < line->operand_count && status == COMMAND_MET; i++) {
        if (i > 0) {
            printf("\n");
        }
        status = whatif_trace(line, line->operands[i], json);
    }
    return status;
}

static int whatif_run(struct command_line *line)
{
    struct whole_file json = {0};
    if (line->json && !whole_file_open(&json, line->json)) {
        fprintf(stderr, "tidemark whatif: %s: %s\n", line->json, strerror(errno));
        return COMMAND_OURS;
    }
    int status = whatif_dispatch(line, json.out);
    if (!whole_file_close(&json, status == COMMAND_MET)) {
        fprintf(stderr, "tidemark whatif: %s: %s\n", line->json, strerror(errno));
        return COMMAND_OURS;
    }
    return status;
}

const struct command command_whatif = {
    .name = "whatif",
    .about = "what a cache would have done: traces through policies and sizes, clients and TTLs",
    .operands = "[TRACE...]",
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "With a trace: hit rates of each policy over cache sizes, the offline optimum, the "
        "smallest size "
        "for a wanted hit rate, and advice. Cold start; a request is a look-up and, on a miss, an "
        "insertion. Formats: text (a key a line, perhaps its size), lis (start count ignored "
        "number), "
        "csv (a heading that names key and size), oracleGeneral, and binary keys of 32 or 64 bits "
        "in "
        "either byte order; each plain or as zstd, xz or gzip.\n"
        "Without: a model of clients that poll one value through a cache with a time to live. "
        "--ttl and "
        "--clients may be given several times and make a table.",
    .examples = examples,
    .run = whatif_run,
};
