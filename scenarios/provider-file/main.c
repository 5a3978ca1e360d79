/*
 * main.c - the provider file (incident provider-file) as a libcheck program: rows 1.1 to 1.12.
 * PROVIDER_FILE=NAME is the way under test in the case "herd" (variant.h); the other cases show
 * this project's file cache, and what the ways of the incident do where they fail. With --upstream
 * it is its own HTTP upstream.
 */
#include "rows.h"

#include "scenarios/upstream/upstream.h"
#include "torture.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct variant *under_test;
char folder[FOLDER_BYTES], path[HERD_PATH];

void folder_make(void)
{
    /* Hundreds of files that are synced: in memory where that can be, and nothing else is wanted.
     */
    const char *place = getenv("TMPDIR");
    place = place ? place : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/tidemark-provider-XXXXXX", place);
    if (!mkdtemp(folder)) { /* outside of a test as well, where check can assert nothing */
        perror(folder);
        abort();
    }
    snprintf(path, sizeof path, "%s/providers.json", folder);
}

void folder_remove(void)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(folder);
}

unsigned folder_count(const char *part)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    }
    if (directory) {
        closedir(directory);
    }
    return count;
}

/* The upstream's list: its serial is the request's number; of "/fixed" always the same. */
static size_t answer(const char *wanted, uint64_t number, char *text, size_t room)
{
    if (strcmp(wanted, "/fixed") == 0) {
        return document_write(text, room, 7);
    }
    return strcmp(wanted, "/providers") == 0 ? document_write(text, room, (uint32_t)number) : 0;
}

static unsigned number_of(const char *text, unsigned most)
{
    unsigned long number = strtoul(text, NULL, 10);
    return number < 1 ? 1 : number > most ? most : (unsigned)number;
}

/* --herd, or --torture [PROCESSES [SECONDS]]: what takes too long for a test. */
static int long_run(int argc, char **argv)
{
    bool ok = true;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (strcmp(argv[1], "--herd") == 0) {
        ok = herd_table_main();
    } else {
        ok = torture_main(argc > 2 ? number_of(argv[2], HERD_MOST) : HERD_MOST,
                          argc > 3 ? number_of(argv[3], 3600) : 60);
    }
    curl_global_cleanup();
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--upstream") == 0) {
        upstream_main((int)strtol(argv[2], NULL, 10), answer);
    }
    if (argc > 1 && (strcmp(argv[1], "--torture") == 0 || strcmp(argv[1], "--herd") == 0)) {
        return long_run(argc, argv);
    }
    const char *name = getenv("PROVIDER_FILE");
    under_test = name && *name ? variant_find(name) : shipped;
    if (!under_test) {
        fprintf(stderr, "provider-file suite: PROVIDER_FILE=%s: expected one of", name);
        for (const struct variant *variant = variants; variant->name; variant++) {
            fprintf(stderr, " %s", variant->name);
        }
        fputc('\n', stderr);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before any test: what it keeps is no test's */
    TCase *cases[] = {rows_herd(), rows_many(),   rows_kill(),
                      rows_file(), rows_future(), rows_safety()};
    Suite *suite = suite_create("provider-file");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tcase_set_timeout(cases[i], 120);
        tcase_add_checked_fixture(cases[i], folder_make, folder_remove);
        suite_add_tcase(suite, cases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
