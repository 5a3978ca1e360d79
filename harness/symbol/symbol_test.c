/*
 * symbol_test.c - the frames of every instruction of real code, inlined ones too, are those of
 * binutils' addr2line -i; for gcc and clang, at -O0 and -O2. What holds is tested in
 * holders_test.sh.
 */
#include "harness/symbol/symbol.h"

#include "harness/base/memory.h"
#include "harness/base/suite.h"
#include "harness/base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCES                                                                                    \
    "harness/base/unit.c harness/base/table.c harness/base/text.c harness/campaign/suppress.c"

static char folder[64];

struct row {
    const char *compiler, *debug, *level, *tool;
};

/* A shell command with the row's words and the folder in it. */
static bool run(const char *format, const struct row *row)
{
    struct text command = {0};
    text_format(&command, "CC='%s' G='%s' O='%s' A='%s' T='%s'; %s", row->compiler, row->debug,
                row->level, row->tool, folder, format);
    bool ok = system(text_peek(&command)) == 0;
    text_fini(&command);
    return ok;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "function base.c:12" of each frame, one a line, as addr2line's output is brought to. A function's
 * clones
 * (.part.0, .cold) are the function. */
static void frames_put(struct text *text, struct symbols *symbols, uint64_t address)
{
    struct result_site site;
    result_site_start(&site);
    symbols_stack(symbols, address, true, &site.frames, &site.frame_count);
    for (size_t i = 0; i < site.frame_count; i++) {
        const struct result_frame *frame = &site.frames[i];
        text_put_bytes(text, frame->function, strcspn(frame->function, "."));
        text_format(text, " %s:%u\n", base_name(frame->file), frame->line);
    }
    result_site_fini(&site);
}

/* The next address of addr2line's output ("0x..." and then pairs of lines) in the same form. */
static bool theirs_read(FILE *file, char *line, size_t room, uint64_t *address, struct text *text)
{
    char place[PATH_MAX];
    if (strncmp(line, "0x", 2) != 0) {
        return false;
    }
    *address = strtoull(line, NULL, 16);
    for (line[0] = 0; fgets(line, (int)room, file) && strncmp(line, "0x", 2) != 0; line[0] = 0) {
        if (!fgets(place, sizeof place, file)) {
            return false;
        }
        text_put_bytes(text, line, strcspn(line, ".\n"));
        const char *name = base_name(place);
        bool known = strcspn(name, "?") == strlen(name); /* "crtstuff.c:?": from the symbol table */
        text_format(text, " %.*s\n", known ? (int)strcspn(name, " \n") : 2, known ? name : ":0");
    }
    return true;
}

static void compare(const struct row *row)
{
    char line[PATH_MAX], path[128];
    struct symbols *symbols = symbols_new();
    struct wire_module module = {.base = 0x10000};
    struct text ours = {0}, theirs = {0};
    size_t count = 0, inlined = 0, wrong = 0;
    uint64_t address;
    snprintf(module.path, sizeof module.path, "%s/code.so", folder);
    symbols_module(symbols, &module);
    snprintf(path, sizeof path, "%s/theirs", folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    while (theirs_read(file, line, sizeof line, &address, &theirs)) {
        frames_put(&ours, symbols, module.base + address);
        /* Without debug information (the start-up code, padding) only lines can be compared. */
        const char *blind = strstr(text_peek(&theirs), ":0\n");
        bool same = blind ? strstr(text_peek(&ours), ":0\n") != NULL
                          : strcmp(text_peek(&ours), text_peek(&theirs)) == 0;
        if (!same && wrong++ < 5) {
            printf("%s %s %s, 0x%llx:\n%s-- %s:\n%s", row->compiler, row->debug, row->level,
                   (unsigned long long)address, text_peek(&ours), row->tool, text_peek(&theirs));
        }
        inlined += strchr(text_peek(&ours), '\n') + 1 < text_peek(&ours) + ours.length;
        text_reset(&ours);
        text_reset(&theirs);
        count++;
    }
    fclose(file);
    text_fini(&ours);
    text_fini(&theirs);
    symbols_free(&symbols);
    ck_assert_uint_gt(count, 1000);
    ck_assert_msg(wrong == 0, "%s %s %s: %zu of %zu addresses differ", row->compiler, row->debug,
                  row->level, wrong, count);
    if (strcmp(row->level, "-O2") == 0) {
        ck_assert_uint_gt(inlined, count / 50);
    }
}

/* binutils' own reading of clang's DWARF 5 leaves inlined functions out; LLVM's does not. */
START_TEST(tells_the_frames_that_addr2line_tells)
{
    static const struct row rows[] = {{"gcc", "-g", "-O0", "addr2line"},
                                      {"gcc", "-g", "-O2", "addr2line"},
                                      {"clang", "-gdwarf-4", "-O0", "addr2line"},
                                      {"clang", "-gdwarf-4", "-O2", "addr2line"},
                                      {"clang", "-g", "-O2", "llvm-addr2line-14"}};
    strcpy(folder, "/tmp/symbol_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (run("command -v $CC >/dev/null && command -v $A >/dev/null", &rows[i])) {
            ck_assert(
                run("$CC -std=gnu11 -D_GNU_SOURCE $G $O -I. -fPIC -shared -o $T/code.so " SOURCES,
                    &rows[i]));
            ck_assert(run("objdump -d --no-show-raw-insn -j .text $T/code.so | grep -v 'nop\\|xchg "
                          "*%ax,%ax' |"
                          " sed -n 's/^ *\\([0-9a-f]*\\):.*/0x\\1/p' >$T/addresses;"
                          " $A -a -i -f -e $T/code.so <$T/addresses >$T/theirs",
                          &rows[i]));
            compare(&rows[i]);
        }
    }
    run("rm -rf $T", &rows[0]);
}
END_TEST

START_TEST(knows_no_more_of_an_address_in_no_module_than_itself)
{
    struct symbols *symbols = symbols_new();
    struct result_site site;
    result_site_start(&site);
    symbols_stack(symbols, 0x1234, false, &site.frames, &site.frame_count);
    ck_assert_uint_eq(site.frame_count, 1);
    ck_assert_str_eq(site.frames[0].function, "");
    ck_assert_uint_eq(site.frames[0].offset, 0x1234);
    ck_assert(symbols_system(symbols, 0x1234));
    result_site_fini(&site);
    symbols_free(&symbols);
}
END_TEST

SUITE("symbol", &tells_the_frames_that_addr2line_tells,
      &knows_no_more_of_an_address_in_no_module_than_itself)
