/* shard.c - see shard.h. Supervisor only. */
#include "harness/cli/shard.h"

#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/plan/shard.h"
#include "harness/plan/shard_protocol.h"
#include "harness/result/result_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *environment_get(const char *name)
{
    return getenv(name);
}

/* Says to the scheduler that shards are understood here. */
static void status_touch(const struct shard_protocol *protocol)
{
    const char *path = protocol->status ? getenv(protocol->status) : NULL;
    int file = path && path[0] ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (file >= 0) {
        close(file);
    } else if (path && path[0]) {
        fprintf(stderr, "tidemark: %s: the scheduler's file cannot be made\n", path);
    }
}

/* A test program that reads them too would part the parts again. */
static void environment_clear(void)
{
    for (const struct shard_protocol *row = shard_protocols; row->name; row++) {
        if (row->programs) {
            unsetenv(row->index);
            unsetenv(row->total);
            unsetenv(row->status);
        }
    }
}

static bool balance_read(const struct command_line *line, struct shard_choice *choice)
{
    struct diag diag;
    const char *path;
    bool ok = true;
    diag_init(&diag);
    choice->balance.births_unwanted = true;
    struct result_reader *reader = result_reader_new(&choice->balance, 1);
    for (size_t i = 0; (path = command_text_at(line, "balance", i)); i++) {
        ok = result_reader_add(reader, path, &diag) && ok;
        choice->balanced = true;
    }
    result_reader_free(&reader);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    return ok;
}

bool shard_choose(const struct command_line *line, struct shard_choice *choice)
{
    const struct shard_protocol *protocol = NULL;
    const char *text = command_text(line, "shard"), *why;
    char error[256] = "";
    *choice = (struct shard_choice){0};
    result_init(&choice->balance);
    if (text && !shard_parse(text, &choice->shard, &choice->shards, &why)) {
        command_usage_error(line, "--shard '%s': %s", text, why);
        return false;
    }
    enum shard_found found = text ? SHARD_NONE
                                  : shard_protocol_find(environment_get, &protocol, &choice->shard,
                                                        &choice->shards, error, sizeof error);
    if (found == SHARD_BAD) {
        command_usage_error(line, "%s", error);
        return false;
    }
    if (error[0]) {
        fprintf(stderr, "tidemark %s: %s\n", line->command->name, error);
    }
    if (found == SHARD_FOUND) {
        choice->from = protocol->name;
        status_touch(protocol);
    }
    if (text || found == SHARD_FOUND) {
        environment_clear();
    }
    if (choice->shards <= 1 || (!text && found == SHARD_NONE)) {
        choice->shard = choice->shards = 0;
    }
    return balance_read(line, choice);
}

void shard_choice_fini(struct shard_choice *choice)
{
    result_fini(&choice->balance);
}

char *shard_argv(const struct command_line *line, const struct shard_choice *choice)
{
    struct text text = {0};
    text_put(&text, "tidemark");
    for (int i = 1; i < line->argc; i++) {
        text_put_char(&text, ' ');
        text_put_shell(&text, line->argv[i]);
        if (i == 1 && choice->from) {
            text_format(&text, " --shard %u/%u", choice->shard, choice->shards);
        }
    }
    return text_take(&text);
}
