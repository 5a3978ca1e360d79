/* program_name.c - see program_name.h. */
#include "harness/record/program_name.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARGUMENTS_SHOWN = 120,   /* bytes in a name; of longer ones a hash follows */
    SELECTIONS_MOST = 100000 /* bytes of one argument: the kernel takes 128 KB */
};

/* A framework whose tests are selected by an argument. */
struct selector {
    const char *framework;
    const char *prefix;  /* "" : an argument that is no option */
    const char *refused; /* a value with one of these characters cannot be joined */
    char between;
};

static const struct selector selectors[] = {
    {"GoogleTest", "--gtest_filter=", "-", ':'},
    {"doctest", "--test-case=", "", ','},
    {"doctest", "-tc=", "", ','},
    {"Catch2", "", "~[]", ','},
    {NULL, NULL, NULL, 0},
};

/* Arguments that begin so list tests and run none. */
static const struct word {
    const char *framework, *begin;
} listers[] = {
    {"GoogleTest", "--gtest_list_tests"}, {"Catch2", "--list-"},   {"doctest", "--list-"},
    {"Boost.Test", "--list_content"},     {"Criterion", "--list"}, {NULL, NULL},
};

/* Arguments that say nothing of what is tested. */
static const struct word neutrals[] = {
    {"GoogleTest", "--gtest_also_run_disabled_tests"},
    {"GoogleTest", "--gtest_output="},
    {"GoogleTest", "--gtest_color="},
    {"GoogleTest", "--gtest_brief="},
    {NULL, NULL},
};

static bool is_one_of(const struct word *words, const char *argument, const char *framework)
{
    while (words->begin != NULL && (framework == NULL || strcmp(words->framework, framework) != 0 ||
                                    strncmp(argument, words->begin, strlen(words->begin)) != 0)) {
        words++;
    }
    return words->begin != NULL;
}

bool program_argument_lists(const char *argument, const char *framework)
{
    return is_one_of(listers, argument, framework);
}

static const char *const markers[] = {"CMakeCache.txt", "meson-private", "build.ninja",
                                      "config.status"};

static bool is_build_folder(const char *folder, size_t length)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++) {
        if (length + strlen(markers[i]) + 2 <= sizeof path) {
            memcpy(path, folder, length);
            path[length] = '/';
            memcpy(path + length + 1, markers[i], strlen(markers[i]) + 1);
            if (access(path, F_OK) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Bytes of the path of the uppermost build folder above `path`; 0: none. */
static size_t build_folder(const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        if (is_build_folder(path, (size_t)(slash - path))) {
            return (size_t)(slash - path);
        }
    }
    return 0;
}

static bool is_below(const char *path, const char *folder, size_t length)
{
    return length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/';
}

char *program_name_of(const char *path, const char *here)
{
    const char *slash = strrchr(path, '/');
    const char *rest = slash == NULL ? path : slash + 1;
    size_t build = build_folder(path), length = strlen(here);
    if (build > 0) {
        rest = path + build + 1;
    } else if (is_below(path, here, length)) {
        rest = path + length + 1;
    }
    struct text name = {0};
    while (*rest != '\0') {
        size_t part = strcspn(rest, "/");
        bool last = rest[part] == '\0';
        bool libtool = part == 5 && memcmp(rest, ".libs", 5) == 0 && !last;
        const char *from = last && strncmp(rest, "lt-", 3) == 0 ? rest + 3 : rest;
        if (!libtool) {
            text_put(&name, name.length > 0 ? "/" : "");
            text_put_bytes(&name, from, part - (size_t)(from - rest));
        }
        rest += part + !last;
    }
    return text_take(&name);
}

bool program_argument_selects(const char *argument, const char *framework, const char **value)
{
    for (const struct selector *row = selectors; row->framework != NULL && framework != NULL;
         row++) {
        size_t length = strlen(row->prefix);
        bool like = length > 0 ? strncmp(argument, row->prefix, length) == 0
                               : argument[0] != '-' && argument[0] != '\0';
        if (like && strcmp(row->framework, framework) == 0) {
            *value = argument + length;
            return true;
        }
    }
    return false;
}

char *program_selections_join(const char *framework, const char *const *values, size_t count)
{
    const struct selector *row = selectors;
    while (row->framework != NULL && strcmp(row->framework, framework) != 0) {
        row++;
    }
    if (row->framework == NULL) {
        return NULL;
    }
    struct text all = {0};
    text_put(&all, row->prefix);
    for (size_t i = 0; i < count; i++) {
        bool refused = values[i][strcspn(values[i], row->refused)] != '\0';
        if (refused || all.length + strlen(values[i]) > SELECTIONS_MOST) {
            text_fini(&all);
            return NULL;
        }
        if (i > 0) {
            text_put_char(&all, row->between);
        }
        text_put(&all, values[i]);
    }
    return text_take(&all);
}

/* The folder of the sources of a build by CMake; "" where there is none. */
static void source_folder(const char *path, size_t build, char source[PATH_MAX])
{
    static const char key[] = "CMAKE_HOME_DIRECTORY:INTERNAL=";
    char line[PATH_MAX + sizeof key];
    char *cache = memory_format("%.*s/CMakeCache.txt", (int)build, path);
    FILE *file = build > 0 ? fopen(cache, "re") : NULL;
    source[0] = '\0';
    while (file != NULL && source[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, sizeof key - 1) == 0) {
            size_t length = strcspn(line + sizeof key - 1, "\n");
            if (length < PATH_MAX) {
                memcpy(source, line + sizeof key - 1, length);
                source[length] = '\0';
            }
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    free(cache);
}

/* A path in an argument without the folders that may be called otherwise tomorrow. */
static void argument_put(struct text *text, const char *argument, const char *path,
                         const char *here)
{
    size_t build = build_folder(path), length = strlen(here), sources;
    char source[PATH_MAX];
    const char *slash = strchr(argument, '/');
    source_folder(path, build, source);
    sources = strlen(source);
    while (slash != NULL) {
        size_t cut = build > 0 && is_below(slash, path, build) ? build
                     : is_below(slash, here, length)           ? length
                     : is_below(slash, source, sources)        ? sources
                                                               : 0;
        if (cut > 0) {
            text_put_bytes(text, argument, (size_t)(slash - argument));
            argument = slash + cut + 1;
            slash = strchr(argument, '/');
        } else {
            slash = strchr(slash + 1, '/');
        }
    }
    text_put(text, argument);
}

char *program_name_with(char *name, char *const *argv, const char *framework, const char *path,
                        const char *here)
{
    struct text words = {0};
    const char *value;
    for (char *const *word = argv[0] == NULL ? argv : argv + 1; *word != NULL; word++) {
        if (!program_argument_selects(*word, framework, &value) &&
            !is_one_of(neutrals, *word, framework)) {
            text_put(&words, words.length > 0 ? " " : "");
            argument_put(&words, *word, path, here);
        }
    }
    if (words.length > ARGUMENTS_SHOWN) {
        uint32_t hash = 2166136261u; /* FNV-1a */
        for (size_t i = 0; i < words.length; i++) {
            hash = (hash ^ (unsigned char)words.data[i]) * 16777619u;
        }
        size_t cut = text_fit(words.data, ARGUMENTS_SHOWN);
        char *head = memory_format("%.*s... %08x", (int)cut, words.data, hash);
        text_reset(&words);
        text_put(&words, head);
        free(head);
    }
    char *whole = words.length > 0 ? memory_format("%s[%s]", name, words.data) : memory_copy(name);
    text_fini(&words);
    free(name);
    return whole;
}
