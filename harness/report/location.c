/* location.c - see location.h. Answers are kept: reports of thousands of findings ask for the same
 * few files. Supervisor only. */
#include "harness/report/location.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/report/describe.h"

#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct known { /* a path, and what was found of it */
    char *path, *relative;
    bool inside;
};

static struct {
    char *root, *folder; /* the repository's and the working folder, both real */
    bool chosen;         /* by location_root_set */
    struct known *known;
    size_t count, room;
    char *url;      /* of the repository in a browser; NULL: none is known */
    char **sources; /* of the repository, relative; looked for when a name alone is known */
    size_t source_count, source_room, walked;
} cache;

static char *real_folder(const char *path)
{
    char *folder = realpath(path, NULL);
    return folder ? folder : memory_copy(path);
}

static void cache_reset(void)
{
    for (size_t i = 0; i < cache.count; i++) {
        free(cache.known[i].path);
        free(cache.known[i].relative);
    }
    for (size_t i = 0; i < cache.source_count; i++) {
        free(cache.sources[i]);
    }
    cache.count = cache.source_count = cache.walked = 0;
}

void location_root_set(const char *root)
{
    cache_reset();
    free(cache.root);
    cache.root = root ? real_folder(root) : NULL;
    cache.chosen = root != NULL;
}

/* The folder with a .git above the working one, else the working folder. */
static char *root_find(const char *folder)
{
    static const char *const variables[] = {"GITHUB_WORKSPACE", "CI_PROJECT_DIR"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value && value[0] && access(value, F_OK) == 0) {
            return real_folder(value);
        }
    }
    char *root = memory_copy(folder);
    for (size_t length = strlen(root); length > 0;) {
        char *git = memory_format("%.*s/.git", (int)length, root);
        bool there = access(git, F_OK) == 0;
        free(git);
        if (there) {
            root[length] = '\0';
            return root;
        }
        while (length > 0 && root[--length] != '/') {
        }
    }
    return root;
}

static void cache_begin(void)
{
    char folder[PATH_MAX];
    const char *here = getcwd(folder, sizeof folder) ? folder : "/";
    if (cache.folder && strcmp(cache.folder, here) == 0 && cache.root) {
        return;
    }
    free(cache.folder);
    cache.folder = memory_copy(here);
    if (!cache.chosen || !cache.root) {
        cache_reset();
        free(cache.root);
        cache.root = root_find(here);
    }
}

static const char *below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* The real path of an existing file in the repository, relative to it; NULL if it is none. */
static char *inside_real(const char *path)
{
    char *real = realpath(path, NULL);
    const char *relative = real ? below(real, cache.root) : NULL;
    char *found = relative && access(real, R_OK) == 0 ? memory_copy(relative) : NULL;
    free(real);
    return found;
}

static const char *without_dots(const char *path)
{
    for (;;) {
        if (strncmp(path, "./", 2) == 0) {
            path += 2;
        } else if (strncmp(path, "../", 3) == 0) {
            path += 3;
        } else {
            return path;
        }
    }
}

#define WALK_MOST 100000 /* files that are looked at, once */

/* A source of the repository, kept for its name. Returns what nftw wants. */
static int source_take(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    const char *name = path + where->base, *end = strrchr(name, '.');
    (void)status;
    if (where->level > 0 && name[0] == '.') {
        return kind == FTW_D ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
    }
    const char *relative = below(path, cache.root);
    if (kind == FTW_F && relative && end && strpbrk(end, "cChHyYlLsS") == end + 1) {
        memory_grow(&cache.sources, &cache.source_room, cache.source_count + 1,
                    sizeof cache.sources[0]);
        cache.sources[cache.source_count++] = memory_copy(relative);
    }
    return ++cache.walked > WALK_MOST ? FTW_STOP : FTW_CONTINUE;
}

/* What __FILE__ says of a file that was compiled in its own folder is its name. Where the
 * repository has one such source, it is that one. */
static char *inside_named(const char *path)
{
    const char *only = NULL;
    size_t length = strlen(path);
    if (cache.walked == 0) {
        nftw(cache.root, source_take, 16, FTW_PHYS | FTW_ACTIONRETVAL);
    }
    for (size_t i = 0; i < cache.source_count; i++) {
        size_t whole = strlen(cache.sources[i]);
        if (whole > length && cache.sources[i][whole - length - 1] == '/' &&
            strcmp(cache.sources[i] + whole - length, path) == 0) {
            if (only) {
                return NULL;
            }
            only = cache.sources[i];
        }
    }
    return only ? memory_copy(only) : NULL;
}

/* A result's path may be relative to a folder further out: of sub/project/src/a.c, src/a.c is below
 * a root that ends in sub/project. */
static char *inside_further(const char *path)
{
    size_t root = strlen(cache.root);
    char *found = NULL;
    for (const char *slash = strchr(path, '/'); slash && !found; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        if (length < root && cache.root[root - length - 1] == '/' &&
            strncmp(cache.root + root - length, path, length) == 0) {
            char *whole = memory_format("%s%s", cache.root, slash);
            found = inside_real(whole);
            free(whole);
        }
    }
    return found;
}

/* As it is, else the longest of its ends that the repository has. A name alone of a path with
 * folders is not enough: many folders have a main.c. */
static char *inside_find(const char *path)
{
    char *found = inside_real(path);
    const char *end = without_dots(path[0] == '/' ? path + 1 : path);
    bool plain = !strchr(end, '/');
    for (; !found && end && (plain || strchr(end, '/')); plain = false) {
        char *whole = memory_format("%s/%s", cache.root, end);
        found = inside_real(whole);
        free(whole);
        const char *slash = strchr(end, '/');
        end = slash ? slash + 1 : NULL;
        if (end && path[0] != '/') {
            end = NULL; /* of a relative path only the dots are another folder's */
        }
    }
    if (!found && path[0] != '/') {
        found = inside_further(without_dots(path));
    }
    if (!found && path[0] != '/') {
        found = inside_named(without_dots(path));
    }
    return found;
}

/* For a path that is no file here. */
static const char *outside_short(const char *path)
{
    const char *relative = below(path, cache.root);
    relative = relative ? relative : below(path, cache.folder);
    return relative ? relative : path[0] == '/' ? path : without_dots(path);
}

static const struct known *known_get(const char *path)
{
    cache_begin();
    for (size_t i = cache.count; i-- > 0;) {
        if (strcmp(cache.known[i].path, path) == 0) {
            return &cache.known[i];
        }
    }
    char *inside = path[0] ? inside_find(path) : NULL;
    memory_grow(&cache.known, &cache.room, cache.count + 1, sizeof cache.known[0]);
    struct known *known = &cache.known[cache.count++];
    known->path = memory_copy(path);
    known->inside = inside != NULL;
    known->relative = inside ? inside : memory_copy(outside_short(path));
    return known;
}

const char *location_relative(const char *path)
{
    return known_get(path)->relative;
}

bool location_inside(const char *path)
{
    return known_get(path)->inside;
}

static bool is_web(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

/* A page that is made in CI is read beside the repository. */
static char *url_of_environment(void)
{
    const char *server = getenv("GITHUB_SERVER_URL"), *name = getenv("GITHUB_REPOSITORY");
    const char *commit = getenv("GITHUB_SHA"), *project = getenv("CI_PROJECT_URL");
    if (server && name && commit) {
        return memory_format("%s/%s/blob/%s", server, name, commit);
    }
    commit = getenv("CI_COMMIT_SHA");
    return project && commit ? memory_format("%s/-/blob/%s", project, commit) : memory_copy("");
}

bool location_url_set(const char *url)
{
    free(cache.url);
    cache.url = url ? memory_copy(url) : url_of_environment();
    if (is_web(cache.url)) {
        return true;
    }
    free(cache.url);
    cache.url = NULL;
    return url == NULL;
}

bool location_url(struct text *text, struct location location)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    if (!cache.url || !location.file[0] || !location_inside(location.file)) {
        return false;
    }
    size_t length = strlen(cache.url);
    text_put_bytes(text, cache.url, length - (cache.url[length - 1] == '/'));
    text_put_char(text, '/');
    for (const char *at = location.file; *at; at++) {
        if (strchr(plain, *at)) {
            text_put_char(text, *at);
        } else {
            text_format(text, "%%%02X", (unsigned)(unsigned char)*at);
        }
    }
    text_format(text, "#L%u", location.line);
    return true;
}

FILE *location_open(const char *path)
{
    const struct known *known = known_get(path);
    char *whole =
        known->inside ? memory_format("%s/%s", cache.root, known->relative) : memory_copy(path);
    struct stat status;
    bool file = stat(whole, &status) == 0 && S_ISREG(status.st_mode);
    FILE *source = file ? fopen(whole, "re") : NULL;
    free(whole);
    return source;
}

const struct result_frame *location_frame(const struct result_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (frames[i].file[0] && frames[i].line && location_inside(frames[i].file)) {
            return &frames[i];
        }
    }
    return describe_place(frames, count);
}

struct location location_of_frame(const struct result_frame *frame)
{
    return (struct location){location_relative(frame->file), frame->line ? frame->line : 1};
}

struct location location_of_test(const struct result *result, const struct result_test *test)
{
    size_t next = 0;
    const struct result_frame *place = location_frame(test->frames, test->frame_count);
    const struct result_site *site;
    if (test->status == RESULT_PASS &&
        (site = describe_site_next(result, test->id, test->variant, &next))) {
        place = location_frame(site->frames, site->frame_count);
    }
    place = place ? place : describe_error_place(test);
    if (place && place->file[0]) {
        return location_of_frame(place);
    }
    return (struct location){location_relative(test->file), test->line ? test->line : 1};
}

const char *location_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
