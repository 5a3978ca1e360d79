/* jobs.c - see jobs.h. */
#include "harness/campaign/jobs.h"

#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/campaign/phase.h"
#include "harness/result/result_read.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARCELS_EACH 8u  /* of a job, at least, where there are as many tests: one may be dear */
#define PARCEL_MOST  32u /* tests */
#define LOOK_US      2000

/* What a job came to, beside the results of its tests. */
struct job_sum {
    size_t tests, failed, strays, objects, forked_count, sites_hidden;
    char object[WIRE_OBJECT_NAME];
    double peak_rss;
    struct session_counter counters[SESSION_COUNTERS_MAX];
    size_t counter_count;
    uint64_t lookup_ns[HISTOGRAM_BUCKETS];
};

/* In memory that all jobs share, before the arrays of struct jobs. */
struct jobs_shared {
    _Atomic uint32_t next; /* parcel */
    _Atomic bool done[];   /* of each parcel: its file is whole */
};

struct jobs {
    struct session *session;
    uint32_t *wanted; /* tests, in order */
    size_t wanted_count, parcel_tests, parcel_count, job_count, rule_count;
    char *folder;
    struct jobs_shared *shared;
    size_t shared_bytes;
    struct job_sum *sums;   /* shared, of each job */
    _Atomic bool *died;     /* shared, of each test: it ended a worker */
    _Atomic unsigned *used; /* shared, of each suppression */
    pid_t *pids;            /* 0: it has ended */
};

struct jobs_part {
    struct jobs *jobs;
    struct runner_options options;
    size_t number, parcel, at; /* parcel: parcel_count at the end; at: index of the next test */
    size_t notes;              /* of the result that were handed over, or were there before */
    bool open;
    size_t accused; /* of the session, likewise */
};

static char *parcel_path(const struct jobs *jobs, size_t parcel, const char *what)
{
    return memory_format("%s/%zu.%s", jobs->folder, parcel, what);
}

/* In a job. ------------------------------------------------------------------------------------ */

static void part_fail(const char *path)
{
    fprintf(stderr, "tidemark hunt: %s: %s\n", path, strerror(errno));
    _exit(1);
}

static struct result_writer *writer_open(const struct jobs_part *part, const char *what)
{
    char *path = parcel_path(part->jobs, part->parcel, what);
    struct result_writer *writer = result_writer_new(path);
    if (!writer) {
        part_fail(path);
    }
    result_write_run(writer, part->jobs->session->result);
    free(path);
    return writer;
}

static void writer_close(const struct jobs_part *part, struct result_writer **writer)
{
    if (!result_writer_close(writer, part->jobs->session->result)) {
        part_fail(part->jobs->folder);
    }
}

/* The results of the parcel are handed over. */
static void parcel_close(struct jobs_part *part)
{
    struct result *result = part->jobs->session->result;
    if (!part->open) {
        return;
    }
    writer_close(part, &part->options.writer);
    struct result_writer *notes = writer_open(part, "notes");
    for (; part->notes < result->note_count; part->notes++) {
        result_write_note(notes, result->notes[part->notes]);
    }
    writer_close(part, &notes);
    char *accused = parcel_path(part->jobs, part->parcel, "accused");
    if (!accused_save(&part->jobs->session->accused, part->accused, accused)) {
        part_fail(accused);
    }
    free(accused);
    part->accused = part->jobs->session->accused.count;
    part->open = false;
    atomic_store(&part->jobs->shared->done[part->parcel], true);
}

static void parcel_take(struct jobs_part *part)
{
    struct jobs *jobs = part->jobs;
    parcel_close(part);
    size_t next = atomic_fetch_add(&jobs->shared->next, 1);
    part->parcel = next < jobs->parcel_count ? next : jobs->parcel_count;
    part->at = part->parcel * jobs->parcel_tests;
    if (part->parcel < jobs->parcel_count) {
        part->options.writer = writer_open(part, "tests");
        part->open = true;
    }
}

bool jobs_takes(struct jobs_part *part, uint32_t test)
{
    const struct jobs *jobs = part->jobs;
    for (;;) {
        size_t end = (part->parcel + 1) * jobs->parcel_tests;
        end = end < jobs->wanted_count ? end : jobs->wanted_count;
        if (part->parcel >= jobs->parcel_count) {
            return false;
        }
        if (part->at >= end) {
            parcel_take(part);
            continue;
        }
        if (jobs->wanted[part->at] >= test) {
            bool taken = jobs->wanted[part->at] == test;
            part->at += taken;
            return taken;
        }
        part->at++; /* the worker did not offer it */
    }
}

static void folder_own(const struct jobs_part *part)
{
    char *folder = memory_format("%s/job-%zu", part->jobs->folder, part->number + 1);
    if (mkdir(folder, 0700) != 0) {
        part_fail(folder);
    }
    setenv("TMPDIR", folder, 1);
    free(folder);
}

static void sum_take(const struct jobs_part *part, size_t sites_hidden)
{
    const struct jobs *jobs = part->jobs;
    const struct session *session = jobs->session;
    struct job_sum *sum = &jobs->sums[part->number];
    *sum = (struct job_sum){.tests = session->tests,
                            .failed = session->failed,
                            .strays = session->strays,
                            .objects = session->objects,
                            .forked_count = session->forked_count,
                            .sites_hidden = session->result->sites_hidden - sites_hidden,
                            .peak_rss = session->peak_rss,
                            .counter_count = session->counter_count};
    memcpy(sum->object, session->object, sizeof sum->object);
    if (session->counter_count > 0) {
        memcpy(sum->counters, session->counters, session->counter_count * sizeof sum->counters[0]);
    }
    memcpy(sum->lookup_ns, session->lookup_ns, sizeof sum->lookup_ns);
    for (size_t i = 0; i < session->death_count; i++) {
        if (session->deaths[i] < session->seen.test_count) {
            atomic_store(&jobs->died[session->deaths[i]], true);
        }
    }
    for (size_t i = 0; i < jobs->rule_count; i++) {
        atomic_fetch_add(&jobs->used[i], session->options->suppress->items[i].used);
    }
}

_Noreturn static void job_run(struct jobs *jobs, size_t number, struct spending *spending,
                              const struct session *course, pid_t supervisor)
{
    struct session *session = jobs->session;
    struct jobs_part part = {.jobs = jobs, .options = *session->options, .number = number};
    size_t hidden = session->result->sites_hidden;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor) {
        _exit(1);
    }
    interrupt_folder(NULL); /* it is the other's, and so is what there is to show */
    interrupt_report(NULL, NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && !session->options->verbose) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    part.options.at = NULL; /* who waits is told by the hunt that asked */
    part.options.progress = NULL;
    part.options.writer = NULL;
    part.notes = session->result->note_count;
    session->options = &part.options;
    session->part = &part;
    session->forked_count = 0; /* what it adds */
    for (size_t i = 0; i < jobs->rule_count; i++) {
        session->options->suppress->items[i].used = 0;
    }
    folder_own(&part);
    parcel_take(&part);
    session_repeat(session, spending, course);
    parcel_close(&part);
    sum_take(&part, hidden);
    _exit(0);
}

/* In the supervisor that started them. --------------------------------------------------------- */

static void wanted_find(struct jobs *jobs, const struct session *course)
{
    const struct session *session = jobs->session;
    jobs->wanted = memory_new(course->seen.test_count + 1, sizeof *jobs->wanted);
    for (uint32_t i = 0; i < course->seen.test_count; i++) {
        if (session_wants(session, i)) {
            jobs->wanted[jobs->wanted_count++] = i;
        }
    }
    size_t parcels = PARCELS_EACH * jobs->job_count;
    jobs->parcel_tests = (jobs->wanted_count + parcels - 1) / parcels;
    jobs->parcel_tests = jobs->parcel_tests > PARCEL_MOST ? PARCEL_MOST : jobs->parcel_tests;
    jobs->parcel_tests += jobs->parcel_tests == 0;
    jobs->parcel_count = (jobs->wanted_count + jobs->parcel_tests - 1) / jobs->parcel_tests;
}

static void shared_new(struct jobs *jobs)
{
    size_t sums = sizeof *jobs->shared + jobs->parcel_count * sizeof jobs->shared->done[0];
    sums = (sums + 63) / 64 * 64;
    size_t used = sums + jobs->job_count * sizeof *jobs->sums;
    size_t died = used + jobs->rule_count * sizeof *jobs->used;
    jobs->shared_bytes = died + (jobs->session->seen.test_count + 1) * sizeof *jobs->died;
    char *shared =
        mmap(NULL, jobs->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        memory_die();
    }
    jobs->shared = (struct jobs_shared *)(void *)shared;
    jobs->sums = (struct job_sum *)(void *)(shared + sums);
    jobs->used = (_Atomic unsigned *)(void *)(shared + used);
    jobs->died = (_Atomic bool *)(void *)(shared + died);
}

static struct result_test *test_of(const struct jobs *jobs, const char *id, size_t *from)
{
    for (size_t i = *from; i < jobs->wanted_count; i++) {
        if (strcmp(jobs->session->seen.tests[jobs->wanted[i]].id, id) == 0) {
            *from = i + 1;
            return session_result(jobs->session, jobs->wanted[i]);
        }
    }
    return NULL;
}

/* What a job said of a parcel, into the result. */
static void parcel_read(struct jobs *jobs, size_t parcel, const char *path)
{
    struct result *result = jobs->session->result, part;
    struct diag diag;
    size_t from = parcel * jobs->parcel_tests;
    result_init(&part);
    diag_init(&diag);
    result_read(path, &part, &diag);
    for (size_t i = 0; i < part.test_count; i++) {
        struct result_test *test = test_of(jobs, part.tests[i].id, &from);
        test = test ? test : result_test_add(result);
        result_test_fini(test);
        *test = part.tests[i];
        result_test_start(&part.tests[i]);
    }
    for (size_t i = 0; i < part.site_count; i++) {
        struct result_site *site = result_site_add(result);
        result_site_fini(site);
        *site = part.sites[i];
        result_site_start(&part.sites[i]);
    }
    for (size_t i = 0; i < part.birth_count; i++) {
        struct result_site *birth = result_birth_add(result);
        result_site_fini(birth);
        *birth = part.births[i];
        result_site_start(&part.births[i]);
    }
    diag_fini(&diag);
    result_fini(&part);
}

static bool note_known(const struct result *result, const char *text)
{
    for (size_t i = 0; i < result->note_count; i++) {
        if (strcmp(result->notes[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static void notes_read(struct jobs *jobs, const char *path)
{
    struct result part;
    struct diag diag;
    result_init(&part);
    diag_init(&diag);
    result_read(path, &part, &diag);
    for (size_t i = 0; i < part.note_count; i++) {
        if (!note_known(jobs->session->result, part.notes[i])) { /* each worker says the same */
            result_note_add(jobs->session->result, "%s", part.notes[i]);
        }
    }
    diag_fini(&diag);
    result_fini(&part);
}

static void parcel_give(struct jobs *jobs, size_t parcel)
{
    struct session *session = jobs->session;
    char *tests = parcel_path(jobs, parcel, "tests"), *notes = parcel_path(jobs, parcel, "notes");
    char *accused = parcel_path(jobs, parcel, "accused");
    parcel_read(jobs, parcel, tests);
    notes_read(jobs, notes);
    accused_load(&jobs->session->accused, accused);
    if (session->options->writer) {
        result_write_copy(session->options->writer, tests);
    }
    unlink(tests);
    unlink(notes);
    unlink(accused);
    free(tests);
    free(notes);
    free(accused);
    uint32_t test = jobs->wanted[parcel * jobs->parcel_tests];
    phase_test(session, test, test);
}

static bool any_runs(struct jobs *jobs)
{
    bool any = false;
    for (size_t i = 0; i < jobs->job_count; i++) {
        if (jobs->pids[i] > 0 && waitpid(jobs->pids[i], NULL, WNOHANG) != 0) {
            jobs->pids[i] = 0;
        }
        any = any || jobs->pids[i] > 0;
    }
    return any;
}

/* tidemark was asked to end: each job ends its worker first. */
_Noreturn static void jobs_end(struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->job_count; i++) {
        if (jobs->pids[i] > 0) {
            kill(jobs->pids[i], SIGTERM);
        }
    }
    while (any_runs(jobs)) {
        usleep(LOOK_US);
    }
    interrupt_die();
}

/* The parcels in order, each as soon as it is there. */
static void parcels_take(struct jobs *jobs)
{
    size_t parcel = 0;
    bool more = true;
    while (parcel < jobs->parcel_count && more) {
        more = any_runs(jobs);
        while (parcel < jobs->parcel_count && atomic_load(&jobs->shared->done[parcel])) {
            parcel_give(jobs, parcel++);
        }
        if (interrupt_pending()) {
            jobs_end(jobs);
        }
        if (more && parcel < jobs->parcel_count) {
            usleep(LOOK_US);
        }
    }
    size_t lost = 0;
    for (; parcel < jobs->parcel_count; parcel++) { /* a job that ended left a gap */
        if (atomic_load(&jobs->shared->done[parcel])) {
            parcel_give(jobs, parcel);
            continue;
        }
        size_t begin = parcel * jobs->parcel_tests, end = begin + jobs->parcel_tests;
        lost += (end < jobs->wanted_count ? end : jobs->wanted_count) - begin;
    }
    if (lost > 0) {
        jobs->session->result->incomplete += lost;
        result_note_add(jobs->session->result,
                        "%zu test%s not judged: the job that had %s ended without a result", lost,
                        lost == 1 ? " is" : "s are", lost == 1 ? "it" : "them");
    }
    while (any_runs(jobs)) {
        if (interrupt_pending()) {
            jobs_end(jobs);
        }
        usleep(LOOK_US);
    }
}

static void counters_add(struct session *session, const struct job_sum *sum)
{
    for (size_t i = 0; i < sum->counter_count; i++) {
        struct wire_counter counter = {.value = (uint64_t)sum->counters[i].value};
        snprintf(counter.name, sizeof counter.name, "%s", sum->counters[i].name);
        session_counter_add(session, &counter);
    }
    histogram_merge(session->lookup_ns, sum->lookup_ns);
}

static void sums_add(struct jobs *jobs)
{
    struct session *session = jobs->session;
    for (size_t i = 0; i < jobs->job_count; i++) {
        const struct job_sum *sum = &jobs->sums[i];
        session->tests += sum->tests;
        session->failed += sum->failed;
        session->strays += sum->strays;
        if (session->objects == 0) {
            memcpy(session->object, sum->object, sizeof session->object);
        }
        session->objects += sum->objects;
        session->forked_count += sum->forked_count;
        session->result->sites_hidden += sum->sites_hidden;
        session->peak_rss = sum->peak_rss > session->peak_rss ? sum->peak_rss : session->peak_rss;
        counters_add(session, sum);
    }
    for (uint32_t i = 0; i < session->seen.test_count; i++) {
        if (atomic_load(&jobs->died[i])) {
            session_death_add(session, i);
        }
    }
    for (size_t i = 0; i < jobs->rule_count; i++) {
        session->options->suppress->items[i].used += atomic_load(&jobs->used[i]);
    }
}

void session_repeat_jobs(struct session *session, struct spending *spending,
                         const struct session *course, unsigned job_count)
{
    const struct suppress *rules = session->options->suppress;
    struct jobs jobs = {
        .session = session, .job_count = job_count, .rule_count = rules ? rules->count : 0};
    observed_tests_copy(&session->seen, &course->seen);
    wanted_find(&jobs, course);
    shared_new(&jobs);
    jobs.pids = memory_new(job_count, sizeof *jobs.pids);
    interrupt_begin();
    if (!interrupt_folder_new("jobs", &jobs.folder)) {
        result_note_add(session->result, "nothing was repeated: %s: %s", jobs.folder,
                        strerror(errno));
        session->result->incomplete += jobs.wanted_count;
    } else {
        fflush(NULL);
        pid_t supervisor = getpid();
        for (size_t i = 0; i < job_count && i < jobs.parcel_count; i++) {
            jobs.pids[i] = fork();
            if (jobs.pids[i] == 0) {
                job_run(&jobs, i, spending, course, supervisor);
            }
        }
        parcels_take(&jobs);
        sums_add(&jobs);
        interrupt_folder(NULL);
        interrupt_folder_remove(jobs.folder);
    }
    interrupt_end();
    munmap(jobs.shared, jobs.shared_bytes);
    free(jobs.folder);
    free(jobs.wanted);
    free(jobs.pids);
}
