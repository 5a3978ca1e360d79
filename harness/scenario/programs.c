/* programs.c - see programs.h. Supervisor only. */
#include "harness/scenario/programs.h"

#include "harness/base/memory.h"
#include "harness/scenario/reader.h"

#include <stdlib.h>
#include <string.h>

static struct scenario_variant *variant_last(struct reader *reader)
{
    return &reader->scenario->variants[reader->scenario->variant_count - 1];
}

static struct programs_entry *entry_last(struct reader *reader)
{
    return &reader->programs->entries[reader->programs->count - 1];
}

static void text_take_into(struct reader *reader, const struct node *value, const char *what,
                           char **slot)
{
    const char *text = reader_text(reader, value, what);
    if (text != NULL) {
        free(*slot);
        *slot = memory_copy(text);
    }
}

static void path_take(struct reader *reader, const struct node *value)
{
    text_take_into(reader, value, "path", &variant_last(reader)->program);
}

static void name_take(struct reader *reader, const struct node *value)
{
    const char *name = reader_name(reader, value, "name");
    for (size_t i = 0; name != NULL && i + 1 < reader->scenario->variant_count; i++) {
        if (strcmp(reader->scenario->variants[i].name, name) == 0) {
            reader_error(reader, value, "'%s' is the name of another program, on line %u", name,
                         reader->scenario->variants[i].line);
            name = NULL;
        }
    }
    if (name != NULL) {
        free(variant_last(reader)->name);
        variant_last(reader)->name = memory_copy(name);
    }
}

static void args_take(struct reader *reader, const struct node *value)
{
    struct scenario_variant *variant = variant_last(reader);
    reader_texts(reader, value, "args", &variant->args, &variant->arg_count);
}

static void env_take(struct reader *reader, const struct node *value)
{
    struct scenario_variant *variant = variant_last(reader);
    reader_environment(reader, value, &variant->env, &variant->env_count);
}

static void folder_take(struct reader *reader, const struct node *value)
{
    text_take_into(reader, value, "folder", &entry_last(reader)->folder);
}

static void suppressions_take(struct reader *reader, const struct node *value)
{
    struct programs_entry *entry = entry_last(reader);
    if (value->kind == NODE_LIST) {
        reader_texts(reader, value, "suppressions", &entry->suppressions,
                     &entry->suppression_count);
        return;
    }
    const char *text = reader_text(reader, value, "suppressions");
    if (text != NULL) {
        entry->suppressions = memory_new(1, sizeof *entry->suppressions);
        entry->suppressions[entry->suppression_count++] = memory_copy(text);
    }
}

static void skip_take(struct reader *reader, const struct node *value)
{
    text_take_into(reader, value, "skip", &entry_last(reader)->skip);
}

static void program_expect_take(struct reader *reader, const struct node *value)
{
    expect_program_take(reader, reader->scenario->variant_count - 1, value);
}

static const struct reader_key keys[] = {
    {"path", path_take},     {"name", name_take},
    {"args", args_take},     {"env", env_take},
    {"folder", folder_take}, {"suppressions", suppressions_take},
    {"skip", skip_take},     {"expect", program_expect_take},
};

static void program_add(struct reader *reader, const struct node *item)
{
    struct scenario *scenario = reader->scenario;
    struct programs *programs = reader->programs;
    scenario->variants =
        reallocarray(scenario->variants, scenario->variant_count + 1, sizeof *scenario->variants);
    programs->entries =
        reallocarray(programs->entries, programs->count + 1, sizeof *programs->entries);
    if (scenario->variants == NULL || programs->entries == NULL) {
        memory_die();
    }
    scenario->variants[scenario->variant_count++] =
        (struct scenario_variant){.name = memory_copy(""),
                                  .strategy = memory_copy(""),
                                  .program = memory_copy(""),
                                  .line = item->line,
                                  .column = item->column};
    programs->entries[programs->count++] =
        (struct programs_entry){.folder = memory_copy(""), .skip = memory_copy("")};
}

static void program_take(struct reader *reader, const struct node *item)
{
    program_add(reader, item);
    if (item->kind == NODE_SCALAR) {
        path_take(reader, item);
        return;
    }
    size_t said = reader->diag->count;
    reader_map(reader, item, "a program", keys, sizeof keys / sizeof keys[0]);
    if (variant_last(reader)->program[0] == '\0' && reader->diag->count == said) {
        reader_error(reader, item, "a program needs 'path: PROGRAM'");
    }
}

static void programs_take(struct reader *reader, const struct node *value)
{
    if (value->kind != NODE_LIST || value->count == 0) {
        reader_error(reader, value, "programs must be a list, such as [build/tests/check_*]");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        program_take(reader, value->items[i]);
    }
}

static bool document_take(struct programs *programs, struct document *document, bool good,
                          const char *path, struct diag *diag, size_t before)
{
    static const struct reader_key top[] = {{"programs", programs_take}};
    *programs = (struct programs){.scenario = {.file = memory_copy(path),
                                               .name = memory_copy(""),
                                               .about = memory_copy(""),
                                               .program = memory_copy("")}};
    struct reader reader = {
        .path = path, .diag = diag, .scenario = &programs->scenario, .programs = programs};
    if (good) {
        reader_map(&reader, document->root, "the file", top, 1);
        if (programs->count == 0 && diag->count == before) {
            reader_error(&reader, document->root, "the file needs 'programs: [PROGRAM, ...]'");
        }
    }
    document_fini(document);
    if (diag->count != before) {
        programs_fini(programs);
        return false;
    }
    return true;
}

bool programs_read(const char *path, struct programs *programs, struct diag *diag)
{
    struct document document;
    size_t before = diag->count;
    bool good = document_read(&document, path, diag);
    return document_take(programs, &document, good, path, diag, before);
}

bool programs_parse(const char *path, const char *bytes, size_t length, struct programs *programs,
                    struct diag *diag)
{
    struct document document;
    size_t before = diag->count;
    bool good = document_parse(&document, path, bytes, length, diag);
    return document_take(programs, &document, good, path, diag, before);
}

void programs_fini(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++) {
        struct programs_entry *entry = &programs->entries[i];
        for (size_t k = 0; k < entry->suppression_count; k++) {
            free(entry->suppressions[k]);
        }
        free(entry->suppressions);
        free(entry->folder);
        free(entry->skip);
    }
    free(programs->entries);
    scenario_fini(&programs->scenario);
    *programs = (struct programs){0};
}
