/*
 * module.h - a module of the suite: tests of one kind in one libcheck test case (TCase).
 *
 * A module lists families. A family is one function for many subjects ("finds every model of
 * PROVIDER", for each provider of the compiled catalogue), or a plain list of single tests. Each
 * subject of each family is a test of its own with a name of its own. TIDEMARK_SUITE_TESTS caps how
 * many there are: the families share what is left evenly, and each takes its subjects from all over
 * its range.
 */
#ifndef SUITE_MODULE_H
#define SUITE_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#define SUITE_CASES_MAX 1024
#define SUITE_NAME_MAX  96

struct suite_single {
    const char *name;
    void (*run)(void);
    int line;
};

struct suite_family {
    const char *name; /* begins the test's name; the subject's label follows */
    void (*run)(unsigned subject);
    unsigned (*count)(void);
    void (*label)(unsigned subject, char *text, size_t room);
    const struct suite_single *singles; /* instead of run, count, label */
    size_t single_count;
    int line;
};

struct suite_module {
    const char *name, *file;
    const struct suite_family *families;
    size_t family_count;
};

#define SINGLE(function)                                                                           \
    {                                                                                              \
#function, function, __LINE__                                                              \
    }
#define SINGLES(list)                                                                              \
    {                                                                                              \
        .singles = (list), .single_count = sizeof(list) / sizeof((list)[0])                        \
    }
#define FAMILY(function, counter, labeller)                                                        \
    {                                                                                              \
        .name = #function, .run = function, .count = counter, .label = labeller, .line = __LINE__  \
    }
#define MODULE(symbol, title, list)                                                                \
    const struct suite_module symbol = {.name = (title),                                           \
                                        .file = __FILE__,                                          \
                                        .families = (list),                                        \
                                        .family_count = sizeof(list) / sizeof((list)[0])}

/* Labels made from data: anything but letters, digits, '-' and '.' becomes '_'. */
void label_text(const char *data, size_t length, char *text, size_t room);

/* Subjects that several modules share. */
/* False: the catalogue that is compiled in is about other things (docs/catalogue.md), of which
 * only keys and providers are asked. */
bool subject_models(void);
/* Keys of one part have no provider but "". */
bool subject_keys_have_one_part(void);
unsigned subject_providers(void);
void label_provider(unsigned provider, char *text, size_t room);
unsigned subject_capabilities(void);
void label_capability(unsigned capability, char *text, size_t room);

#endif
