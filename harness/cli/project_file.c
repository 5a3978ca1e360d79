/* project_file.c - see project_file.h. Supervisor only. */
#include "harness/cli/project_file.h"

#include "harness/base/memory.h"
#include "harness/record/framework.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static bool is_glob(const char *path)
{
    return path[strcspn(path, "*?[")] != '\0';
}

static char *path_below(const struct project_file *file, const char *path)
{
    return path[0] == '/' ? memory_copy(path) : memory_format("%s/%s", file->folder, path);
}

static bool is_executable(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static char **argv_make(const char *path, const struct scenario_variant *variant)
{
    char **argv = memory_new(variant->arg_count + 2, sizeof *argv);
    argv[0] = memory_copy(path);
    for (size_t i = 0; i < variant->arg_count; i++) {
        argv[i + 1] = memory_copy(variant->args[i]);
    }
    return argv;
}

static bool is_replaced(const struct scenario_variant *variant, const char *entry)
{
    for (size_t i = 0; i < variant->env_count; i++) {
        size_t length = strlen(variant->env[i].key);
        if (strncmp(entry, variant->env[i].key, length) == 0 && entry[length] == '=') {
            return true;
        }
    }
    return false;
}

static char **environment_make(const struct scenario_variant *variant)
{
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **env = memory_new(count + variant->env_count + 1, sizeof *env);
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(variant, environ[i])) {
            env[kept++] = memory_copy(environ[i]);
        }
    }
    for (size_t i = 0; i < variant->env_count; i++) {
        env[kept++] = memory_format("%s=%s", variant->env[i].key, variant->env[i].value);
    }
    return env;
}

static void program_add(struct project_file *file, size_t entry, const char *found)
{
    const struct scenario_variant *variant = &file->programs.scenario.variants[entry];
    struct record *record = &file->record;
    char resolved[PATH_MAX];
    const char *path = realpath(found, resolved) != NULL ? resolved : found;
    for (size_t i = 0; i < record->count && is_glob(variant->program); i++) {
        if (strcmp(record->programs[i].path, path) == 0) {
            return; /* of an earlier entry */
        }
    }
    memory_grow(&record->programs, &record->room, record->count + 1, sizeof *record->programs);
    file->entries = reallocarray(file->entries, record->count + 1, sizeof *file->entries);
    if (file->entries == NULL) {
        memory_die();
    }
    file->entries[record->count] = entry;
    const char *folder = file->programs.entries[entry].folder;
    record->programs[record->count++] =
        (struct record_program){.path = memory_copy(path),
                                .argv = argv_make(path, variant),
                                .env = environment_make(variant),
                                .folder = path_below(file, folder),
                                .framework = framework_of(path, NULL),
                                .status = -1,
                                .times = 1};
}

static void nothing_say(const struct project_file *file, size_t entry, const char *why,
                        struct diag *diag)
{
    const struct scenario_variant *variant = &file->programs.scenario.variants[entry];
    diag_add(diag, file->programs.scenario.file, variant->line, variant->column, "'%s': %s",
             variant->program, why);
}

static void entry_find(struct project_file *file, size_t entry, struct diag *diag)
{
    const struct scenario_variant *variant = &file->programs.scenario.variants[entry];
    char *path = path_below(file, variant->program);
    bool is_skipped = file->programs.entries[entry].skip[0] != '\0';
    glob_t found = {0};
    if (!is_glob(variant->program)) {
        if (is_executable(path) || is_skipped) {
            program_add(file, entry, path);
        } else {
            nothing_say(file, entry, access(path, F_OK) != 0 ? strerror(errno) : "it is no program",
                        diag);
        }
    } else {
        size_t before = file->record.count, programs = 0;
        if (glob(path, 0, NULL, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; i++) {
                if (is_executable(found.gl_pathv[i])) {
                    program_add(file, entry, found.gl_pathv[i]);
                    programs++;
                }
            }
        }
        if (file->record.count == before && programs == 0) {
            nothing_say(file, entry, "no program is like that", diag);
        }
    }
    globfree(&found);
    free(path);
}

bool project_file_read(const char *path, struct project_file *file, struct diag *diag)
{
    size_t before = diag->count;
    *file = (struct project_file){0};
    if (!programs_read(path, &file->programs, diag)) {
        return false;
    }
    char *slash, *copy = memory_copy(path);
    slash = strrchr(copy, '/');
    if (slash != NULL) {
        slash[slash == copy] = '\0';
    }
    char *folder = realpath(slash != NULL ? copy : ".", NULL);
    file->folder = folder != NULL ? folder : memory_copy(".");
    free(copy);
    for (unsigned globs = 0; globs < 2; globs++) { /* what is named by its path goes before */
        for (size_t i = 0; i < file->programs.count; i++) {
            if (is_glob(file->programs.scenario.variants[i].program) == (globs == 1)) {
                entry_find(file, i, diag);
            }
        }
    }
    return diag->count == before;
}

void project_file_fini(struct project_file *file)
{
    programs_fini(&file->programs);
    record_fini(&file->record);
    free(file->entries);
    free(file->folder);
    *file = (struct project_file){0};
}
