/* result_release.c - see result_release.h. Supervisor only. */
#include "harness/result/result_release.h"

#include "harness/base/memory.h"
#include "harness/result/json_write.h"
#include "harness/result/result_line.h"
#include "harness/result/result_write.h"

#include <stdlib.h>
#include <string.h>

#define RELEASES_MAX 256 /* of one site; more is a damaged file */

static const char *const relation_names[RELATION_COUNT] = {
    [RELATION_HOLDER] = "holder", [RELATION_MEMBER] = "member", [RELATION_SAME] = "same",
    [RELATION_PASSED] = "passed", [RELATION_BESIDE] = "beside",
};

const char *result_relation_name(enum result_relation relation)
{
    return relation < RELATION_COUNT ? relation_names[relation] : "unknown";
}

struct result_release *result_release_add(struct result_site *site)
{
    size_t room = site->released_by_count;
    memory_grow(&site->released_by, &room, room + 1, sizeof site->released_by[0]);
    struct result_release *release = &site->released_by[site->released_by_count++];
    *release = (struct result_release){0};
    return release;
}

void result_release_drop(struct result_site *site)
{
    struct result_release *last = &site->released_by[--site->released_by_count];
    result_frames_free(last->frames, last->frame_count);
}

void result_releases_free(struct result_release *releases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        result_frames_free(releases[i].frames, releases[i].frame_count);
    }
    free(releases);
}

void result_releases_write(struct text *line, const struct result_site *site)
{
    if (site->released_by_count == 0) {
        return;
    }
    json_open(line, "released_by", '[');
    for (size_t i = 0; i < site->released_by_count; i++) {
        const struct result_release *release = &site->released_by[i];
        json_open(line, NULL, '{');
        json_text(line, "relation", result_relation_name(release->relation));
        json_signed(line, "blocks", release->blocks);
        if (release->wrappers > 0) {
            json_unsigned(line, "wrappers", release->wrappers);
        }
        result_write_frames(line, "frames", release->frames, release->frame_count);
        json_close(line, '}');
    }
    json_close(line, ']');
}

static void relation_read(struct json *json, enum result_relation *relation)
{
    json_peek(json);
    const char *text, *from = json->at;
    unsigned i = 0;
    if (json_take_text(json, &text)) {
        while (i < RELATION_COUNT && strcmp(relation_names[i], text) != 0) {
            i++;
        }
        if (i == RELATION_COUNT) {
            json->at = from;
            json_fail(json, "unknown relation");
            return;
        }
        *relation = i;
    }
}

void result_releases_read(struct json *json, struct result_site *site)
{
    const char *key;
    if (!json_enter(json, '[')) {
        return;
    }
    while (json_next(json)) {
        if (site->released_by_count == RELEASES_MAX) {
            json_fail(json, "too many releases");
            return;
        }
        struct result_release *release = result_release_add(site);
        uint64_t wrappers = 0;
        json_enter(json, '{');
        while (json_next_key(json, &key)) {
            if (strcmp(key, "relation") == 0) {
                relation_read(json, &release->relation);
            } else if (strcmp(key, "blocks") == 0) {
                json_take_integer(json, &release->blocks);
            } else if (strcmp(key, "wrappers") == 0) {
                json_take_unsigned(json, &wrappers);
            } else if (strcmp(key, "frames") == 0 && !release->frames) {
                result_line_frames(json, &release->frames, &release->frame_count);
            } else {
                json_skip(json);
            }
        }
        release->wrappers = wrappers < release->frame_count ? (unsigned)wrappers : 0;
    }
}
