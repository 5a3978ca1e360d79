/*
 * boost.c - Boost.Test programs (1.59 and later; header-only, static or shared). The function
 * that runs the test tree is replaced. It runs the real one once, with the one below it replaced
 * that calls the body of a test case: so all test cases that the command line selects are noted and
 * none runs. Then it runs the real one again, and at the first body, with global fixtures set up,
 * the tests are served: a repetition is a call of a test case's body, which includes the fixture of
 * BOOST_FIXTURE_TEST_CASE and of BOOST_FIXTURE_TEST_SUITE. In a program in which single suites or
 * cases have fixtures by decorator, a repetition is the whole tree with one body in it instead.
 * Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/cxx.h"
#include "harness/boundary/hook.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOOST_CASE = 1, BOOST_SUITE = 16 };

struct boost_text { /* boost::unit_test::const_string */
    const char *begin, *end;
};

struct boost_unit { /* boost::unit_test::test_unit, its beginning */
    int type;
    struct boost_text type_name, file;
    size_t line;
    unsigned long id;
};

struct boost_case {
    const struct boost_unit *unit;
    const void *body; /* boost::function<void()> */
    unsigned long timeout;
};

static struct {
    struct boost_case *cases;
    uint32_t count, room;
    unsigned long id; /* of the tree */
    void *monitor;
    enum { BOOST_NATIVE, BOOST_NOTING, BOOST_SERVING, BOOST_REPEATING } mode;
    bool decorated;
    uint32_t selected; /* of a repetition that is the whole tree */
    uint32_t failed;
} boost;

static void tree_here(unsigned long id, bool goes_on);
static int body_here(void *monitor, const void *body, unsigned long timeout);

/* clang-format off */
#define BOOST_UT "_ZN5boost9unit_test"
enum { TREE, BODY, UNIT, NAME, COLLECTOR, RESULTS, PASSED, START, FINISH, DELETE, HOOKS };

static struct hook hooks[HOOKS] = {
    [TREE] = {BOOST_UT "9framework3runEmb", NULL, tree_here},
    [BODY] = {BOOST_UT "19unit_test_monitor_t21execute_and_translateERKNS_8functionIFvvEEEm",
              BOOST_UT "19unit_test_monitor_t21execute_and_translateERKNS_8functionIFvvEEEj",
              body_here},
    [UNIT] = {BOOST_UT "9framework17current_test_unitEv"},
    [NAME] = {"_ZNK5boost9unit_test9test_unit9full_nameB5cxx11Ev",
              "_ZNK5boost9unit_test9test_unit9full_nameEv"},
    [COLLECTOR] = {BOOST_UT "19results_collector_t8instanceEv"},
    [RESULTS] = {"_ZNK5boost9unit_test19results_collector_t7resultsEm"},
    [PASSED] = {"_ZNK5boost9unit_test12test_results6passedEv"},
    [START] = {BOOST_UT "19results_collector_t15test_unit_startERKNS0_9test_unitE"},
    [FINISH] = {BOOST_UT "19results_collector_t16test_unit_finishERKNS0_9test_unitEm"},
    [DELETE] = {"_ZdlPv"},
};
/* clang-format on */

typedef int body_function(void *monitor, const void *body, unsigned long timeout);
typedef void tree_function(unsigned long id, bool goes_on);

static bool boost_take(void)
{
    if (!hooks_find(hooks, HOOKS) || !hooks_set(hooks, HOOKS)) {
        return false;
    }
    setenv("BOOST_TEST_CATCH_SYSTEM_ERRORS", "no", 0); /* a crash is ours, with its stack */
    return true;
}

const struct adapter adapter_boost = {
    .framework = "Boost.Test", .symbol = BOOST_UT "9framework3runEmb", .take_static = boost_take};

/* Which test case runs is a field that no function sets. It is the one word in the framework's data
 * that has the number of the test case in each body. ----------------------------------------------
 */

enum { WORDS_MAX = 64 };

static struct {
    unsigned long *words[WORDS_MAX];
    size_t count;
    bool looked;
} current;

struct current_look {
    uintptr_t inside; /* the object with this address in it is looked through */
    unsigned long id;
};

static bool has_address(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && address - begin < info->dlpi_phdr[i].p_memsz) {
            return true;
        }
    }
    return false;
}

static int words_look(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct current_look *look = data;
    (void)size;
    if (!has_address(info, look->inside)) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        unsigned long *word = (unsigned long *)((info->dlpi_addr + segment->p_vaddr + 7) & ~7ul);
        unsigned long *end =
            (unsigned long *)(info->dlpi_addr + segment->p_vaddr + segment->p_memsz);
        for (; segment->p_type == PT_LOAD && (segment->p_flags & PF_W) && word + 1 <= end; word++) {
            if (*word == look->id && current.count < WORDS_MAX) {
                current.words[current.count++] = word;
            }
        }
    }
    return 1;
}

static void current_look(unsigned long id)
{
    struct current_look look = {.inside = (uintptr_t)hooks[TREE].there, .id = id};
    size_t kept = 0;
    if (!current.looked) {
        current.looked = true;
        dl_iterate_phdr(words_look, &look);
        return;
    }
    for (size_t i = 0; i < current.count; i++) {
        if (*current.words[i] == id) {
            current.words[kept++] = current.words[i];
        }
    }
    current.count = kept;
}

/* The group. --------------------------------------------------------------------------------------
 */

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct boost_unit *unit = boost.cases[index].unit;
    struct cxx_string full = HOOK_THERE(hooks[NAME], struct cxx_string(const void *))(unit);
    bool is_here = full.bytes < sizeof full.here; /* then `text` is where the value has been */
    const char *text = is_here ? full.here : full.text;
    (void)self;
    snprintf(id, sizeof id, "Boost.Test/%s%s", strchr(text, '/') == NULL ? "-/" : "", text);
    if (!is_here) {
        HOOK_THERE(hooks[DELETE], void(void *))((void *)(uintptr_t)full.text);
    }
    serve_id_set(name, id);
    name->group = name->test;
    name->line = (uint32_t)unit->line;
    snprintf(name->file, sizeof name->file, "%.*s", (int)(unit->file.end - unit->file.begin),
             unit->file.begin == NULL ? "" : unit->file.begin);
}

static int body_call(const void *body, unsigned long timeout)
{
    hook_lift(&hooks[BODY]);
    int result = HOOK_THERE(hooks[BODY], body_function)(boost.monitor, body, timeout);
    hook_put(&hooks[BODY]);
    return result;
}

static void tree_call(void)
{
    hook_lift(&hooks[TREE]);
    HOOK_THERE(hooks[TREE], tree_function)(boost.id, false);
    hook_put(&hooks[TREE]);
}

static void *collector(void)
{
    return HOOK_THERE(hooks[COLLECTOR], void *(void))();
}

/* Within the tree's run: what the framework does around the body of a test case. */
static void case_run(const struct boost_case *one)
{
    hook_lift(&hooks[BODY]);
    HOOK_THERE(hooks[START], void(void *, const void *))(collector(), one->unit);
    *current.words[0] = one->unit->id;
    serve_test_begins();
    HOOK_THERE(hooks[BODY], body_function)(boost.monitor, one->body, one->timeout);
    serve_test_ends();
    HOOK_THERE(hooks[FINISH], void(void *, const void *, unsigned long))(collector(), one->unit, 0);
    hook_put(&hooks[BODY]);
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    const struct boost_case *one = &boost.cases[index];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    if (boost.mode == BOOST_SERVING) {
        case_run(one);
    } else {
        boost.selected = index;
        tree_call();
    }
    const void *results = HOOK_THERE(hooks[RESULTS], const void *(const void *, unsigned long))(
        collector(), one->unit->id);
    if (!HOOK_THERE(hooks[PASSED], bool(const void *))(results)) {
        outcome->status = WIRE_FAIL;
        outcome->message = "a check failed: the program's output has its words";
    }
}

/* The framework keeps a result of each test case, made when it is first asked for: that is no
 * memory of the test. A run of the whole tree forgets all of them. */
static void results_make(void)
{
    for (uint32_t i = 0; i < boost.count; i++) {
        HOOK_THERE(hooks[RESULTS], const void *(const void *, unsigned long))
        (collector(), boost.cases[i].unit->id);
    }
}

static void tests_serve(void)
{
    results_make();
    struct test_group group = {.framework = "Boost.Test",
                               .way = WIRE_WAY_SYMTAB,
                               .count = boost.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    boost.failed = serve_group(&group);
    adapter_print("Boost.Test: %u tests under tidemark, %u failed\n", boost.count, boost.failed);
}

/* The tree. ---------------------------------------------------------------------------------------
 */

static bool is_body(const struct boost_unit *unit, const void *function)
{
    enum { CASE_BYTES = 1024 }; /* more than a test_case has, whose last member is its body */
    return unit->type == BOOST_CASE && (uintptr_t)function - (uintptr_t)unit < CASE_BYTES;
}

static int body_note(const struct boost_unit *unit, const void *body, unsigned long timeout)
{
    const unsigned long tree = 1; /* the master suite */
    if (is_body(unit, body)) {
        current_look(unit->id);
        boost.cases = arena_grow(boost.cases, boost.count, &boost.room, sizeof boost.cases[0]);
        boost.cases[boost.count++] =
            (struct boost_case){.unit = unit, .body = body, .timeout = timeout};
        return 0;
    }
    boost.decorated |= unit->type == BOOST_CASE || unit->id != tree;
    return unit->type == BOOST_CASE ? 0 : body_call(body, timeout);
}

/* In place of unit_test_monitor_t::execute_and_translate, which runs fixtures and observers, too.
 */
static int body_here(void *monitor, const void *body, unsigned long timeout)
{
    boost.monitor = monitor;
    if (boost.mode == BOOST_NATIVE || boundary_forked) {
        return body_call(body, timeout);
    }
    const struct boost_unit *unit = HOOK_THERE(hooks[UNIT], const struct boost_unit *(void))();
    if (boost.mode == BOOST_NOTING) {
        return body_note(unit, body, timeout);
    }
    if (boost.mode == BOOST_SERVING && is_body(unit, body)) {
        if (!serve_has_greeted()) {
            tests_serve();
        }
        return 0;
    }
    if (boost.mode == BOOST_REPEATING && unit->type == BOOST_CASE) {
        if (unit != boost.cases[boost.selected].unit) {
            return 0;
        }
        if (is_body(unit, body)) {
            serve_test_begins();
            int result = body_call(body, timeout);
            serve_test_ends();
            return result;
        }
    }
    return body_call(body, timeout);
}

/* In place of framework::run. */
static void tree_here(unsigned long id, bool goes_on)
{
    boost.id = id;
    if (boost.mode != BOOST_NATIVE || serve_has_greeted() || !boundary_is_worker()) {
        hook_lift(&hooks[TREE]);
        HOOK_THERE(hooks[TREE], tree_function)(id, goes_on);
        return;
    }
    boost.mode = BOOST_NOTING;
    tree_call();
    if (boost.count > 0 && !boost.decorated && current.count == 1) {
        boost.mode = BOOST_SERVING;
        tree_call();
    } else if (boost.count > 0) {
        boost.mode = BOOST_REPEATING;
        tests_serve();
    }
    boost.mode = BOOST_NATIVE;
}
