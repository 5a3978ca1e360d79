/* suppressions.c - see suppressions.h. Supervisor only. */
#include "harness/cli/suppressions.h"

#include "harness/base/memory.h"
#include "harness/base/whole_file.h"
#include "harness/report/location.h"
#include "harness/result/result_printable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned today(void)
{
    struct tm utc;
    time_t now = time(NULL);
    gmtime_r(&now, &utc);
    return (unsigned)((utc.tm_year + 1900) * 10000 + (utc.tm_mon + 1) * 100 + utc.tm_mday);
}

bool command_suppressions_read(const struct command_line *line, struct suppress *suppress)
{
    struct diag diag;
    bool read = true;
    const char *path;
    diag_init(&diag);
    for (size_t i = 0; (path = command_text_at(line, "suppressions", i)); i++) {
        read = suppress_read(suppress, path, today(), &diag) && read;
    }
    diag_print(&diag, stderr);
    diag_fini(&diag);
    return read;
}

struct rule {
    const struct result_frame *place;
    const struct result_site *first;
    size_t tests;
};

/* Is the site one that a verdict rests on? */
static bool site_accused(const struct result_site *site)
{
    return !site->suppressed && site->frame_count > 0 &&
           (site->verdict == VERDICT_LEAK || site->verdict == VERDICT_GROWTH ||
            site->verdict == VERDICT_ACCUMULATES || !site->test[0]);
}

static void rule_add(struct rule **rules, size_t *count, size_t *room,
                     const struct result_site *site)
{
    const struct result_frame *place = location_frame(site->frames, site->frame_count);
    if (!place->function[0] && !place->file[0] && !place->module[0]) {
        return;
    }
    for (size_t i = 0; i < *count; i++) {
        const struct result_frame *other = (*rules)[i].place;
        if (strcmp(other->function, place->function) == 0 &&
            strcmp(other->file, place->file) == 0) {
            (*rules)[i].tests++;
            return;
        }
    }
    memory_grow(rules, room, *count + 1, sizeof **rules);
    (*rules)[(*count)++] = (struct rule){.place = place, .first = site, .tests = 1};
}

/* The pattern is the function to the letter; without one its file, else its module. */
static void rule_print(const struct rule *rule, FILE *out)
{
    struct text test = {0}, pattern = {0};
    const struct result_frame *place = rule->place;
    printable_put(&test, rule->first->test[0] ? rule->first->test : "the whole suite");
    printable_put(&pattern, place->function[0] ? place->function
                            : place->file[0]   ? location_name(place->file)
                                               : location_name(place->module));
    fprintf(out, "# REASON: why may this stay?\n# %s:%u, %s in %s", location_relative(place->file),
            place->line,
            rule->first->verdict == VERDICT_NONE ? "kept"
                                                 : result_verdict_name(rule->first->verdict),
            test.data);
    if (rule->tests > 1) {
        fprintf(out, " and %zu more", rule->tests - 1);
    }
    fprintf(out, place->function[0] ? "\nleak:^%s$\n\n" : "\nleak:%s$\n\n", pattern.data);
    text_fini(&test);
    text_fini(&pattern);
}

bool suppress_out(const struct command_line *line, const char *path, const struct result *result)
{
    struct whole_file file;
    struct rule *rules = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < result->site_count; i++) {
        if (site_accused(&result->sites[i])) {
            rule_add(&rules, &count, &room, &result->sites[i]);
        }
    }
    bool ok = whole_file_open(&file, path);
    if (ok) {
        fprintf(file.out,
                "# Places that tidemark accuses, for --suppressions. Give each its reason, "
                "or delete it;\n# a line \"# expires: 2027-06-30\" ends it on that "
                "day.\n\n");
        for (size_t i = 0; i < count; i++) {
            rule_print(&rules[i], file.out);
        }
        ok = whole_file_close(&file, true);
    }
    if (!ok) {
        fprintf(stderr, "tidemark %s: %s: cannot be written: %s\n", line->command->name, path,
                strerror(errno));
    } else if (!line->quiet) {
        fprintf(stderr, "wrote %s: %zu rule%s\n", path, count, count == 1 ? "" : "s");
    }
    free(rules);
    return ok;
}
