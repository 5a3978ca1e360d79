/*
 * main.c - registry-generate: a catalogue in, the registry's tables out. Runs in the build.
 *
 *   registry-generate [--schema FILE] [--fill N] [--seed N] [--no-aliases] [--symbol NAME]
 *                     CATALOGUE OUT.c
 *
 * CATALOGUE is YAML as in docs/catalogue.md, plain or xz, or "-" for none. --fill brings it to N
 * models with made-up ones. --schema says what its records are, if they are no models. Exit 0; 2
 * bad usage or bad catalogue (file:line:column on stderr); 99 the output cannot be written.
 */
#include "registry/catalogue/generate/emit.h"
#include "registry/catalogue/generate/synthetic.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *catalogue, *out, *symbol, *schema;
    size_t fill;
    uint64_t seed;
    bool aliases;
};

static bool parse_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool options_parse(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
        {"fill", required_argument, NULL, 'f'},   {"seed", required_argument, NULL, 's'},
        {"schema", required_argument, NULL, 'c'}, {"symbol", required_argument, NULL, 'n'},
        {"no-aliases", no_argument, NULL, 'a'},   {NULL, 0, NULL, 0},
    };
    *options =
        (struct options){.symbol = "registry_tables", .seed = SYNTHETIC_SEED, .aliases = true};
    for (int letter; (letter = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        uint64_t number = 0;
        bool counted = letter == 'f' || letter == 's';
        if (letter == '?' || (counted && !parse_number(optarg, &number))) {
            if (letter != '?') {
                (void)fprintf(stderr, "registry-generate: '%s' is no whole number\n", optarg);
            }
            return false;
        }
        if (letter == 'f') {
            options->fill = number;
        } else if (letter == 's') {
            options->seed = number;
        } else if (letter == 'c') {
            options->schema = optarg;
        } else if (letter == 'n') {
            options->symbol = optarg;
        } else {
            options->aliases = false;
        }
    }
    if (argc - optind != 2) {
        (void)fputs("usage: registry-generate [--schema FILE] [--fill N] [--seed N] [--no-aliases] "
                    "[--symbol NAME] CATALOGUE OUT.c\n",
                    stderr);
        return false;
    }
    options->catalogue = argv[optind];
    options->out = argv[optind + 1];
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv)) {
        return 2;
    }
    int status = 2;
    struct diag diag;
    struct catalogue catalogue;
    struct schema schema = {.count = 0};
    struct build build = {.bytes = 0};
    diag_init(&diag);
    catalogue_init(&catalogue);
    if (options.schema) {
        if (!schema_read(&schema, options.schema, &diag)) {
            goto out;
        }
        catalogue.schema = &schema;
        if (options.fill > 0 && strcmp(schema.record, "model") != 0) {
            diag_add(&diag, options.schema, 0, 0, "--fill makes up models, and no %s",
                     schema.records);
            goto out;
        }
    }
    bool made_up = strcmp(options.catalogue, "-") == 0;
    if (!made_up && !catalogue_read(&catalogue, options.catalogue, &diag)) {
        goto out;
    }
    if (!made_up && catalogue.count == 0) { /* --fill must not hide an empty file */
        diag_add(&diag, options.catalogue, 0, 0, "no %s; a catalogue needs at least one",
                 catalogue.schema->records);
        goto out;
    }
    synthetic_fill(&catalogue, options.fill, options.seed);
    if (!catalogue_sort(&catalogue, options.catalogue, &diag) ||
        !build_init(&build, &catalogue, options.aliases, options.catalogue, &diag)) {
        goto out;
    }
    if (!emit_write(&build, catalogue.schema, options.out, options.symbol, options.catalogue)) {
        (void)fprintf(stderr, "registry-generate: %s: %s\n", options.out, strerror(errno));
        status = 99;
        goto out;
    }
    status = 0;
out:
    diag_print(&diag, stderr);
    if (catalogue.mistakes > diag.count) {
        (void)fprintf(stderr, "%s: and %zu more\n", options.catalogue,
                      catalogue.mistakes - diag.count);
    }
    build_fini(&build);
    catalogue_fini(&catalogue);
    schema_fini(&schema);
    diag_fini(&diag);
    return status;
}
