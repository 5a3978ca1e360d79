/*
 * demo.c - `tidemark demo`: an incident on one screen, as it happened, as it was mended, what was
 * still wrong, and each of its rows with the report's figure beside the one that is measured now.
 * Nothing on the screen is written down beforehand but what the report says. Supervisor only.
 */
#include "harness/cli/demo.h"
#include "harness/base/diag.h"
#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/cli/command.h"
#include "registry/strategy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct demo_incident *const incidents[] = {
    &demo_registry, &demo_stats, &demo_collector, &demo_provider, &demo_serverless};
#define INCIDENTS (sizeof incidents / sizeof incidents[0])

static const char *const incident_names[] = {"registry-60gb", "stats-ttl",  "collector-plugin",
                                             "provider-file", "serverless", NULL};

static const struct demo_incident *incident_find(const char *name)
{
    for (size_t i = 0; i < INCIDENTS; i++) {
        if (strcmp(incidents[i]->name, name) == 0) {
            return incidents[i];
        }
    }
    return NULL;
}

/* The first strategy that this build leaves out (make CACHE=none), or NULL. */
static const char *incident_lacks(const struct demo_incident *incident)
{
    for (const char *const *name = incident->needs; *name; name++) {
        if (!strategy_find(*name)) {
            return *name;
        }
    }
    return NULL;
}

static void incident_show(struct demo *demo, const struct demo_incident *incident)
{
    const char *lacks = incident_lacks(incident);
    fprintf(demo->out, "%s%s%s: %s\n", table_color_begin(TABLE_BOLD, demo->color), incident->name,
            table_color_end(TABLE_BOLD, demo->color), incident->about);
    if (lacks) {
        fprintf(demo->out, "skipped: strategy '%s' is not compiled in\n", lacks);
        demo->skipped++;
    } else {
        incident->show(demo);
    }
    fputc('\n', demo->out);
}

static int demo_main(struct command_line *line)
{
    struct demo demo = {.out = stdout,
                        .columns = table_terminal_width(stdout),
                        .color = line->color,
                        .quiet = line->quiet};
    for (size_t i = 0; i < line->operand_count; i++) {
        if (!incident_find(line->operands[i])) {
            return command_word_error(line, "incident", line->operands[i], incident_names,
                                      INCIDENTS);
        }
    }
    interrupt_begin();
    if (!interrupt_folder_new("demo", &demo.folder)) {
        perror(demo.folder);
        interrupt_end();
        free(demo.folder);
        return COMMAND_OURS;
    }
    for (size_t i = 0; i < INCIDENTS && !demo.failed; i++) {
        bool wanted = line->operand_count == 0;
        for (size_t j = 0; j < line->operand_count; j++) {
            wanted = wanted || incident_find(line->operands[j]) == incidents[i];
        }
        if (wanted) {
            incident_show(&demo, incidents[i]);
        }
    }
    interrupt_folder_remove(demo.folder);
    interrupt_end();
    interrupt_folder(NULL);
    free(demo.folder);
    free(demo.broke);
    fprintf(demo.out, "%zu passed, %zu failed, %zu skipped\n", demo.rows - demo.broken, demo.broken,
            demo.skipped);
    return demo.failed ? COMMAND_OURS : demo.broken ? COMMAND_BROKEN : COMMAND_MET;
}

static const struct option_spec options[] = {{0}};

static const char *const examples[] = {
    "tidemark demo registry-60gb\tthe 60 GB test suite, its fix, and what was really to blame",
    "tidemark demo\tall incidents, one after the other", NULL};

const struct command command_demo = {
    .name = "demo",
    .about = "the incidents: what happened, the fix, figures beside the report's",
    .operands = "[NAME...]",
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "Runs each incident's scenarios for real, with `tidemark run` in a process of its own, "
        "and sets what it sees beside what the incident's report says, row by row; where the "
        "report's arithmetic is wrong, the right figure as well. An incident whose strategies this "
        "build leaves out is skipped, and so is a row of which something could not be measured "
        "here "
        "(marked -, with the reason). Exit 0 when every row is as it should be.",
    .examples = examples,
    .words = incident_names,
    .run = demo_main,
};
