/* valgrind.c - see valgrind.h. Supervisor only. */
#include "harness/worker/valgrind.h"

#include "harness/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS 16

#if defined(__has_include)
#if __has_include("valgrind/memcheck.h")
#define BUILT_FOR_IT true
#endif
#endif
#ifndef BUILT_FOR_IT
#define BUILT_FOR_IT false
#endif

/* "" when there is none in the PATH. */
static char *valgrind_find(void)
{
    const char *path = getenv("PATH");
    char *found = memory_copy("");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at && !found[0];) {
        size_t length = strcspn(at, ":");
        char *file = memory_format("%.*s/valgrind", (int)length, at);
        if (length > 0 && access(file, X_OK) == 0) {
            free(found);
            found = memory_copy(file);
        }
        free(file);
        at += length + (at[length] == ':');
    }
    return found;
}

bool valgrind_possible(char *reason, size_t room)
{
    char *valgrind = valgrind_find();
    bool there = valgrind[0] != '\0';
    free(valgrind);
    if (!there) {
        snprintf(reason, room,
                 "valgrind is not installed; on Debian and Ubuntu: sudo apt install "
                 "valgrind");
    } else if (!BUILT_FOR_IT) {
        snprintf(reason, room,
                 "this tidemark was built without valgrind's header; install "
                 "valgrind, and build it again");
    }
    return there && BUILT_FOR_IT;
}

/* A script (libtool's) is followed to the program that it runs. */
static bool is_script(const char *program)
{
    char mark[2] = "";
    FILE *file = fopen(program, "re");
    bool script = file && fread(mark, 1, 2, file) == 2 && memcmp(mark, "#!", 2) == 0;
    if (file) {
        fclose(file);
    }
    return script;
}

void valgrind_become(const char *program, char *const *argv, const char *folder)
{
    size_t count = 0;
    while (argv[count]) {
        count++;
    }
    char *valgrind = valgrind_find();
    char *file = memory_format("--xml-file=%s/%%p.xml", folder);
    const char **line = memory_new(count + ARGUMENTS, sizeof *line);
    size_t at = 0;
    line[at++] = valgrind;
    line[at++] = "--tool=memcheck";
    line[at++] = "--xml=yes";
    line[at++] = "--vgdb=no"; /* or its pipes stay in /tmp when it is killed */
    line[at++] = file;
    line[at++] = "--child-silent-after-fork=no";
    line[at++] = "--leak-check=full";
    line[at++] = "--show-leak-kinds=definite,indirect,possible";
    line[at++] = "--num-callers=40"; /* some are ours */
    line[at++] = "--error-limit=no";
    line[at++] = "--gen-suppressions=no";
    line[at++] = "--error-exitcode=0";
    line[at++] = is_script(program) ? "--trace-children=yes" : "--trace-children=no";
    line[at++] = program;
    for (size_t i = 1; i < count; i++) {
        line[at++] = argv[i];
    }
    execv(valgrind, (char *const *)line);
}
