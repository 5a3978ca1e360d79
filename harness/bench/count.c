/* count.c - see count.h. Supervisor, and its copy under valgrind. */
#include "harness/bench/count.h"
#include "harness/base/interrupt.h"
#include "harness/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKED  "TIDEMARK_BENCH_COUNT"
#define MARK   "tidemark-contender "
#define WARMUP 16 /* windows, as measure.c */

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>

bool count_wanted(void)
{
    return getenv(ASKED) && RUNNING_ON_VALGRIND;
}

void count_run(struct contender *contenders, size_t count, const struct workload *workload)
{
    struct window *window = window_new(workload);
    for (size_t i = 0; i < count; i++) {
        char mark[64];
        snprintf(mark, sizeof mark, MARK "%zu", i);
        if (!contender_begin(&contenders[i])) {
            continue;
        }
        for (size_t n = 0; n < WARMUP; n++) {
            window_fill(window, n * WINDOW_REQUESTS, WINDOW_REQUESTS);
            contender_ask(&contenders[i], window);
        }
        window_fill(window, (size_t)WARMUP * WINDOW_REQUESTS, WINDOW_REQUESTS);
        CALLGRIND_START_INSTRUMENTATION; /* not only the collection: that alone stops no counter of
                                            calls */
        contender_ask(&contenders[i], window);
        CALLGRIND_STOP_INSTRUMENTATION;
        CALLGRIND_DUMP_STATS_AT(mark);
        contender_end(&contenders[i]);
    }
    window_free(&window);
}

#define BUILT true
#else
bool count_wanted(void)
{
    return false;
}

void count_run(struct contender *contenders, size_t count, const struct workload *workload)
{
    (void)contenders;
    (void)count;
    (void)workload;
}

#define BUILT false
#endif

#define NAMES_MOST 65536 /* functions in one of callgrind's files */

static bool allocates(const char *name)
{
    static const char *const family[] = {"malloc",        "calloc",         "realloc",
                                         "aligned_alloc", "posix_memalign", "memalign"};
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++) {
        if (strcmp(name, family[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "(12) malloc" where a name comes for the first time, "(12)" from then on. True when it is one of
 * the malloc family. */
static bool name_read(char *text, bool known[NAMES_MOST])
{
    char *end;
    unsigned long number = *text == '(' ? strtoul(text + 1, &end, 10) : NAMES_MOST;
    if (number >= NAMES_MOST || *end != ')') {
        return false;
    }
    if (end[1] == ' ') {
        end[2 + strcspn(end + 2, "'\n")] = '\0'; /* 'N stands behind one that calls itself */
        known[number] = allocates(end + 2);
    }
    return known[number];
}

/* One of callgrind's files: which contender, how many instructions, and how many calls of the
 * malloc family from outside of it. */
static bool dump_read(const char *path, size_t *contender, struct counts *counts)
{
    static const char trigger[] = "desc: Trigger: Client Request: " MARK, totals[] = "totals: ";
    bool marked = false, counted = false, called = false, within = false;
    bool *known = memory_new(NAMES_MOST, sizeof *known);
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    *counts = (struct counts){0, 0};
    while (file && getline(&line, &room, file) > 0) {
        if (strncmp(line, trigger, sizeof trigger - 1) == 0) {
            *contender = strtoul(line + sizeof trigger - 1, NULL, 10);
            marked = true;
        } else if (strncmp(line, totals, sizeof totals - 1) == 0) {
            counts->instructions = strtod(line + sizeof totals - 1, NULL);
            counted = true;
        } else if (strncmp(line, "fn=", 3) == 0) {
            within = name_read(line + 3, known);
        } else if (strncmp(line, "cfn=", 4) == 0) {
            called = name_read(line + 4, known);
        } else if (strncmp(line, "calls=", 6) == 0 && called && !within) {
            counts->allocations += strtod(line + 6, NULL);
        }
    }
    if (file) {
        fclose(file);
    }
    free(line);
    free(known);
    return marked && counted;
}

/* Reads and removes what is in the folder, and the folder. Returns how many were counted. */
static size_t dumps_take(const char *folder, struct counts *counts, size_t count)
{
    size_t found = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing)) != NULL;) {
        size_t contender = 0;
        struct counts read;
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *path = memory_format("%s/%s", folder, entry->d_name);
        if (dump_read(path, &contender, &read) && contender < count && read.instructions > 0) {
            counts[contender].instructions = read.instructions / WINDOW_REQUESTS;
            counts[contender].allocations = read.allocations / WINDOW_REQUESTS;
            found++;
        }
        unlink(path);
        free(path);
    }
    if (listing) {
        closedir(listing);
    }
    rmdir(folder);
    return found;
}

/* In the child. Its output is of no use; execvp's failure is told by the status. */
static void child_run(char *const *argv, const char *folder)
{
    char self[4096], out[4200];
    size_t words = 0;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    self[length > 0 ? length : 0] = '\0';
    snprintf(out, sizeof out, "--callgrind-out-file=%s/out", folder);
    while (argv[words]) {
        words++;
    }
    char *command[] = {"valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--vgdb=no",
                       out,        self};
    size_t own = sizeof command / sizeof command[0];
    char **all = memory_new(own + words + 1, sizeof *all);
    memcpy(all, command, sizeof command);
    memcpy(all + own, argv + 1, (words - 1) * sizeof *all);
    dup2(nothing, 0);
    dup2(nothing, 1);
    dup2(nothing, 2);
    setenv(ASKED, "1", 1);
    unsetenv("LD_PRELOAD");
    execvp(all[0], all);
    _exit(errno == ENOENT ? 127 : 126);
}

static bool status_read(int status, char why[COUNT_WHY_BYTES])
{
    why[0] = '\0';
    if (WIFSIGNALED(status)) {
        snprintf(why, COUNT_WHY_BYTES, "valgrind ended with signal %d", WTERMSIG(status));
    } else if (WEXITSTATUS(status) == 127) {
        snprintf(why, COUNT_WHY_BYTES, "valgrind is not installed");
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(why, COUNT_WHY_BYTES, "valgrind ended with status %d", WEXITSTATUS(status));
    }
    return why[0] == '\0';
}

bool count_measure(char *const *argv, struct counts *counts, size_t count,
                   char why[COUNT_WHY_BYTES])
{
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        counts[i] = (struct counts){(double)NAN, (double)NAN};
    }
    if (!BUILT) {
        snprintf(why, COUNT_WHY_BYTES, "this tidemark was built without valgrind's headers");
        return false;
    }
    char *folder;
    interrupt_begin();
    bool good = interrupt_folder_new("count", &folder);
    pid_t child = good ? fork() : -1;
    if (child == 0) {
        child_run(argv, folder);
    }
    if (child < 0) {
        snprintf(why, COUNT_WHY_BYTES, "%.150s: %s", folder, strerror(errno));
        good = false;
    } else {
        struct rusage usage;
        interrupt_wait(child, &status, &usage);
        good = status_read(status, why);
        if (dumps_take(folder, counts, count) == 0 && good) {
            snprintf(why, COUNT_WHY_BYTES, "callgrind left no figures");
            good = false;
        }
    }
    interrupt_end();
    interrupt_folder(NULL);
    free(folder);
    return good;
}
