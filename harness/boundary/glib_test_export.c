/*
 * glib_test_export.c - what a running GLib test asks of GLib: assertions that fail, skip, path,
 * random numbers, things to destroy afterwards. Passes through while none of our tests runs. Runs
 * in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/glib.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct glib_error { /* GError */
    uint32_t domain;
    int code;
    const char *message;
};

struct queued {
    void (*destroy)(void *);
    void *data;
};

static struct queued *queue;
static uint32_t queue_count, queue_room;

static bool inside(void)
{
    return glib_running.inside;
}

void glib_running_reset(const char *path)
{
    glib_running.failed = glib_running.skipped = false;
    glib_running.path = path;
    glib_running.message[0] = glib_running.file[0] = '\0';
    glib_running.line = 0;
    glib_running.random = 0x9e3779b97f4a7c15u; /* the same numbers in each repetition */
    queue_count = 0;
}

void glib_queue_run(void)
{
    while (queue_count > 0) {
        struct queued last = queue[--queue_count];
        last.destroy(last.data);
    }
}

static void __attribute__((format(printf, 3, 4)))
failed(const char *file, int line, const char *format, ...)
{
    if (!glib_running.failed) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(glib_running.message, sizeof glib_running.message, format, arguments);
        va_end(arguments);
        snprintf(glib_running.file, sizeof glib_running.file, "%s", file == NULL ? "" : file);
        glib_running.line = line > 0 ? (uint32_t)line : 0;
        glib_running.failed = true;
    }
}

/* After an assertion failed: back to the test's end, unless the test wants to go on. In a child
 * that the test forked, and on another thread, there is no way back. */
static void leave(void)
{
    if (getpid() != boundary_pid && !boundary_forked) {
        abort();
    }
    if (glib_running.nonfatal) {
        return;
    }
    if (syscall(SYS_gettid) != (long)getpid()) {
        abort();
    }
    siglongjmp(glib_running.back, 1);
}

/* Assertions. -------------------------------------------------------------------------------------
 */

void g_assertion_message(const char *domain, const char *file, int line, const char *function,
                         const char *message);
void g_assertion_message_expr(const char *domain, const char *file, int line, const char *function,
                              const char *expression);
void g_assertion_message_cmpstr(const char *domain, const char *file, int line,
                                const char *function, const char *expression, const char *first,
                                const char *compare, const char *second);
void g_assertion_message_cmpstrv(const char *domain, const char *file, int line,
                                 const char *function, const char *expression,
                                 const char *const *first, const char *const *second, size_t at);
void g_assertion_message_cmpnum(const char *domain, const char *file, int line,
                                const char *function, const char *expression, long double first,
                                const char *compare, long double second, char type);
void g_assertion_message_cmpint(const char *domain, const char *file, int line,
                                const char *function, const char *expression, uint64_t first,
                                const char *compare, uint64_t second, char type);
void g_assertion_message_error(const char *domain, const char *file, int line, const char *function,
                               const char *expression, const struct glib_error *error,
                               uint32_t error_domain, int error_code);

EXPORT void g_assertion_message(const char *domain, const char *file, int line,
                                const char *function, const char *message)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message)(domain, file, line, function, message);
    }
    failed(file, line, "%s", message);
    leave();
}

EXPORT void g_assertion_message_expr(const char *domain, const char *file, int line,
                                     const char *function, const char *expression)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_expr)(domain, file, line, function, expression);
    }
    failed(file, line, expression == NULL ? "code should not be reached" : "assertion failed: (%s)",
           expression);
    leave();
    abort(); /* this one never returns, whatever the test wants */
}

EXPORT void g_assertion_message_cmpstr(const char *domain, const char *file, int line,
                                       const char *function, const char *expression,
                                       const char *first, const char *compare, const char *second)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_cmpstr)
        (domain, file, line, function, expression, first, compare, second);
    }
    failed(file, line, "assertion failed (%s): (\"%s\" %s \"%s\")", expression,
           first == NULL ? "NULL" : first, compare, second == NULL ? "NULL" : second);
    leave();
}

EXPORT void g_assertion_message_cmpstrv(const char *domain, const char *file, int line,
                                        const char *function, const char *expression,
                                        const char *const *first, const char *const *second,
                                        size_t at)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_cmpstrv)
        (domain, file, line, function, expression, first, second, at);
    }
    failed(file, line, "assertion failed (%s): first differing element at index %zu: \"%s\" \"%s\"",
           expression, at, first[at], second[at]);
    leave();
}

EXPORT void g_assertion_message_cmpnum(const char *domain, const char *file, int line,
                                       const char *function, const char *expression,
                                       long double first, const char *compare, long double second,
                                       char type)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_cmpnum)
        (domain, file, line, function, expression, first, compare, second, type);
    }
    if (type == 'f') {
        failed(file, line, "assertion failed (%s): (%.9Lg %s %.9Lg)", expression, first, compare,
               second);
    } else {
        failed(file, line,
               type == 'x' ? "assertion failed (%s): (0x%llx %s 0x%llx)"
                           : "assertion failed (%s): (%lld %s %lld)",
               expression, (long long)first, compare, (long long)second);
    }
    leave();
}

EXPORT void g_assertion_message_cmpint(const char *domain, const char *file, int line,
                                       const char *function, const char *expression, uint64_t first,
                                       const char *compare, uint64_t second, char type)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_cmpint)
        (domain, file, line, function, expression, first, compare, second, type);
    }
    failed(file, line,
           type == 'x' ? "assertion failed (%s): (0x%llx %s 0x%llx)"
                       : "assertion failed (%s): (%lld %s %lld)",
           expression, (long long)first, compare, (long long)second);
    leave();
}

EXPORT void g_assertion_message_error(const char *domain, const char *file, int line,
                                      const char *function, const char *expression,
                                      const struct glib_error *error, uint32_t error_domain,
                                      int error_code)
{
    if (!inside()) {
        ADAPTER_NEXT(g_assertion_message_error)
        (domain, file, line, function, expression, error, error_domain, error_code);
    }
    failed(file, line, "assertion failed (%s): %s", expression,
           error == NULL || error->message == NULL ? "no error was set" : error->message);
    leave();
}

/* The rest. ---------------------------------------------------------------------------------------
 */

void g_test_fail(void);
void g_test_fail_printf(const char *format, ...);
void g_test_skip(const char *message);
void g_test_skip_printf(const char *format, ...);
void g_test_incomplete(const char *message);
void g_test_incomplete_printf(const char *format, ...);
int g_test_failed(void);
void g_test_set_nonfatal_assertions(void);
void g_test_queue_destroy(void (*destroy)(void *), void *data);
void g_test_queue_free(void *block);
const char *g_test_get_path(void);
const char *g_test_get_filename(int kind, const char *first, ...);
void g_test_trap_subprocess(const char *path, uint64_t timeout_us, unsigned flags);
int32_t g_test_rand_int(void);
int32_t g_test_rand_int_range(int32_t begin, int32_t end);
double g_test_rand_double(void);
double g_test_rand_double_range(double begin, double end);

EXPORT void g_test_fail(void)
{
    if (inside()) {
        failed("", 0, "g_test_fail was called");
    } else {
        ADAPTER_NEXT(g_test_fail)();
    }
}

/* The functions that take a format: the text, then the plain function of the same kind. */
#define GLIB_FORMATTED(name, kind)                                                                 \
    EXPORT void name(const char *format, ...)                                                      \
    {                                                                                              \
        char text[WIRE_TEXT_MAX];                                                                  \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        vsnprintf(text, sizeof text, format, arguments);                                           \
        va_end(arguments);                                                                         \
        if (inside()) {                                                                            \
            kind(text);                                                                            \
        } else {                                                                                   \
            ADAPTER_NEXT(name)("%s", text);                                                        \
        }                                                                                          \
    }

static void fail_text(const char *text)
{
    failed("", 0, "%s", text);
}

static void skip_text(const char *text)
{
    glib_running.skipped = true;
    if (!glib_running.failed) {
        snprintf(glib_running.message, sizeof glib_running.message, "%s", text == NULL ? "" : text);
    }
}

GLIB_FORMATTED(g_test_fail_printf, fail_text)
GLIB_FORMATTED(g_test_skip_printf, skip_text)
GLIB_FORMATTED(g_test_incomplete_printf, skip_text)

EXPORT void g_test_skip(const char *message)
{
    if (inside()) {
        skip_text(message);
    } else {
        ADAPTER_NEXT(g_test_skip)(message);
    }
}

EXPORT void g_test_incomplete(const char *message)
{
    if (inside()) {
        skip_text(message);
    } else {
        ADAPTER_NEXT(g_test_incomplete)(message);
    }
}

EXPORT int g_test_failed(void)
{
    return inside() ? glib_running.failed : ADAPTER_NEXT(g_test_failed)();
}

EXPORT void g_test_set_nonfatal_assertions(void)
{
    glib_running.nonfatal = true;
    ADAPTER_NEXT(g_test_set_nonfatal_assertions)();
}

EXPORT void g_test_queue_destroy(void (*destroy)(void *), void *data)
{
    if (!inside()) {
        ADAPTER_NEXT(g_test_queue_destroy)(destroy, data);
        return;
    }
    queue = arena_grow(queue, queue_count, &queue_room, sizeof queue[0]);
    queue[queue_count++] = (struct queued){.destroy = destroy, .data = data};
}

EXPORT void g_test_queue_free(void *block)
{
    if (inside()) {
        g_test_queue_destroy((void (*)(void *))(uintptr_t)dlsym(RTLD_NEXT, "g_free"), block);
    } else {
        ADAPTER_NEXT(g_test_queue_free)(block);
    }
}

EXPORT const char *g_test_get_path(void)
{
    return inside() ? glib_running.path : ADAPTER_NEXT(g_test_get_path)();
}

/* GLib keeps the names until the test has ended; it would say here that no test runs. */
EXPORT const char *g_test_get_filename(int kind, const char *first, ...)
{
    enum { PARTS_MAX = 8 };
    const char *part[PARTS_MAX] = {NULL};
    va_list arguments;
    va_start(arguments, first);
    for (int i = 0; first != NULL && i < PARTS_MAX; i++) {
        part[i] = va_arg(arguments, const char *);
        if (part[i] == NULL) {
            break;
        }
    }
    va_end(arguments);
    if (!inside()) {
        return ADAPTER_NEXT(g_test_get_filename)(kind, first, part[0], part[1], part[2], part[3],
                                                 part[4], part[5], part[6], part[7], NULL);
    }
    char *(*build)(int, const char *, ...) =
        (char *(*)(int, const char *, ...))(uintptr_t)dlsym(RTLD_NEXT, "g_test_build_filename");
    char *name = build(kind, first, part[0], part[1], part[2], part[3], part[4], part[5], part[6],
                       part[7], NULL);
    g_test_queue_free(name);
    return name;
}

EXPORT void g_test_trap_subprocess(const char *path, uint64_t timeout_us, unsigned flags)
{
    ADAPTER_NEXT(g_test_trap_subprocess)
    (path == NULL && inside() ? glib_running.path : path, timeout_us, flags);
}

static uint64_t random_next(void)
{
    uint64_t x = glib_running.random; /* xorshift64 */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return glib_running.random = x;
}

EXPORT int32_t g_test_rand_int(void)
{
    return inside() ? (int32_t)(random_next() >> 32) : ADAPTER_NEXT(g_test_rand_int)();
}

EXPORT int32_t g_test_rand_int_range(int32_t begin, int32_t end)
{
    if (!inside() || end <= begin) {
        return ADAPTER_NEXT(g_test_rand_int_range)(begin, end);
    }
    uint64_t width = (uint64_t)((int64_t)end - begin);
    return (int32_t)(begin + (int64_t)((random_next() >> 16) % width));
}

EXPORT double g_test_rand_double(void)
{
    return inside() ? (double)(random_next() >> 11) / 9007199254740992.0
                    : ADAPTER_NEXT(g_test_rand_double)();
}

EXPORT double g_test_rand_double_range(double begin, double end)
{
    return inside() ? begin + (end - begin) * g_test_rand_double()
                    : ADAPTER_NEXT(g_test_rand_double_range)(begin, end);
}
