/*
 * header_export.c - tidemark_test_begin and tidemark_test_end of include/tidemark.h, as
 * libtidemark.so exports them. Runs in the worker, on any thread; one test at a time, a nested
 * begin is ignored.
 */
#include "harness/boundary/boundary.h"
#include "harness/boundary/passive.h"
#include "include/tidemark.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static atomic_flag header_busy = ATOMIC_FLAG_INIT;
static char header_id[WIRE_ID_MAX];
static struct passive_mark header_begin;

static bool header_is_on(void)
{
    return boundary_wire != NULL && boundary_way == WIRE_WAY_HEADER && boundary_is_worker();
}

EXPORT void tidemark_test_begin(const char *id)
{
    int saved = errno;
    if (header_is_on() && !atomic_flag_test_and_set(&header_busy)) {
        size_t bytes = strnlen(id, sizeof header_id - 1);
        memcpy(header_id, id, bytes);
        header_id[bytes] = '\0';
        passive_begin(header_id);
        passive_mark_now(&header_begin);
    }
    errno = saved;
}

EXPORT void tidemark_test_end(const char *id, bool passed)
{
    int saved = errno;
    if (header_is_on() && header_id[0] != '\0' &&
        strncmp(id, header_id, sizeof header_id - 1) == 0) {
        struct passive_mark end;
        struct outcome outcome = {
            .status = passed ? WIRE_PASS : WIRE_FAIL, .file = "", .message = ""};
        passive_mark_now(&end);
        passive_end(NULL, &header_begin, &end, &outcome);
        header_id[0] = '\0';
        atomic_flag_clear(&header_busy);
    }
    errno = saved;
}
