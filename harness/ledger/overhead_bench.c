/*
 * overhead_bench.c - what watching costs: the same programs plain, at count depth, at trace depth,
 * in watch mode and under heaptrack's preload, one after the other in rounds, medians of CPU time.
 * Not a test: it prints figures and their bars, and never fails by noise.
 *
 * overhead_bench BUILD-FOLDER [ROUNDS]
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MOST 101
#define JEMALLOC    "libjemalloc.so.2"

struct contender {
    const char *name;
    const char *preload; /* "%s" is the build folder */
    const char *depth;
    const char *needs; /* a file without which it is left out */
};

static const struct contender contenders[] = {
    {"jemalloc", JEMALLOC, NULL, NULL},
    {"A/A control", JEMALLOC, NULL, NULL},
    {"count", "%s/bench/libledger.so " JEMALLOC, "count", NULL},
    {"trace", "%s/bench/libledger.so " JEMALLOC, "trace", NULL},
    {"watch", "%s/bench/libledger.so " JEMALLOC, "watch", NULL},
    {"heaptrack", "/usr/lib/heaptrack/libheaptrack_preload.so " JEMALLOC, NULL,
     "/usr/lib/heaptrack/libheaptrack_preload.so"},
    {"libc", "", NULL, NULL},
    {"libc, count", "%s/bench/libledger.so", "count", NULL},
    {"libc, trace", "%s/bench/libledger.so", "trace", NULL},
    {"libc, watch", "%s/bench/libledger.so", "watch", NULL},
};
#define CONTENDERS (sizeof contenders / sizeof contenders[0])

struct program {
    const char *name;
    const char
        *command; /* words; "%s" is the build folder; no shell, which would be watched instead */
    const char *input; /* for its standard input, or NULL */
    const char *needs;
};

static const struct program programs[] = {
    {"malloc/free loop, blocks untouched", "%s/fixtures/alloc_loop 3000000", NULL, NULL},
    {"malloc/free loop, blocks filled", "%s/fixtures/alloc_loop 3000000 fill", NULL, NULL},
    {"jq, 4 MB of JSON", "jq length %s/bench/records.json", NULL, "/usr/bin/jq"},
    {"sqlite3, 150,000 rows", "sqlite3 :memory:", "%s/bench/rows.sql", "/usr/bin/sqlite3"},
    {"xmllint, 6 MB of XML", "xmllint --noout %s/bench/records.xml", NULL, "/usr/bin/xmllint"},
};
#define PROGRAMS (sizeof programs / sizeof programs[0])

static void text_expand(char *to, size_t room, const char *pattern, const char *folder)
{
    const char *at = strstr(pattern, "%s");
    if (at == NULL) {
        snprintf(to, room, "%s", pattern);
    } else {
        snprintf(to, room, "%.*s%s%s", (int)(at - pattern), pattern, folder, at + 2);
    }
}

static FILE *input_open(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(99);
    }
    return file;
}

static void inputs_write(const char *folder)
{
    FILE *json = input_open(folder, "records.json"), *xml = input_open(folder, "records.xml");
    FILE *rows = input_open(folder, "rows.sql");
    fputs("[", json);
    fputs("<records>", xml);
    for (int i = 0; i < 40000; i++) {
        fprintf(json, "%s{\"id\":%d,\"name\":\"record %d\",\"values\":[%d,%d.5,null,true]}\n",
                i > 0 ? "," : "", i, i, i % 97, i);
        fprintf(xml,
                "<record id=\"%d\"><name>record %d</name><values><v>%d</v><v>%d.5</v></values>"
                "<note kind=\"x%d\">some text of a record</note></record>\n",
                i, i, i % 97, i, i % 13);
    }
    fputs("]\n", json);
    fputs("</records>\n", xml);
    fputs("create table t(id integer primary key, name text, value real);\nbegin;\n"
          "with recursive c(x) as (select 1 union all select x + 1 from c where x < 150000)\n"
          "insert into t select x, 'row number ' || x, x * 1.5 from c;\ncommit;\n"
          "create index i on t(name);\nselect count(*), sum(value) from t where name > 'row';\n",
          rows);
    fclose(json);
    fclose(xml);
    fclose(rows);
}

/* CPU seconds of one run; negative when it failed. */
static double run(const struct program *program, const struct contender *contender,
                  const char *folder, long *peak_kb)
{
    char command[8192], preload[8192];
    struct rusage used;
    int status;
    text_expand(command, sizeof command, program->command, folder);
    text_expand(preload, sizeof preload, contender->preload, folder);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        if (program->input != NULL) {
            char input[8192];
            text_expand(input, sizeof input, program->input, folder);
            dup2(open(input, O_RDONLY), 0);
        }
        setenv("LD_PRELOAD", preload, 1);
        setenv("DUMP_HEAPTRACK_OUTPUT", "/dev/null", 1);
        if (contender->depth != NULL) {
            setenv("TIDEMARK_BENCH_DEPTH", contender->depth, 1);
        }
        char *words[8] = {strtok(command, " ")};
        for (int i = 1; i < 7 && words[i - 1] != NULL; i++) {
            words[i] = strtok(NULL, " ");
        }
        execvp(words[0], words);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) < 0 || status != 0) {
        return -1;
    }
    *peak_kb = used.ru_maxrss;
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int double_order(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, double_order);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static bool is_there(const char *path)
{
    return path == NULL || access(path, R_OK) == 0;
}

static void program_measure(const struct program *program, const char *folder, int rounds)
{
    static double seconds[CONTENDERS][ROUNDS_MOST], ratios[ROUNDS_MOST];
    long peak_kb[CONTENDERS] = {0};
    if (!is_there(program->needs)) {
        printf("\n%s: not installed\n", program->name);
        return;
    }
    for (int round = -1; round < rounds; round++) { /* the first is a warm-up */
        for (size_t i = 0; i < CONTENDERS; i++) {
            /* every other round backwards, so that none always follows the same one */
            size_t c = round % 2 == 0 ? i : CONTENDERS - 1 - i;
            double took = is_there(contenders[c].needs)
                              ? run(program, &contenders[c], folder, &peak_kb[c])
                              : -1;
            seconds[c][round < 0 ? 0 : round] = took;
        }
    }
    printf("\n%-36s %10s %10s %9s\n", program->name, "CPU ms", "ratio", "peak MB");
    for (size_t c = 0; c < CONTENDERS; c++) {
        size_t base = strncmp(contenders[c].name, "libc", 4) == 0 ? 6 : 0;
        if (seconds[c][0] < 0) {
            printf("  %-34s %10s %10s %9s\n", contenders[c].name, "-", "-", "-");
            continue;
        }
        for (int r = 0; r < rounds; r++) { /* paired: of the same round */
            ratios[r] = seconds[c][r] / seconds[base][r];
        }
        double ratio = median(ratios, rounds), copy[ROUNDS_MOST];
        memcpy(copy, seconds[c], sizeof copy);
        printf("  %-34s %10.1f %9.2fx %9.1f\n", contenders[c].name, median(copy, rounds) * 1e3,
               ratio, (double)peak_kb[c] / 1024);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s BUILD-FOLDER [ROUNDS]\n", argv[0]);
        return 2;
    }
    char folder[4096];
    int rounds = argc > 2 ? atoi(argv[2]) : 11;
    if (realpath(argv[1], folder) == NULL || rounds < 1 || rounds > ROUNDS_MOST) {
        fprintf(stderr, "%s: no such folder, or rounds not within 1..%d\n", argv[1], ROUNDS_MOST);
        return 2;
    }
    inputs_write(folder);
    printf("Medians of %d rounds; ratios are of the same round, to jemalloc or to libc.\n", rounds);
    printf("Bars to jemalloc: loop 1.10x count, 3x trace; real programs 1.03x and 1.15x.\n");
    for (size_t p = 0; p < PROGRAMS; p++) {
        program_measure(&programs[p], folder, rounds);
        fflush(stdout);
    }
    return 0;
}
