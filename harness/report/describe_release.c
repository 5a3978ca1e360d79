/* describe_release.c - see describe.h: where blocks like those of a site are released. Supervisor
 * only. */
#include "harness/report/describe.h"

#include <string.h>

#define FRAMES_TOLD 3

/* By what such things are released, and what they are. */
static const struct way {
    const char *kind, *things, *released;
} ways[] = {
    {"fd", "descriptors", "closed"},  {"thread", "threads", "joined"},
    {"file", "files", "removed"},     {"child", "children", "waited for"},
    {"mmap", "mappings", "unmapped"}, {"heap", "blocks", "freed"},
};

static const struct way *way_of(const struct result_site *site)
{
    size_t i = 0, last = sizeof ways / sizeof ways[0] - 1;
    while (i < last && strcmp(ways[i].kind, site->kind) != 0) {
        i++;
    }
    return &ways[i];
}

static bool is_system(const struct result_frame *frame)
{
    return strncmp(frame->module, "/lib", 4) == 0 || strncmp(frame->module, "/usr/lib", 8) == 0;
}

/* Without main, and without the test that it calls: that stands in the stack of the allocation. */
static size_t count_own(const struct result_release *release)
{
    size_t count = describe_frames_own(release->frames, release->frame_count);
    if (count > 0 && strcmp(release->frames[count - 1].function, "main") == 0) {
        count -= count > 1;
        count -= count > 1 && !is_system(&release->frames[count - 2]);
    }
    return count;
}

void describe_release(struct text *text, const struct result_site *site,
                      const struct result_release *release)
{
    const struct way *way = way_of(site);
    size_t count = count_own(release), first = release->wrappers;
    switch (release->relation) {
    case RELATION_HOLDER:
        text_put(text, "what pointed to it was freed in ");
        break;
    case RELATION_MEMBER:
        text_put(text, "what it points to was freed in ");
        break;
    case RELATION_SAME:
        text_format(text, "other %s of this stack are %s in ", way->things, way->released);
        break;
    case RELATION_PASSED:
        text_put(text, "it was last passed to ");
        break;
    case RELATION_BESIDE:
    case RELATION_COUNT:
        text_format(text, "%s made beside it are %s in ", way->things, way->released);
        break;
    }
    first = first < count ? first : 0;
    while (first + 1 < count && is_system(&release->frames[first])) {
        first++; /* libc's fclose */
    }
    for (size_t i = first; i < count && i < first + FRAMES_TOLD; i++) {
        text_put(text, i > first ? " < " : "");
        describe_frame(text, &release->frames[i]);
    }
}
