/*
 * release.c - where what stays ought to have been released: the test once more, with the stacks of
 * releases remembered, and for each site those that have to do with it. A place to look at, no
 * proof: blocks beside the lost one are freed there, or it lost its last holder there. Verdicts and
 * figures are made before, and not touched. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/campaign/session.h"
#include "harness/result/result_release.h"

#include <stdlib.h>
#include <string.h>

#define TRIES        16 /* what stays in every 13th repetition only is met, too */
#define TOLD_MOST    3
#define PASSED_CALLS 20.0 /* that a call with breakpoints may take, in calls without */
#define PASSED_NS    3e8
#define WRAPPED      6 /* of so many sites, at least, are blocks that a wrapper of free() is given */
#define WRAPS        3     /* and it is called from so many places */
#define FOLLOWED     6     /* functions of a stack, for it to be another */
#define NAMES        4096u /* a power of two */

static bool was_kept(const struct session *session, uint32_t site)
{
    for (size_t i = 0; i < session->seen.release_count; i++) {
        if (session->seen.releases[i].relation == WIRE_RELATION_KEPT &&
            session->seen.releases[i].site == site) {
            return true;
        }
    }
    return false;
}

/* In a child, whom what stays was passed to. A test that waits for a thread of an earlier call
 * waits for ever there: the child has no other thread than its own. */
static void passed_ask(struct session *session, const struct wire_command *run,
                       const struct wire_command *named, double call_ns, double left_ns)
{
    struct wire_command command = *run;
    double most_ns = PASSED_CALLS * call_ns + PASSED_NS;
    command.child_ns = (uint64_t)(most_ns < left_ns ? most_ns : left_ns);
    command.flags = (run->flags & ~(uint32_t)WIRE_RELEASES) | WIRE_GIVEN | WIRE_FORKED;
    command.site_count = named->site_count;
    memcpy(command.sites, named->sites, sizeof command.sites);
    session->seen.given_count = 0;
    struct answer answer = session_ask(session, &command);
    if (answer.event != WORKER_DONE || answer.test.status != WIRE_PASS) {
        session->seen.given_count = 0;
    }
}

void session_releases(struct session *session, uint32_t number, const uint32_t *sites,
                      uint32_t count, double most_ns)
{
    struct wire_command run = {.op = WIRE_OP_RUN,
                               .test = number,
                               .depth = WIRE_TRACE,
                               .flags = WIRE_RELEASES | WIRE_STOP_ON_FAIL | WIRE_NO_FLOORS |
                                        WIRE_NO_RETAINED | WIRE_NO_QUEUED | WIRE_NO_KERNEL,
                               .repetitions = 1};
    struct wire_command ask = {.op = WIRE_OP_RELEASES, .depth = WIRE_TRACE};
    uint64_t begun = monotonic_ns();
    double call_ns = 0;
    bool all = false;
    for (; ask.site_count < count && ask.site_count < WIRE_SITES_MAX; ask.site_count++) {
        ask.sites[ask.site_count] = sites[ask.site_count];
    }
    session->seen.release_count = 0;
    for (int i = 0; i < TRIES && !all && (double)(monotonic_ns() - begun) < most_ns; i++) {
        struct answer answer = session_ask(session, &run);
        if (answer.event != WORKER_DONE || answer.test.status != WIRE_PASS ||
            session_ask(session, &ask).event != WORKER_DONE) {
            break;
        }
        call_ns = (double)answer.test.wall_ns;
        all = true;
        for (uint32_t s = 0; s < count; s++) {
            all = all && was_kept(session, sites[s]);
        }
    }
    double left_ns = most_ns - (double)(monotonic_ns() - begun);
    if (!session->link.worker.ended && left_ns > 0) {
        passed_ask(session, &run, &ask, call_ns, left_ns);
    }
}

/* One stack of release, and why it is told. */
struct candidate {
    enum result_relation relation;
    uint32_t release, latest;
    const struct wire_given *given; /* of RELATION_PASSED */
    unsigned distance;              /* of SAME and BESIDE: in frames */
    int64_t blocks;
};

struct ranking {
    struct session *session;
    const struct observed_site *site;
    struct candidate *candidates;
    size_t count, room;
    uint32_t wrappers; /* innermost frames that all releases share: */
    const struct observed_site *wrapped;
    struct {
        uint64_t address;
        char *name; /* NULL: free */
    } names[NAMES];
    size_t name_count;
};

/* The function of a return address; "" if unknown, or there are too many. Stays as long as the
 * ranking does. */
static const char *function_of(struct ranking *ranking, uint64_t address)
{
    size_t slot = address * 0x9e3779b97f4a7c15u >> 40;
    for (slot %= NAMES; ranking->names[slot].name; slot = (slot + 1) % NAMES) {
        if (ranking->names[slot].address == address) {
            return ranking->names[slot].name;
        }
    }
    if (ranking->name_count >= NAMES * 3 / 4) {
        return "";
    }
    ranking->name_count++;
    ranking->names[slot].address = address;
    ranking->names[slot].name = symbols_function(ranking->session->seen.symbols, address - 1);
    return ranking->names[slot].name;
}

/* Is the frame outside of which only the test and its caller are left? */
static bool is_outermost(struct ranking *ranking, const struct observed_site *site, uint32_t at)
{
    return at + 1 >= site->frame_count ||
           symbols_system(ranking->session->seen.symbols, site->frames[at + 1] - 1) ||
           strcmp(function_of(ranking, site->frames[at + 1]), "main") == 0;
}

/* Frames inside of the test itself. */
static uint32_t inner_of(struct ranking *ranking, const struct observed_site *site)
{
    uint32_t count = 0;
    while (count < site->frame_count && !is_outermost(ranking, site, count)) {
        count++;
    }
    return count;
}

/* Were both allocated by the same lines, but for where the test called them from? Fewer lines than
 * all may be no more than how this program calls malloc. */
static bool is_same(struct ranking *ranking, const struct observed_site *other)
{
    const struct observed_site *site = ranking->site;
    uint32_t inner = inner_of(ranking, site);
    bool own = false;
    for (uint32_t i = 0; i < inner; i++) {
        if (i >= other->frame_count || site->frames[i] != other->frames[i]) {
            return false;
        }
        own = own || !symbols_system(ranking->session->seen.symbols, site->frames[i] - 1);
    }
    return site->kind == other->kind && own;
}

/* How far in the two allocations part, if they were made by one call of a function that is not the
 * test itself; 0: they were not. */
static unsigned distance_of(struct ranking *ranking, const struct observed_site *other)
{
    const struct observed_site *site = ranking->site;
    uint32_t n = site->frame_count, m = other->frame_count;
    while (n > 0 && m > 0 && site->frames[n - 1] == other->frames[m - 1]) {
        n--;
        m--;
    }
    if (n == 0 || m == 0 || is_outermost(ranking, site, n - 1)) {
        return 0;
    }
    const char *here = function_of(ranking, site->frames[n - 1]);
    bool same = here[0] && strcmp(here, function_of(ranking, other->frames[m - 1])) == 0;
    return same ? n + m : 0;
}

static const struct observed_site *site_of(const struct session *session, uint32_t number)
{
    bool known = number < session->seen.site_count && session->seen.sites[number].frame_count > 0;
    return known ? &session->seen.sites[number] : NULL;
}

static bool candidate_read(struct ranking *ranking, const struct wire_release *seen,
                           struct candidate *candidate)
{
    const struct observed_site *born = site_of(ranking->session, seen->born);
    *candidate = (struct candidate){
        .release = seen->release, .latest = seen->latest, .blocks = seen->blocks};
    if (!born || !site_of(ranking->session, seen->release)) {
        return false;
    }
    switch ((enum wire_relation)seen->relation) {
    case WIRE_RELATION_HOLDER:
    case WIRE_RELATION_MEMBER:
        candidate->relation =
            seen->relation == WIRE_RELATION_HOLDER ? RELATION_HOLDER : RELATION_MEMBER;
        return seen->site == ranking->site->number;
    case WIRE_RELATION_NONE:
        if (born == ranking->site || is_same(ranking, born)) {
            candidate->relation = RELATION_SAME;
            candidate->distance = born != ranking->site;
            return true;
        }
        candidate->relation = RELATION_BESIDE;
        candidate->distance = distance_of(ranking, born);
        return candidate->distance > 0;
    case WIRE_RELATION_KEPT:
        break;
    }
    return false;
}

/* Does the innermost of the program's own frames of some release lie in this function? Who frees is
 * told of anyway, and whoever wraps free() is given everything. */
static bool releases_itself(struct ranking *ranking, const char *function)
{
    for (uint32_t i = 0; i < ranking->wrappers; i++) {
        if (strcmp(function_of(ranking, ranking->wrapped->frames[i]), function) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < ranking->session->seen.release_count; i++) {
        const struct observed_site *stack =
            site_of(ranking->session, ranking->session->seen.releases[i].release);
        uint32_t own = 0;
        while (stack && own < stack->frame_count &&
               symbols_system(ranking->session->seen.symbols, stack->frames[own] - 1)) {
            own++;
        }
        if (stack && own < stack->frame_count &&
            strcmp(function_of(ranking, stack->frames[own]), function) == 0) {
            return true;
        }
    }
    return false;
}

/* The latest function that such a block was passed to. */
static void passed_find(struct ranking *ranking)
{
    const struct wire_given *best = NULL;
    for (size_t i = 0; i < ranking->session->seen.given_count; i++) {
        const struct wire_given *given = &ranking->session->seen.givens[i];
        if (given->site == ranking->site->number && given->frame_count > 0 &&
            (!best || given->order < best->order) &&
            symbols_takes_pointer(ranking->session->seen.symbols, given->frames[0],
                                  given->argument) &&
            !releases_itself(ranking, function_of(ranking, given->frames[0] + 1))) {
            best = given;
        }
    }
    if (best) {
        memory_grow(&ranking->candidates, &ranking->room, ranking->count + 1,
                    sizeof ranking->candidates[0]);
        ranking->candidates[ranking->count++] =
            (struct candidate){.relation = RELATION_PASSED, .given = best, .blocks = 1};
    }
}

/* Adds a number to a set, as long as there is room. */
static void set_add(uint64_t *set, uint32_t *count, uint32_t room, uint64_t number)
{
    uint32_t i = 0;
    while (i < *count && set[i] != number) {
        i++;
    }
    if (i == *count && i < room) {
        set[(*count)++] = number;
    }
}

static const struct observed_site *stack_of(struct ranking *ranking,
                                            const struct wire_release *seen)
{
    const struct observed_site *stack = site_of(ranking->session, seen->release);
    bool own = seen->relation == WIRE_RELATION_NONE && stack &&
               !symbols_system(ranking->session->seen.symbols, stack->frames[0] - 1);
    return own ? stack : NULL;
}

/* How many innermost frames are the program's wrappers of free(): shared by all stacks that do not
 * begin in a library, for blocks of many sites, and called from several places. */
static void wrappers_find(struct ranking *ranking)
{
    const struct wire_release *all = ranking->session->seen.releases;
    size_t count = ranking->session->seen.release_count;
    const struct observed_site *first = NULL, *stack;
    uint64_t born[WRAPPED], callers[WRAPS];
    uint32_t depth = 0, born_count = 0, caller_count = 0;
    for (size_t i = 0; i < count; i++) {
        if ((stack = stack_of(ranking, &all[i]))) {
            uint32_t shared = 0;
            depth = first ? depth : stack->frame_count;
            first = first ? first : stack;
            while (shared < depth && shared < stack->frame_count &&
                   stack->frames[shared] == first->frames[shared]) {
                shared++;
            }
            depth = shared;
            set_add(born, &born_count, WRAPPED, all[i].born);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if ((stack = stack_of(ranking, &all[i])) && depth < stack->frame_count) {
            set_add(callers, &caller_count, WRAPS, stack->frames[depth]);
        }
    }
    ranking->wrapped = first;
    ranking->wrappers = born_count == WRAPPED && caller_count == WRAPS ? depth : 0;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->relation != y->relation) {
        return x->relation < y->relation ? -1 : 1;
    }
    if (x->distance != y->distance) {
        return x->distance < y->distance ? -1 : 1;
    }
    if (x->blocks != y->blocks) {
        return x->blocks > y->blocks ? -1 : 1;
    }
    return x->latest > y->latest ? -1 : x->latest < y->latest;
}

/* Are the functions outside of the wrappers told already, as far as a person follows them? */
static bool is_told(const struct result_site *site, const struct result_release *release)
{
    for (size_t i = 0; i < site->released_by_count; i++) {
        const struct result_release *told = &site->released_by[i];
        size_t here = release->frame_count - release->wrappers;
        size_t there = told->frame_count - told->wrappers;
        bool same = told != release && (here == there || (here > FOLLOWED && there > FOLLOWED));
        for (size_t f = 0; same && f < here && f < FOLLOWED; f++) {
            same = strcmp(told->frames[told->wrappers + f].function,
                          release->frames[release->wrappers + f].function) == 0;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static void candidate_tell(struct ranking *ranking, const struct candidate *candidate,
                           struct result_site *site)
{
    const struct observed_site *stack = site_of(ranking->session, candidate->release);
    const struct wire_given *given = candidate->given;
    const uint64_t *frames = given ? given->frames : stack->frames;
    uint32_t count = given ? given->frame_count : stack->frame_count;
    struct result_release *release = result_release_add(site);
    release->relation = candidate->relation;
    release->blocks = candidate->blocks;
    for (uint32_t i = 0; i < count; i++) {
        release->wrappers =
            !given && i == ranking->wrappers ? release->frame_count : release->wrappers;
        symbols_stack(ranking->session->seen.symbols, frames[i], given && i == 0, &release->frames,
                      &release->frame_count);
    }
    if (is_told(site, release)) {
        result_release_drop(site);
    }
}

void session_releases_tell(struct session *session, const struct observed_site *seen,
                           struct result_site *site)
{
    struct ranking *ranking = memory_new(1, sizeof *ranking);
    ranking->session = session;
    ranking->site = seen;
    for (size_t i = 0; i < session->seen.release_count; i++) {
        memory_grow(&ranking->candidates, &ranking->room, ranking->count + 1,
                    sizeof ranking->candidates[0]);
        ranking->count += candidate_read(ranking, &session->seen.releases[i],
                                         &ranking->candidates[ranking->count]);
    }
    wrappers_find(ranking);
    passed_find(ranking);
    if (ranking->count > 0) {
        qsort(ranking->candidates, ranking->count, sizeof ranking->candidates[0],
              compare_candidates);
    }
    for (size_t i = 0; i < ranking->count && site->released_by_count < TOLD_MOST; i++) {
        candidate_tell(ranking, &ranking->candidates[i], site);
    }
    for (size_t i = 0; i < NAMES; i++) {
        free(ranking->names[i].name);
    }
    free(ranking->candidates);
    free(ranking);
}
