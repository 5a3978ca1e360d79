/*
 * variant.c - see variant.h. The ways of the incident are written as its report and its public
 * source have them: no lock, a TTL by mtime, a lock file made with O_EXCL that is waited for ten
 * times 100 ms, flock; one temporary name for all.
 */
#include "variant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TTL_S      3600
#define LOCK_TRIES 10

#define NAP_NS 500000

static void nap(long ns)
{
    struct timespec pause = {0, ns};
    nanosleep(&pause, NULL);
}

/* As it was. ------------------------------------------------------------------------------------
 */

static enum ending file_read(struct member *member, bool *fresh)
{
    char text[DOCUMENT_BYTES + 64];
    struct stat status;
    uint32_t serial;
    *fresh = false;
    if (stat(member->herd->path, &status) != 0) {
        return ENDING_NONE;
    }
    *fresh = time(NULL) - status.st_mtime < TTL_S; /* a file from the future is fresh as well */
    int fd = open(member->herd->path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (bytes < 0 || !document_check(text, (size_t)bytes, &serial)) {
        return ENDING_CORRUPT;
    }
    member->herd->serials[member->index] = serial;
    return ENDING_HIT;
}

static bool file_write(struct member *member, const char *path, const char *text, size_t length)
{
    member_step(member, STEP_OPENING);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    member_step(member, STEP_OPENED);
    bool ok = true;
    for (size_t at = 0; ok && at < length; at += PIECE_BYTES) {
        size_t piece = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;
        member_piece(member);
        ok = write(fd, text + at, piece) == (ssize_t)piece;
    }
    close(fd);
    member_step(member, STEP_WRITTEN);
    return ok;
}

static enum ending fetch(struct member *member, bool in_place)
{
    char text[DOCUMENT_BYTES + 64], temporary[HERD_PATH + 8];
    uint32_t serial;
    size_t length;
    if (!member_fetch(member, text, sizeof text, &length)) {
        return ENDING_NO_SOURCE;
    }
    if (document_check(text, length, &serial)) {
        member->herd->serials[member->index] = serial;
    }
    snprintf(temporary, sizeof temporary, "%s%s", member->herd->path, in_place ? "" : ".tmp");
    if (!file_write(member, temporary, text, length)) {
        return ENDING_NOT_WRITTEN;
    }
    if (!in_place && rename(temporary, member->herd->path) != 0) {
        unlink(temporary);
        return ENDING_NOT_WRITTEN;
    }
    member_step(member, STEP_RENAMED);
    return ENDING_FETCHED;
}

/* Each start fetches and writes, fresh file or not. */
static enum ending load_as_it_was(struct member *member)
{
    return fetch(member, true);
}

static enum ending load_ttl_only(struct member *member)
{
    bool fresh;
    enum ending ending = file_read(member, &fresh);
    return ending == ENDING_HIT && fresh ? ENDING_HIT : fetch(member, false);
}

/* The lock by O_EXCL. `again`: look at the file once more when the lock is there. */
static enum ending load_exclusive(struct member *member, bool again)
{
    char lock[HERD_PATH + 8];
    bool fresh, held = false;
    enum ending ending = file_read(member, &fresh);
    if (ending == ENDING_HIT && fresh) {
        return ENDING_HIT;
    }
    snprintf(lock, sizeof lock, "%s.lock", member->herd->path);
    for (int tries = 0; !held && tries < LOCK_TRIES;) {
        int fd = open(lock, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0644);
        held = fd >= 0;
        if (held) {
            close(fd);
        } else {
            member_arrive(member);
            nap(member->herd->real ? 100000000 : NAP_NS);
            /* Else the wait is long enough, however long. */
            tries += member->herd->impatient || member->herd->real;
        }
    }
    if (!held) {
        member_step(member, STEP_GAVE_UP);
        return ENDING_TIMEOUT;
    }
    ending = again ? file_read(member, &fresh) : ENDING_NONE;
    if (ending != ENDING_HIT || !fresh) {
        ending = fetch(member, false);
    }
    unlink(lock);
    return ending;
}

static enum ending load_excl(struct member *member)
{
    return load_exclusive(member, false);
}

static enum ending load_excl_recheck(struct member *member)
{
    return load_exclusive(member, true);
}

static enum ending load_flock(struct member *member)
{
    char lock[HERD_PATH + 8];
    bool fresh;
    enum ending ending = file_read(member, &fresh);
    if (ending == ENDING_HIT && fresh) {
        return ENDING_HIT;
    }
    snprintf(lock, sizeof lock, "%s.lock", member->herd->path);
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (fd < 0) {
        return ENDING_TIMEOUT;
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) { /* waits for ever; this way it can be seen to */
        member_arrive(member);
        nap(NAP_NS);
    }
    ending = fetch(member, false);
    close(fd);
    return ending;
}

/* This project's. -------------------------------------------------------------------------------
 */

static bool shipped_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    static char text[DOCUMENT_BYTES + 64];
    size_t length;
    (void)etag;
    if (!member_fetch(context, text, sizeof text, &length)) {
        return false;
    }
    *answer = (struct file_answer_of_source){.data = text, .bytes = length};
    return true;
}

static bool shipped_valid(void *context, const void *data, uint64_t bytes)
{
    uint32_t serial;
    (void)context;
    return document_check(data, bytes, &serial);
}

static bool shipped_point(void *context, enum file_point point)
{
    static const enum step steps[FILE_POINT_COUNT] = {[FILE_POINT_LOCK_TAKEN] = STEP_LOCKED,
                                                      [FILE_POINT_TEMPORARY] = STEP_OPENING,
                                                      [FILE_POINT_SYNC] = STEP_WRITTEN,
                                                      [FILE_POINT_DIRECTORY] = STEP_RENAMED,
                                                      [FILE_POINT_UNLOCKED] = STEP_UNLOCKED};
    if (point == FILE_POINT_LOCK_BUSY) {
        member_arrive(context);
        member_step(context, STEP_BUSY);
    }
    if (point == FILE_POINT_WRITE) {
        member_piece(context);
    }
    if (steps[point] != STEP_START) {
        member_step(context, steps[point]);
    }
    return true;
}

/* The clock of a member whose waits are virtual. */
static void virtual_now(void *clock, struct file_stamp *now)
{
    file_stamp_now(now);
    now->boot_ns += ((struct member *)clock)->virtual_ns;
}

static void virtual_pause(void *clock, uint64_t ns)
{
    struct member *member = clock;
    if (member->herd->impatient) {
        member->virtual_ns += ns;
    }
    nap(member->herd->real && ns < 1000000000 ? (long)ns : NAP_NS);
}

struct file_options member_options(struct member *member)
{
    static const char compiled_in[] = "compiled in";
    const struct herd *herd = member->herd;
    const char *ttl = getenv("PROVIDER_TTL");
    return (struct file_options){.path = herd->path,
                                 .ttl_ns = (ttl ? strtoull(ttl, NULL, 10) : TTL_S) * 1000000000u,
                                 .piece_bytes = PIECE_BYTES,
                                 .versions = 2,
                                 .on_timeout = herd->impatient || herd->real ? FILE_ON_TIMEOUT_STALE
                                                                             : FILE_ON_TIMEOUT_WAIT,
                                 .patience_ns = 100000000000u,
                                 .fallback = herd->fallback ? compiled_in : NULL,
                                 .fallback_bytes = herd->fallback ? sizeof compiled_in - 1 : 0,
                                 .fetch = shipped_fetch,
                                 .valid = shipped_valid,
                                 .context = member,
                                 .now = virtual_now,
                                 .pause = virtual_pause,
                                 .clock = member,
                                 .point = shipped_point,
                                 .point_context = member};
}

enum ending member_get(const struct file_options *options, struct member *member)
{
    struct file_answer answer;
    struct file_cache *cache = file_cache_new(options);
    enum ending ending = ENDING_NO_SOURCE;
    uint32_t serial = 0;
    if (!cache) {
        return ENDING_NONE;
    }
    if (file_cache_get(cache, &answer)) {
        ending = answer.outcome == FILE_FETCHED                                    ? ENDING_FETCHED
                 : answer.outcome == FILE_STALE || answer.outcome == FILE_FALLBACK ? ENDING_OLD
                                                                                   : ENDING_HIT;
        if (answer.outcome != FILE_FALLBACK &&
            !document_check(answer.snapshot->data, answer.snapshot->head.bytes, &serial)) {
            ending = ENDING_CORRUPT;
        }
        member->herd->serials[member->index] = serial;
    } else if (answer.trouble == FILE_LOCK_TIMEOUT) {
        ending = ENDING_TIMEOUT;
    }
    if (answer.trouble == FILE_LOCK_TIMEOUT) {
        member_step(member, STEP_GAVE_UP);
    }
    file_answer_release(&answer);
    file_cache_free(&cache);
    return ending;
}

static enum ending load_shipped(struct member *member)
{
    struct file_options options = member_options(member);
    return member_get(&options, member);
}

const struct variant variants[] = {
    {"as-it-was", "each start fetches and writes in place", load_as_it_was, 14, 0, 0, 14, 0, false,
     false},
    {"ttl-only", "TTL by mtime, no lock, one temporary name", load_ttl_only, 14, 13, 13, 14, 13,
     false, true},
    {"excl", "O_EXCL lock, no second look", load_excl, 14, 0, 13, 0, 14, true, true},
    {"excl-recheck", "O_EXCL lock and a second look", load_excl_recheck, 1, 0, 13, 0, 14, true,
     true},
    {"flock", "flock, no second look", load_flock, 14, 0, 0, 14, 0, false, true},
    {"shipped", "flock, second look, own temporary names", load_shipped, 1, 0, 0, 1, 0, true, true},
    {0}};
const struct variant *const shipped = &variants[5];

const struct variant *variant_find(const char *name)
{
    for (const struct variant *variant = variants; variant->name; variant++) {
        if (strcmp(variant->name, name) == 0) {
            return variant;
        }
    }
    return NULL;
}
