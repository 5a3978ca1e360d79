/* repeat_report_test.c - results of tests from calls that were made up. What the report asks of a
 * session is played here, so that nothing of a session is linked: a scan that knows which sites are
 * unreachable, and results that are kept to be looked at. */
#include "harness/campaign/repeat_report.h"

#include "harness/base/memory.h"
#include "harness/base/suite.h"
#include "harness/campaign/session.h"

#include <math.h>
#include <string.h>

static struct result_test written;
static struct result_site shown[SESSION_SITES_SHOWN];
static size_t shown_count, scanned, released, told, writes;
static uint32_t unreachable; /* bits of sites */
static double released_ns;

struct result_test *session_test_add(struct session *session, uint32_t number)
{
    result_test_start(&written);
    result_set(&written.id, session->seen.tests[number].id);
    written.growth_bytes_per_rep = NAN;
    return &written;
}

static struct result_test *in_order; /* what the test came to in the pass in order; or NULL */

struct result_test *session_result(const struct session *session, uint32_t test)
{
    (void)session, (void)test;
    return in_order;
}

void session_test_fill(struct session *session, struct result_test *test,
                       const struct wire_test *seen, int64_t live)
{
    (void)session;
    test->allocs = (int64_t)seen->allocs;
    test->live_bytes = live;
}

void session_test_write(struct session *session, struct result_test *test)
{
    (void)session;
    ck_assert_ptr_eq(test, &written);
    writes++;
}

bool session_heap_unseen(const struct session *session)
{
    return strcmp(session->seen.hello.allocator, "program") == 0;
}

bool session_scan(struct session *session, const uint32_t *sites, uint32_t count)
{
    (void)session, (void)sites;
    scanned = count;
    return true;
}

bool session_site_lost(const struct session *session, const struct observed_site *site)
{
    (void)session;
    return site->kind >= WIRE_SITE_FD || (unreachable >> site->number & 1) != 0;
}

struct result_site *session_site_add(struct session *session, const char *test,
                                     const struct observed_site *seen, unsigned rank, double whole)
{
    ck_assert_str_eq(test, session->seen.tests[0].id);
    shown[shown_count] = (struct result_site){
        .rank = rank, .bytes = seen->bytes, .share = whole > 0 ? (double)seen->bytes / whole : NAN};
    return &shown[shown_count++];
}

void session_releases(struct session *session, uint32_t test, const uint32_t *sites, uint32_t count,
                      double most_ns)
{
    (void)session, (void)test, (void)sites;
    released = count;
    released_ns = most_ns;
}

void session_releases_tell(struct session *session, const struct observed_site *seen,
                           struct result_site *site)
{
    (void)session, (void)seen, (void)site;
    told++;
}

#define PLACES 7

struct row {
    const char *name;
    enum calls_verdict calls_verdict;
    bool lost, forked, unseen;
    struct {
        uint32_t site, kind;
        enum series_shape shape;
        unsigned rises;
        double per_call, bytes;
        bool suppressed, carries;
    } places[PLACES];
    double of_sums[REPEAT_SUMS]; /* per call */
    double resident;             /* per call */
    uint32_t unreachable;
    enum result_verdict verdict;
    double growth; /* -1: not measured */
    int64_t fds, threads;
    size_t shown, hidden, released;
    const char *site_verdicts; /* L, G or I for each that is shown; * behind a suppressed one */
    const char *horizon;
};

#define HEAP    WIRE_SITE_HEAP
#define GREW    "grew through 64 repetitions"
#define LOST    GREW ", and nothing points at what is left"
#define HELD    GREW "; a cache with more free slots than that looks the same"
#define NOWHERE GREW ", and no allocation site holds what grew"
#define RESIDENT                                                                                   \
    "its resident memory rose by 5 KB a call in 64 repetitions, and neither heap nor mappings "    \
    "explain it: they came to rest"
#define SOME                                                                                       \
    "grew in the 64 repetitions that the budget allowed, as a cache with more free slots than "    \
    "that would; --budget TIME allows more"
#define OPEN "neither levelled off nor grew steadily in 64 repetitions; --budget TIME allows more"
#define RULE "it grows, and all that grows is suppressed by leak:pattern (rules:12)"

static const struct row rows[] = {
    {.name = "clean",
     .calls_verdict = CALLS_CLEAN,
     .verdict = VERDICT_CLEAN,
     .horizon = "equal at each of 64 boundaries"},
    {.name = "clean in a child",
     .calls_verdict = CALLS_CLEAN,
     .forked = true,
     .verdict = VERDICT_CLEAN,
     .horizon = "each repetition ran in a child of its own, and what it kept died with it"},
    {.name = "clean, of a program with a heap of its own",
     .calls_verdict = CALLS_CLEAN,
     .unseen = true,
     .verdict = VERDICT_NONE,
     .horizon = ""},
    {.name = "level",
     .calls_verdict = CALLS_LEVEL,
     .verdict = VERDICT_SATURATING,
     .growth = -1,
     .horizon = "stopped growing within 64 repetitions"},
    {.name = "resident memory rises where nothing else does",
     .calls_verdict = CALLS_CLEAN,
     .resident = 5000,
     .verdict = VERDICT_INCONCLUSIVE,
     .growth = -1,
     .horizon = RESIDENT},
    {.name = "and where all else has levelled off",
     .calls_verdict = CALLS_LEVEL,
     .resident = 5000,
     .verdict = VERDICT_INCONCLUSIVE,
     .growth = -1,
     .horizon = RESIDENT},
    {.name = "it says nothing more of what grows",
     .calls_verdict = CALLS_GROWS,
     .resident = 5000,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false}},
     .verdict = VERDICT_GROWTH,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "G",
     .horizon = HELD},
    {.name = "it rises by little",
     .calls_verdict = CALLS_CLEAN,
     .resident = 500,
     .verdict = VERDICT_CLEAN,
     .horizon = "equal at each of 64 boundaries"},
    {.name = "grows, and is held",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false}},
     .verdict = VERDICT_GROWTH,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "G",
     .horizon = HELD},
    {.name = "grows, and is lost",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false}},
     .unreachable = 1 << 1,
     .verdict = VERDICT_LEAK,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = LOST},
    {.name = "two grow, of which the largest is held and the other lost",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false}, {2, HEAP, SERIES_GROWS, 9, 9, 8, false}},
     .unreachable = 1 << 2,
     .verdict = VERDICT_GROWTH,
     .growth = 40,
     .shown = 2,
     .released = 2,
     .site_verdicts = "GL",
     .horizon = HELD},
    {.name = "unsure, held",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false}},
     .verdict = VERDICT_INCONCLUSIVE,
     .growth = 32,
     .shown = 1,
     .site_verdicts = "I",
     .horizon = SOME},
    {.name = "unsure, and lost after all",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, HEAP, SERIES_GROWS, 2, 33, 32, false}},
     .unreachable = 1 << 1,
     .verdict = VERDICT_LEAK,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = LOST},
    {.name = "open, lost, and rose three times",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, HEAP, SERIES_OPEN, 3, 33, 32, false}},
     .unreachable = 1 << 1,
     .verdict = VERDICT_LEAK,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = LOST},
    {.name = "open, lost, and rose twice",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, HEAP, SERIES_OPEN, 2, 33, 32, false}},
     .unreachable = 1 << 1,
     .verdict = VERDICT_INCONCLUSIVE,
     .growth = 32,
     .shown = 1,
     .site_verdicts = "I",
     .horizon = OPEN},
    {.name = "open, rose twice, and lost in each of five calls",
     .calls_verdict = CALLS_GROWS,
     .lost = true,
     .places = {{1, HEAP, SERIES_OPEN, 2, 33, 32, false}},
     .unreachable = 1 << 1,
     .verdict = VERDICT_LEAK,
     .growth = 32,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = LOST},
    {.name = "descriptors that grow",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, WIRE_SITE_FD, SERIES_GROWS, 9, 2.6, 0, false}},
     .verdict = VERDICT_LEAK,
     .fds = 3,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = GREW},
    {.name = "a descriptor now and then",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, WIRE_SITE_FD, SERIES_GROWS, 9, 0.01, 0, false}},
     .verdict = VERDICT_LEAK,
     .fds = 1,
     .shown = 1,
     .released = 1,
     .site_verdicts = "L",
     .horizon = GREW},
    {.name = "descriptors in too few calls",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, WIRE_SITE_FD, SERIES_GROWS, 9, 1, 0, false}},
     .verdict = VERDICT_INCONCLUSIVE,
     .fds = 1,
     .shown = 1,
     .site_verdicts = "I",
     .horizon = SOME},
    {.name = "threads, and mappings",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, WIRE_SITE_MMAP, SERIES_GROWS, 9, 4097, 4096, false},
                {2, WIRE_SITE_THREAD, SERIES_GROWS, 9, 2, 0, false},
                {3, WIRE_SITE_THREAD, SERIES_GROWS, 9, 0.2, 0, false}},
     .verdict = VERDICT_GROWTH,
     .growth = 4096,
     .threads = 3,
     .shown = 3,
     .released = 3,
     .site_verdicts = "GLL",
     .horizon = HELD},
    {.name = "seven that grow",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 8, 7, false},
                {2, HEAP, SERIES_GROWS, 9, 7, 6, false},
                {3, HEAP, SERIES_GROWS, 9, 6, 5, false},
                {4, HEAP, SERIES_GROWS, 9, 5, 4, false},
                {5, HEAP, SERIES_GROWS, 9, 4, 3, false},
                {6, HEAP, SERIES_GROWS, 9, 3, 2, false},
                {7, HEAP, SERIES_GROWS, 9, 2, 1, false}},
     .verdict = VERDICT_GROWTH,
     .growth = 28,
     .shown = 5,
     .hidden = 2,
     .released = 5,
     .site_verdicts = "GGGGG",
     .horizon = HELD},
    {.name = "one that grows and one that is suppressed",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false},
                {2, HEAP, SERIES_GROWS, 9, 101, 100, true}},
     .verdict = VERDICT_GROWTH,
     .growth = 32,
     .shown = 2,
     .released = 2,
     .site_verdicts = "GG*",
     .horizon = HELD},
    {.name = "suppressed descriptors",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false},
                {2, WIRE_SITE_FD, SERIES_GROWS, 9, 5, 0, true},
                {3, WIRE_SITE_THREAD, SERIES_GROWS, 9, 5, 0, true}},
     .verdict = VERDICT_GROWTH,
     .growth = 32,
     .shown = 3,
     .released = 3,
     .site_verdicts = "GL*L*",
     .horizon = HELD},
    {.name = "all that grows is suppressed",
     .calls_verdict = CALLS_LEVEL,
     .places = {{2, HEAP, SERIES_GROWS, 9, 101, 100, true}},
     .verdict = VERDICT_NONE,
     .growth = -1,
     .horizon = RULE},
    {.name = "all that grows is suppressed, and something is open",
     .calls_verdict = CALLS_UNSURE,
     .places = {{2, HEAP, SERIES_GROWS, 9, 101, 100, true}},
     .verdict = VERDICT_NONE,
     .growth = -1,
     .shown = 1,
     .released = 1,
     .site_verdicts = "G*",
     .horizon = RULE},
    {.name = "what is suppressed and level is no reason",
     .calls_verdict = CALLS_LEVEL,
     .places = {{2, HEAP, SERIES_LEVEL, 9, 0, 0, true}},
     .verdict = VERDICT_SATURATING,
     .growth = -1,
     .horizon = "stopped growing within 64 repetitions"},
    {.name = "bytes of the heap that no site explains",
     .calls_verdict = CALLS_GROWS,
     .of_sums = {77, 0, 3},
     .verdict = VERDICT_GROWTH,
     .growth = 77,
     .horizon = NOWHERE},
    {.name = "bytes of heap and mappings that no site explains",
     .calls_verdict = CALLS_GROWS,
     .of_sums = {77, 8193},
     .verdict = VERDICT_GROWTH,
     .growth = 77 + 8193,
     .horizon = NOWHERE},
    {.name = "carried, held",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_LEVEL, 0, 20, 19, false, true},
                {2, HEAP, SERIES_LEVEL, 0, 10, 9, false, true}},
     .of_sums = {55},
     .unreachable = 1 << 2,
     .verdict = VERDICT_GROWTH,
     .growth = 55,
     .shown = 2,
     .released = 2,
     .site_verdicts = "GL",
     .horizon = HELD},
    {.name = "carried, lost, beside a mapping that grows",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_LEVEL, 0, 20, 19, false, true},
                {2, WIRE_SITE_MMAP, SERIES_GROWS, 9, 4097, 4096, false, false}},
     .of_sums = {55, 10000},
     .unreachable = 1 << 1,
     .verdict = VERDICT_LEAK,
     .growth = 55 + 4096,
     .shown = 2,
     .released = 2,
     .site_verdicts = "LG",
     .horizon = LOST},
    {.name = "carried, lost, in few calls",
     .calls_verdict = CALLS_UNSURE,
     .places = {{1, HEAP, SERIES_OPEN, 2, 20, 19, false, true}},
     .of_sums = {55},
     .unreachable = 1 << 1,
     .verdict = VERDICT_INCONCLUSIVE,
     .growth = 55,
     .shown = 1,
     .site_verdicts = "I",
     .horizon = SOME},
    {.name = "carried, and all of it suppressed",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, HEAP, SERIES_LEVEL, 0, 20, 19, true, true}},
     .of_sums = {55},
     .verdict = VERDICT_NONE,
     .growth = -1,
     .shown = 1,
     .released = 1,
     .site_verdicts = "G*",
     .horizon = RULE},
    {.name = "descriptors and threads that move from place to place",
     .calls_verdict = CALLS_GROWS,
     .places = {{1, WIRE_SITE_FD, SERIES_OPEN, 0, 0.2, 0, false, true},
                {2, WIRE_SITE_FD, SERIES_OPEN, 0, 0.3, 0, false, true},
                {3, WIRE_SITE_THREAD, SERIES_OPEN, 0, 0.1, 0, false, true}},
     .of_sums = {0, 0, 2.2, 0.4},
     .verdict = VERDICT_LEAK,
     .growth = 0,
     .fds = 2,
     .threads = 1,
     .shown = 3,
     .released = 3,
     .site_verdicts = "LLL",
     .horizon = GREW},
};

static void made(const struct row *row, struct session *session, struct repeat *repeat,
                 struct repeat_place *places)
{
    static struct suppression rule = {
        .pattern = (char *)"pattern", .file = (char *)"rules", .line = 12};
    struct wire_test_name name;
    observed_init(&session->seen);
    observed_worker_begins(&session->seen);
    WIRE_INIT(&name, WIRE_TEST_NAME);
    strcpy(name.id, "suite/test");
    name.flags = row->forked ? WIRE_TEST_FORKED : 0;
    ck_assert(observed_take(&session->seen, &name.head));
    strcpy(session->seen.hello.allocator, row->unseen ? "program" : "glibc");
    for (; repeat->place_count < PLACES && row->places[repeat->place_count].site > 0;
         repeat->place_count++) {
        size_t i = repeat->place_count;
        struct wire_site site;
        WIRE_INIT(&site, WIRE_SITE);
        site.site = site.family = row->places[i].site;
        site.kind = row->places[i].kind;
        site.live_bytes = site.kind <= WIRE_SITE_MMAP ? 1000 : 0;
        site.frame_count = 1;
        ck_assert(observed_take(&session->seen, &site.head));
        session->seen.sites[site.site].suppressed = row->places[i].suppressed ? &rule : NULL;
        places[i] = (struct repeat_place){.site = site.site,
                                          .family = site.site,
                                          .kind = site.kind,
                                          .answer = {.shape = row->places[i].shape,
                                                     .rises = row->places[i].rises,
                                                     .per_call = row->places[i].per_call},
                                          .bytes_per_call = row->places[i].bytes,
                                          .suppressed = row->places[i].suppressed,
                                          .carries = row->places[i].carries};
    }
    repeat->places = places;
    repeat->verdict = row->calls_verdict;
    repeat->lost = row->lost;
    for (int sum = 0; sum < REPEAT_SUMS; sum++) {
        repeat->sum_answers[sum].per_call = row->of_sums[sum];
    }
    for (unsigned end = 3; end <= 64; end += end < 8 ? 1 : 8) {
        series_add(&repeat->resident, end, 1000000 - (int64_t)(row->resident * (64 - end)));
    }
    unreachable = row->unreachable;
    shown_count = scanned = released = told = writes = 0;
}

static char letter_of(enum result_verdict verdict)
{
    return verdict == VERDICT_LEAK ? 'L' : verdict == VERDICT_GROWTH ? 'G' : 'I';
}

START_TEST(calls_come_to_results)
{
    static int64_t live[] = {100, 200};
    static unsigned live_calls[] = {3, 64};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        static const struct runner_options options = {.writer = NULL};
        struct repeat_place places[PLACES];
        struct result result;
        struct session session = {.options = &options, .result = &result};
        struct repeat repeat = {.calls = 64,
                                .figures = {.allocs = 5},
                                .figures_live = 4242,
                                .live = live,
                                .live_calls = live_calls,
                                .live_count = 2};
        result_init(&result);
        made(row, &session, &repeat, places);
        session_repeat_report(&session, 0, &repeat, 12345);
        accused_fini(&session.accused);
        double growth = isnan(written.growth_bytes_per_rep) ? -1 : written.growth_bytes_per_rep;
        ck_assert_msg(written.verdict == row->verdict, "%s: %s", row->name,
                      result_verdict_name(written.verdict));
        ck_assert_msg(fabs(growth - row->growth) < 1e-9, "%s: %g a call", row->name, growth);
        ck_assert_msg(written.fds == row->fds && written.threads == row->threads,
                      "%s: %lld descriptors, %lld threads", row->name, (long long)written.fds,
                      (long long)written.threads);
        ck_assert_msg(strcmp(written.horizon, row->horizon) == 0, "%s: %s", row->name,
                      written.horizon);
        char verdicts[2 * PLACES + 1] = "";
        for (size_t k = 0; k < shown_count; k++) {
            verdicts[strlen(verdicts)] = letter_of(shown[k].verdict);
            strcat(verdicts, shown[k].suppressed ? "*" : "");
            ck_assert_uint_eq(shown[k].rank, k + 1);
            double per_rep = row->places[k].kind <= WIRE_SITE_MMAP ? row->places[k].bytes
                                                                   : row->places[k].per_call;
            ck_assert_msg(fabs(shown[k].bytes_per_rep - per_rep) < 1e-9, "%s: site %zu", row->name,
                          k);
        }
        ck_assert_msg(strcmp(verdicts, row->site_verdicts ? row->site_verdicts : "") == 0, "%s: %s",
                      row->name, verdicts);
        ck_assert_msg(shown_count == row->shown && told == row->shown, "%s", row->name);
        ck_assert_msg(result.sites_hidden == row->hidden && released == row->released, "%s: %zu",
                      row->name, released);
        ck_assert(released == 0 || released_ns == 12345);
        ck_assert_uint_eq(result.note_count, strcmp(row->horizon, RULE) == 0);
        ck_assert(written.allocs == 5 && written.live_bytes == 4242 && written.repetitions == 64);
        ck_assert(written.live_by_rep_count == 2 && written.live_at_rep_count == 2);
        ck_assert(written.live_by_rep[1] == 200 && written.live_at_rep[1] == 64 && writes == 1);
        result_test_fini(&written);
        observed_fini(&session.seen);
        result_fini(&result);
    }
}
END_TEST

START_TEST(what_the_process_held_is_that_of_the_pass_in_order)
{
    static int64_t live[] = {4000, 4100};
    static unsigned live_calls[] = {3, 64};
    static const struct row row = {.calls_verdict = CALLS_CLEAN};
    static const struct runner_options options = {.writer = NULL};
    struct repeat_place places[PLACES];
    struct result result;
    struct session session = {.options = &options, .result = &result};
    struct repeat repeat = {
        .calls = 64, .figures_live = 4050, .live = live, .live_calls = live_calls, .live_count = 2};
    struct result_test once = {.live_bytes = 1000, .peak_rss_bytes = 77};
    result_init(&result);
    made(&row, &session, &repeat, places);
    in_order = &once;
    session_repeat_report(&session, 0, &repeat, 1);
    accused_fini(&session.accused);
    in_order = NULL;
    ck_assert_int_eq(written.live_bytes, 1000);
    ck_assert_int_eq(written.peak_live_bytes, RESULT_UNMEASURED); /* and is not shifted */
    ck_assert_int_eq(written.peak_rss_bytes, 77);
    ck_assert_int_eq(written.live_by_rep[0], 950); /* the same distances */
    ck_assert_int_eq(written.live_by_rep[1], 1050);
    result_test_fini(&written);
    observed_fini(&session.seen);
    result_fini(&result);
}
END_TEST

START_TEST(shares_are_of_what_is_not_suppressed)
{
    static const struct row row = {.calls_verdict = CALLS_GROWS,
                                   .places = {{1, HEAP, SERIES_GROWS, 9, 33, 32, false},
                                              {2, HEAP, SERIES_GROWS, 9, 33, 32, false},
                                              {3, WIRE_SITE_FD, SERIES_GROWS, 9, 1, 0, false},
                                              {4, HEAP, SERIES_GROWS, 9, 101, 100, true}}};
    static const struct runner_options options = {.writer = NULL};
    struct repeat_place places[PLACES];
    struct result result;
    struct session session = {.options = &options, .result = &result};
    struct repeat repeat = {.calls = 64};
    result_init(&result);
    made(&row, &session, &repeat, places);
    session_repeat_report(&session, 0, &repeat, 1);
    accused_fini(&session.accused);
    ck_assert_uint_eq(scanned, 4);
    ck_assert_double_eq(shown[0].share, 0.5);
    ck_assert_double_eq(shown[1].share, 0.5);
    ck_assert_double_eq(shown[2].share, 0);
    result_test_fini(&written);
    observed_fini(&session.seen);
    result_fini(&result);
}
END_TEST

SUITE("repeat report", &calls_come_to_results, &what_the_process_held_is_that_of_the_pass_in_order,
      &shares_are_of_what_is_not_suppressed)
