/* location.c - see location.h. Supervisor only. */
#include "harness/report/location.h"
#include "harness/report/describe.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

const char *location_relative(const char *path)
{
    char folder[PATH_MAX];
    if (path[0] == '/' && getcwd(folder, sizeof folder)) {
        size_t length = strlen(folder);
        if (strncmp(path, folder, length) == 0 && path[length] == '/') {
            path += length + 1;
        }
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    return path;
}

struct location location_of_test(const struct result *result, const struct result_test *test)
{
    size_t next = 0;
    const struct result_frame *place = describe_place(test->frames, test->frame_count);
    const struct result_site *site;
    if (test->status == RESULT_PASS &&
        (site = describe_site_next(result, test->id, test->variant, &next))) {
        place = describe_place(site->frames, site->frame_count);
    }
    place = place ? place : describe_error_place(test);
    if (place && place->file[0]) {
        return (struct location){location_relative(place->file), place->line ? place->line : 1};
    }
    return (struct location){location_relative(test->file), test->line ? test->line : 1};
}

const char *location_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
