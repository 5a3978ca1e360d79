/* node.c - see node.h. Supervisor only. */
#include "harness/scenario/node.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

struct anchor {
    char *name;
    struct node *node;
    bool open; /* the node it names has not ended: an alias to it would be a cycle */
};

struct parse {
    struct document *document;
    const char *path;
    const char *bytes;
    size_t length;
    struct diag *diag;
    yaml_parser_t parser;
    struct anchor *anchors;
    size_t anchor_count, anchor_room;
    size_t values; /* so far, aliases expanded */
    bool failed;   /* the rest cannot be read */
};

const char *node_shown(const char *text, char shown[NODE_SHOWN_BYTES])
{
    size_t length = text_fit(text, 40);
    memcpy(shown, text, length);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)shown[i] < 0x20 || shown[i] == 0x7f) {
            shown[i] = '?';
        }
    }
    snprintf(shown + length, NODE_SHOWN_BYTES - length, "%s", text[length] ? "\xe2\x80\xa6" : "");
    return shown;
}

/* Position of a byte, 1-based; columns count characters. */
static void position_find(const struct parse *parse, size_t offset, unsigned *line,
                          unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < parse->length; i++) {
        if (parse->bytes[i] == '\n') {
            ++*line;
            *column = 1;
        } else {
            *column += ((unsigned char)parse->bytes[i] & 0xc0) != 0x80;
        }
    }
}

/* Everything YAML says about bytes, with a position that libyaml would not give. */
static bool bytes_check(struct parse *parse)
{
    size_t offset = 0;
    const char *nul = memchr(parse->bytes, '\0', parse->length);
    bool good = text_utf8(parse->bytes, parse->length, &offset);
    if (nul && (good || (size_t)(nul - parse->bytes) < offset)) {
        offset = (size_t)(nul - parse->bytes);
    } else if (good) {
        return true;
    }
    unsigned line, column;
    position_find(parse, offset, &line, &column);
    if (parse->bytes[offset] == '\0') {
        diag_add(parse->diag, parse->path, line, column, "NUL byte; this is not a text file");
    } else {
        diag_add(parse->diag, parse->path, line, column, "byte 0x%02x is not UTF-8",
                 (unsigned char)parse->bytes[offset]);
    }
    return false;
}

static unsigned mark_line(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

static unsigned mark_column(const yaml_mark_t *mark)
{
    return (unsigned)mark->column + 1;
}

/* libyaml's words for the common slips, and ours. `where` says whether the slip is where libyaml
 * stopped or where the thing it was reading began. */
static const struct slip {
    const char *problem, *context; /* NULL: any */
    enum { AT_PROBLEM, AT_CONTEXT } where;
    const char *text;
} slips[] = {
    {"mapping values are not allowed in this context", NULL, AT_PROBLEM,
     "a ':' where none may stand; quote the text, or check the indentation"},
    {"could not find expected ':'", "while scanning a simple key", AT_CONTEXT,
     "a key without ':' after it"},
    {"found unexpected end of stream", "while scanning a quoted scalar", AT_CONTEXT,
     "this quote is never closed"},
    {"did not find expected comment or line break", "while scanning a block scalar", AT_CONTEXT,
     "a comparison must stand in quotes, such as \"> 500 MB\""},
    {"did not find expected ',' or '}'", NULL, AT_CONTEXT, "this '{' is not closed"},
    {"did not find expected ',' or ']'", NULL, AT_CONTEXT, "this '[' is not closed"},
};

/* A tab in the indentation of the line is by far the most common cause and deserves its own words.
 */
static bool tab_find(struct parse *parse, const yaml_mark_t *mark)
{
    size_t at = 0;
    for (size_t line = 0; line < mark->line && at < parse->length; at++) {
        line += parse->bytes[at] == '\n';
    }
    size_t blank = at;
    while (blank < parse->length && parse->bytes[blank] == ' ') {
        blank++;
    }
    if (blank >= parse->length || parse->bytes[blank] != '\t') {
        return false;
    }
    diag_add(parse->diag, parse->path, mark_line(mark), (unsigned)(blank - at) + 1,
             "tab in the indentation; YAML wants spaces");
    return true;
}

static void syntax_error(struct parse *parse)
{
    const yaml_parser_t *parser = &parse->parser;
    parse->failed = true;
    if (parser->error == YAML_MEMORY_ERROR) {
        memory_die();
    }
    if (parser->error == YAML_READER_ERROR) {
        unsigned line, column;
        position_find(parse, parser->problem_offset, &line, &column);
        diag_add(parse->diag, parse->path, line, column, "not YAML: %s (0x%x)", parser->problem,
                 (unsigned)parser->problem_value);
        return;
    }
    if (tab_find(parse, &parser->problem_mark)) {
        return;
    }
    const char *problem = parser->problem ? parser->problem : "unreadable";
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        if (strcmp(slips[i].problem, problem) == 0 &&
            (!slips[i].context ||
             (parser->context && strcmp(slips[i].context, parser->context) == 0))) {
            const yaml_mark_t *mark = slips[i].where == AT_CONTEXT && parser->context
                                          ? &parser->context_mark
                                          : &parser->problem_mark;
            diag_add(parse->diag, parse->path, mark_line(mark), mark_column(mark), "not YAML: %s",
                     slips[i].text);
            return;
        }
    }
    const yaml_mark_t *mark = &parser->problem_mark;
    diag_add(parse->diag, parse->path, mark_line(mark), mark_column(mark), "not YAML: %s%s%s",
             problem, parser->context ? ", " : "", parser->context ? parser->context : "");
}

static bool event_next(struct parse *parse, yaml_event_t *event)
{
    if (parse->failed) {
        return false;
    }
    if (!yaml_parser_parse(&parse->parser, event)) {
        syntax_error(parse);
        return false;
    }
    return true;
}

static void give_up(struct parse *parse, const yaml_mark_t *mark, const char *text)
{
    diag_add(parse->diag, parse->path, mark_line(mark), mark_column(mark), "%s", text);
    parse->failed = true;
}

static void values_add(struct parse *parse, const yaml_mark_t *mark, size_t count, bool alias)
{
    parse->values += count;
    if (parse->values > DOCUMENT_VALUES_MAX && !parse->failed) {
        diag_add(parse->diag, parse->path, mark_line(mark), mark_column(mark),
                 alias ? "this alias expands the file to more than %u values"
                       : "more than %u values in one scenario",
                 DOCUMENT_VALUES_MAX);
        parse->failed = true;
    }
}

static struct node *node_new(struct parse *parse, enum node_kind kind, const yaml_event_t *event)
{
    struct document *document = parse->document;
    struct node *node = memory_new(1, sizeof *node);
    node->kind = kind;
    node->line = mark_line(&event->start_mark);
    node->column = mark_column(&event->start_mark);
    node->weight = 1;
    memory_grow(&document->nodes, &document->node_room, document->node_count + 1,
                sizeof(struct node *));
    document->nodes[document->node_count++] = node;
    values_add(parse, &event->start_mark, 1, false);
    return node;
}

static void item_add(struct node *node, struct node *item)
{
    memory_grow(&node->items, &node->room, node->count + 1, sizeof(struct node *));
    node->items[node->count++] = item;
    node->weight += item->weight;
}

/* Returns the index of the new anchor, or SIZE_MAX when there is none. */
static size_t anchor_add(struct parse *parse, const yaml_char_t *name, struct node *node)
{
    if (!name) {
        return SIZE_MAX;
    }
    memory_grow(&parse->anchors, &parse->anchor_room, parse->anchor_count + 1,
                sizeof parse->anchors[0]);
    parse->anchors[parse->anchor_count] =
        (struct anchor){.name = memory_copy((const char *)name), .node = node, .open = true};
    return parse->anchor_count++;
}

static struct node *alias_resolve(struct parse *parse, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    char shown[NODE_SHOWN_BYTES];
    for (size_t i = parse->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &parse->anchors[i];
        if (strcmp(anchor->name, name) != 0) {
            continue;
        }
        if (anchor->open) {
            diag_add(parse->diag, parse->path, mark_line(&event->start_mark),
                     mark_column(&event->start_mark), "alias '*%s' contains itself",
                     node_shown(name, shown));
            parse->failed = true;
            return NULL;
        }
        values_add(parse, &event->start_mark, anchor->node->weight, true);
        return anchor->node;
    }
    diag_add(parse->diag, parse->path, mark_line(&event->start_mark),
             mark_column(&event->start_mark), "alias '*%s' has no anchor before it",
             node_shown(name, shown));
    parse->failed = true;
    return NULL;
}

/* "10:5: duplicate key" for every key that came before in the same map. */
static void key_check(struct parse *parse, const struct node *map, const struct node *key)
{
    char shown[NODE_SHOWN_BYTES];
    if (key->kind != NODE_SCALAR) {
        diag_add(parse->diag, parse->path, key->line, key->column,
                 "a key must be a plain word, not a %s", key->kind == NODE_MAP ? "map" : "list");
        return;
    }
    if (!key->quoted && strcmp(key->text, "<<") == 0) {
        diag_add(parse->diag, parse->path, key->line, key->column,
                 "merge keys (<<) are not supported; write the keys out");
        return;
    }
    for (size_t i = 0; i < map->count; i += 2) {
        const struct node *other = map->items[i];
        if (other->kind == NODE_SCALAR && strcmp(other->text, key->text) == 0) {
            diag_add(parse->diag, parse->path, key->line, key->column,
                     "duplicate key '%s', first on line %u", node_shown(key->text, shown),
                     other->line);
            return;
        }
    }
}

static struct node *node_parse(struct parse *parse, yaml_event_t *event, unsigned level);

static void items_parse(struct parse *parse, struct node *node, yaml_event_type_t end,
                        unsigned level)
{
    for (;;) {
        yaml_event_t event;
        if (!event_next(parse, &event)) {
            return;
        }
        if (event.type == end) {
            yaml_event_delete(&event);
            return;
        }
        struct node *item = node_parse(parse, &event, level + 1);
        if (!item) {
            return;
        }
        if (node->kind == NODE_MAP && node->count % 2 == 0) {
            key_check(parse, node, item);
        }
        item_add(node, item);
    }
}

static void tag_check(struct parse *parse, const yaml_event_t *event, const yaml_char_t *tag)
{
    char shown[NODE_SHOWN_BYTES];
    if (tag) {
        diag_add(parse->diag, parse->path, mark_line(&event->start_mark),
                 mark_column(&event->start_mark), "tag '%s' is not supported; leave it out",
                 node_shown((const char *)tag, shown));
    }
}

/* Takes over and deletes the event. NULL: nothing more can be read. */
static struct node *node_parse(struct parse *parse, yaml_event_t *event, unsigned level)
{
    struct node *node = NULL;
    size_t anchor = SIZE_MAX;
    if (level > DOCUMENT_LEVELS_MAX) {
        give_up(parse, &event->start_mark, "nested deeper than 32 levels");
        yaml_event_delete(event);
        return NULL;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        const char *value = (const char *)event->data.scalar.value;
        node = node_new(parse, NODE_SCALAR, event);
        node->text = memory_copy(value);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        tag_check(parse, event, event->data.scalar.tag);
        if (strlen(value) != event->data.scalar.length) {
            diag_add(parse->diag, parse->path, node->line, node->column,
                     "text holds a NUL character");
        }
        anchor = anchor_add(parse, event->data.scalar.anchor, node);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node = node_new(parse, NODE_LIST, event);
        tag_check(parse, event, event->data.sequence_start.tag);
        anchor = anchor_add(parse, event->data.sequence_start.anchor, node);
        items_parse(parse, node, YAML_SEQUENCE_END_EVENT, level);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        node = node_new(parse, NODE_MAP, event);
        tag_check(parse, event, event->data.mapping_start.tag);
        anchor = anchor_add(parse, event->data.mapping_start.anchor, node);
        items_parse(parse, node, YAML_MAPPING_END_EVENT, level);
    } else if (event->type == YAML_ALIAS_EVENT) {
        node = alias_resolve(parse, event);
    }
    if (anchor != SIZE_MAX) {
        parse->anchors[anchor].open = false;
    }
    yaml_event_delete(event);
    return parse->failed ? NULL : node;
}

static void stream_parse(struct parse *parse)
{
    yaml_event_t event;
    bool done = false;
    unsigned documents = 0;
    while (!done && event_next(parse, &event)) {
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            done = true;
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (++documents == 2) {
                give_up(parse, &event.start_mark, "a second document; a scenario is one file");
            }
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        default:
            parse->document->root = node_parse(parse, &event, 1);
            continue; /* node_parse deleted the event */
        }
        yaml_event_delete(&event);
    }
    if (done && documents == 0) {
        diag_add(parse->diag, parse->path, 1, 1,
                 "empty file; a scenario begins with 'scenario: NAME'");
    }
}

bool document_parse(struct document *document, const char *path, const char *bytes, size_t length,
                    struct diag *diag)
{
    /* A byte order mark, as editors on Windows leave it: not a character of the first line. */
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    struct parse parse = {
        .document = document, .path = path, .bytes = bytes, .length = length, .diag = diag};
    size_t before = diag->count;
    *document = (struct document){0};
    if (!bytes_check(&parse)) {
        return false;
    }
    if (!yaml_parser_initialize(&parse.parser)) {
        memory_die();
    }
    yaml_parser_set_encoding(&parse.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parse.parser, (const unsigned char *)bytes, length);
    stream_parse(&parse);
    yaml_parser_delete(&parse.parser);
    for (size_t i = 0; i < parse.anchor_count; i++) {
        free(parse.anchors[i].name);
    }
    free(parse.anchors);
    /* A tree with small faults is still worth checking: its other errors belong in the same list.
     */
    if (parse.failed) {
        document->root = NULL;
    }
    return document->root != NULL && (diag->count == before || !parse.failed);
}

/* "no such file; did you mean 'registry-60gb.yaml'?", from the files of the same folder. */
static void absent_explain(const char *path, int error, struct diag *diag)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? memory_copy_bytes(path, (size_t)(slash - path) + 1) : memory_copy("./");
    DIR *listing = error == ENOENT ? opendir(folder) : NULL;
    char **names = NULL;
    size_t count = 0, room = 0;
    for (struct dirent *entry; listing && (entry = readdir(listing)) != NULL;) {
        memory_grow(&names, &room, count + 1, sizeof names[0]);
        names[count++] = memory_copy(entry->d_name);
    }
    if (listing) {
        closedir(listing);
    }
    const char *nearest = diag_nearest(slash ? slash + 1 : path, (const char *const *)names, count);
    if (nearest) {
        diag_add(diag, path, 0, 0, "%s; did you mean '%s%s'?", strerror(error), slash ? folder : "",
                 nearest);
    } else {
        diag_add(diag, path, 0, 0, "%s", strerror(error));
    }
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    free(folder);
}

bool document_read(struct document *document, const char *path, struct diag *diag)
{
    struct stat status;
    *document = (struct document){0};
    FILE *file = fopen(path, "re");
    if (!file) {
        absent_explain(path, errno, diag);
        return false;
    }
    bool good = false;
    char *bytes = NULL;
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        diag_add(diag, path, 0, 0, "is a folder, not a scenario");
        goto out;
    }
    bytes = memory_new(DOCUMENT_BYTES_MAX + 1, 1);
    size_t length = fread(bytes, 1, DOCUMENT_BYTES_MAX + 1, file);
    if (ferror(file)) {
        diag_add(diag, path, 0, 0, "%s", strerror(errno));
        goto out;
    }
    if (length > DOCUMENT_BYTES_MAX) {
        char size[UNIT_TEXT_BYTES] = "larger", most[UNIT_TEXT_BYTES];
        if (S_ISREG(status.st_mode)) {
            unit_bytes(size, (double)status.st_size);
        }
        diag_add(diag, path, 0, 0, "a scenario has at most %s, this is %s",
                 unit_limit(most, DOCUMENT_BYTES_MAX), size);
        goto out;
    }
    good = document_parse(document, path, bytes, length, diag);
out:
    free(bytes);
    fclose(file);
    return good;
}

void document_fini(struct document *document)
{
    for (size_t i = 0; i < document->node_count; i++) {
        free(document->nodes[i]->text);
        free(document->nodes[i]->items);
        free(document->nodes[i]);
    }
    free(document->nodes);
    *document = (struct document){0};
}
