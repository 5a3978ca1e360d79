/*
 * trace_test.c - trace files: every format in every packing gives the same trace; what is wrong
 * with a file is said in one line that names the place.
 */
#include "harness/base/suite.h"
#include "harness/trace/trace.h"

#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define REQUESTS 5000u

static char folder[] = "/tmp/tidemark-trace.XXXXXX";

static uint32_t key_of(uint32_t i)
{
    return 70000 + i * 7919 % 613;
}

static uint32_t size_of(uint32_t i)
{
    return 1 + key_of(i) % 4096;
}

struct bytes {
    char data[REQUESTS * 120];
    size_t length;
};

static void put_number(struct bytes *bytes, uint64_t number, unsigned width, bool big)
{
    for (unsigned i = 0; i < width; i++) {
        unsigned shift = 8 * (big ? width - 1 - i : i);
        bytes->data[bytes->length++] = (char)(number >> shift);
    }
}

static void __attribute__((format(printf, 2, 3)))
put_text(struct bytes *bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bytes->length += (size_t)vsnprintf(bytes->data + bytes->length,
                                       sizeof bytes->data - bytes->length, format, arguments);
    va_end(arguments);
}

static void put_trace(struct bytes *bytes, enum trace_format format)
{
    bytes->length = 0;
    if (format == TRACE_CSV) {
        put_text(bytes, "time;obj_size;op;obj_id\r\n");
    }
    for (uint32_t i = 0; i < REQUESTS; i++) {
        uint32_t key = key_of(i), size = size_of(i);
        switch (format) {
        case TRACE_TEXT:
            put_text(bytes, "%s%u %u\n", i % 100 ? "" : "# a remark\n\n", key, size);
            break;
        case TRACE_LIS:
            put_text(bytes, "%u 1 0 %u\n", key, i);
            break;
        case TRACE_CSV:
            put_text(bytes, "%u; %u;get;%u\r\n", i, size, key);
            break;
        case TRACE_ACCESS:
            put_text(
                bytes,
                "10.0.0.%u - jane [01/Dec/2026:10:00:00 +0000] \"GET /item/%u HTTP/1.1\" 200 %u "
                "\"-\" \"curl/8\"\n",
                i % 250, key, size);
            put_text(bytes, "%s",
                     i % 100 ? ""
                             : "::1 - - [01/Dec/2026:10:00:00 +0000] \"POST /item/1 HTTP/1.1\" 201 "
                               "-\n");
            break;
        case TRACE_VSCSI1:
            put_number(bytes, i, 4, false);
            put_number(bytes, size, 4, false);
            put_number(bytes, 1, 4, false);
            put_number(bytes, 0x28, 2, false);
            put_number(bytes, 0x100, 2, false);
            put_number(bytes, key, 8, false);
            put_number(bytes, i, 8, false);
            break;
        case TRACE_VSCSI2:
            put_number(bytes, 0x28, 2, false);
            put_number(bytes, 0x200, 2, false);
            put_number(bytes, i, 4, false);
            put_number(bytes, size, 4, false);
            put_number(bytes, 1, 4, false);
            put_number(bytes, key, 8, false);
            put_number(bytes, i, 8, false);
            put_number(bytes, i, 8, false);
            break;
        case TRACE_ORACLE:
            put_number(bytes, i, 4, false);
            put_number(bytes, key, 8, false);
            put_number(bytes, size, 4, false);
            put_number(bytes, UINT64_MAX, 8, false);
            break;
        case TRACE_AUTO:
        case TRACE_U32:
            put_number(bytes, key, 4, false);
            break;
        case TRACE_U64:
            put_number(bytes, key, 8, false);
            break;
        case TRACE_U32BE:
            put_number(bytes, key, 4, true);
            break;
        case TRACE_U64BE:
            put_number(bytes, key, 8, true);
            break;
        }
    }
}

static void file_write(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static size_t packed_zstd(const struct bytes *bytes, void *out, size_t room)
{
    /* Two frames, one behind the other. */
    size_t half = bytes->length / 2;
    size_t first = ZSTD_compress(out, room, bytes->data, half, 3);
    return first + ZSTD_compress((char *)out + first, room - first, bytes->data + half,
                                 bytes->length - half, 3);
}

static size_t packed_xz(const struct bytes *bytes, void *out, size_t room)
{
    size_t length = 0;
    ck_assert(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)bytes->data,
                                      bytes->length, out, &length, room) == LZMA_OK);
    return length;
}

static size_t packed_gzip(const struct bytes *bytes, void *out, size_t room)
{
    z_stream stream = {0};
    ck_assert(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_in = (unsigned char *)bytes->data;
    stream.avail_in = (unsigned)bytes->length;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    ck_assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    return room - stream.avail_out;
}

static size_t packed_plain(const struct bytes *bytes, void *out, size_t room)
{
    ck_assert_uint_le(bytes->length, room);
    memcpy(out, bytes->data, bytes->length);
    return bytes->length;
}

static const struct {
    const char *ending;
    size_t (*pack)(const struct bytes *bytes, void *out, size_t room);
} packings[] = {
    {"", packed_plain}, {".zst", packed_zstd}, {".xz", packed_xz}, {".gz", packed_gzip}};

static void folder_make(void)
{
    memcpy(strrchr(folder, '.') + 1, "XXXXXX", 6); /* again, where tests share a process */
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void folder_remove(void)
{
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(every_format_in_every_packing_is_the_same_trace)
{
    static const struct {
        enum trace_format format;
        const char *ending;
        bool sizes;
    } rows[] = {
        {TRACE_TEXT, ".txt", true},     {TRACE_LIS, ".lis", false},
        {TRACE_CSV, ".csv", true},      {TRACE_ORACLE, ".oracleGeneral", true},
        {TRACE_U32, ".u32", false},     {TRACE_U64, ".u64", false},
        {TRACE_U32BE, ".u32be", false}, {TRACE_U64BE, ".u64be", false},
        {TRACE_U32BE, ".trace", false}, {TRACE_TEXT, "", true},
        {TRACE_ACCESS, ".log", true},   {TRACE_ACCESS, "", true},
        {TRACE_VSCSI1, ".vscsi", true}, {TRACE_VSCSI2, ".vscsi", true},
    };
    static struct bytes bytes;
    static char packed[sizeof bytes.data + 4096];
    folder_make();
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (size_t p = 0; p < sizeof packings / sizeof packings[0]; p++) {
            char path[256];
            struct trace trace;
            struct diag diag;
            snprintf(path, sizeof path, "%s/t%s%s", folder, rows[row].ending, packings[p].ending);
            put_trace(&bytes, rows[row].format);
            file_write(path, packed, packings[p].pack(&bytes, packed, sizeof packed));
            diag_init(&diag);
            trace_init(&trace);
            bool good = trace_read(&trace, path, &(struct trace_options){0}, &diag);
            diag_print(&diag, stdout);
            ck_assert_msg(good, "%s", path);
            ck_assert_uint_eq(trace.requests, REQUESTS);
            ck_assert_uint_eq(trace.unique, 613);
            ck_assert((trace.sizes != NULL) == rows[row].sizes);
            ck_assert_uint_eq(trace.left_out,
                              rows[row].format == TRACE_ACCESS ? REQUESTS / 100 : 0);
            for (uint32_t i = 0; i < REQUESTS; i++) { /* numbered by first request */
                ck_assert_uint_eq(trace.keys[i], i % 613);
                ck_assert(!trace.sizes || trace.sizes[i] == size_of(i));
            }
            trace_fini(&trace);
            diag_fini(&diag);
            unlink(path);
        }
    }
    folder_remove();
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *name, *data;
        size_t length; /* 0: of the string */
        const char *says;
    } rows[] = {
        {"a.txt", "1\n2 x\n", 0, "a.txt:2:3: 'x' is not a size"},
        {"a.txt", "", 0, "a.txt: holds no request"},
        {"a.txt", "# nothing\n", 0, "a.txt: holds no request"},
        {"a.txt", "1\n\0\n", 4, "a.txt:2: holds a zero byte"},
        {"a.txt", "1 5000000000\n", 0, "a.txt:1: a size of 5000000000 bytes is beyond 4 GiB"},
        {"a.lis", "1 1 0 0\n2 one 0 1\n", 0, "a.lis:2:3: 'one' is not a number"},
        {"a.lis", "1 99999999999 0 0\n", 0, "a.lis:1: one line asks for 99999999999 keys"},
        {"a.lis", "7\n", 0, "a.lis:1:2: '' is not a number"},
        {"a.csv", "id,size\n7,big\n", 0, "a.csv:2:3: 'big' in column 2 is not a size"},
        {"a.csv", "id,size\n7\n", 0, "a.csv:2: '' in column 2 is not a size"},
        {"a.csv", "size,id\n7\n", 0, "a.csv:2: has no key in column 2"},
        {"a.txt", "1 7 100\n", 0, "a.txt:1:5: '100' is a third column: which is the key?"},
        {"a.csv", "1,7,100\n", 0,
         "a.csv:1: no column is known to be the key: the columns are '1', '7', '100'; "
         "--key-column"},
        {"a.csv", "time,page\n1,7\n", 0, "the columns are 'time', 'page'; --key-column"},
        {"a.csv", "page,size\n7,1\n", 0, "the columns are 'page', 'size'; --key-column"},
        {"a.log", "::1 - - [1] \"GET / HTTP/1.1\" 200 many\n", 0,
         "a.log:1:34: 'many' is not a number of bytes"},
        {"a.log", "::1 - - [1] \"GET / HTTP/1.1\" 200 5\nrestarted\n", 0,
         "a.log:2: has no time in brackets"},
        {"a.log", "::1 - - [1] \"POST / HTTP/1.1\" 200 5\n", 0, "a.log: holds no request"},
        {"a.vscsi", "1234", 0, "a.vscsi: is binary and its name does not say how"},
        {"a.u64", "12345678abc", 0, "a.u64: ends with 3 bytes of a record of 8; is it really u64?"},
        {"a.oracleGeneral", "abc", 0, "a.oracleGeneral: ends with 3 bytes of a record of 24"},
        {"a.bin", "\1\2\3\4", 0, "a.bin: is binary and its name does not say how"},
        {"a.zst",
         "\x28\xb5\x2f\xfd"
         "garbage after the magic",
         0, "a.zst: is damaged zstd data"},
        {"a.xz",
         "\xfd"
         "7zXZ\0garbage",
         13, "a.xz: is damaged xz data"},
        {"a.gz", "\x1f\x8b\x08garbage", 0, "a.gz: is damaged gzip data"},
        {"a.gz", "\x1f\x8b", 0, "a.gz: ends in the middle of its gzip data"},
    };
    folder_make();
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        char path[256], printed[512] = "";
        struct trace trace;
        struct diag diag;
        size_t length = rows[row].length ? rows[row].length : strlen(rows[row].data);
        snprintf(path, sizeof path, "%s/%s", folder, rows[row].name);
        file_write(path, rows[row].data, length);
        diag_init(&diag);
        trace_init(&trace);
        ck_assert_msg(!trace_read(&trace, path, &(struct trace_options){0}, &diag), "%s", path);
        FILE *out = fmemopen(printed, sizeof printed, "w");
        diag_print(&diag, out);
        fclose(out);
        ck_assert_uint_eq(diag.count, 1);
        ck_assert_msg(strstr(printed, rows[row].says) != NULL, "expected %s, got %s",
                      rows[row].says, printed);
        trace_fini(&trace);
        diag_fini(&diag);
        unlink(path);
    }
    folder_remove();
}
END_TEST

START_TEST(columns_are_taken_as_they_are_named)
{
    static const struct {
        const char *name, *data, *key, *size, *says; /* says: NULL: it is read */
        uint64_t unique, unique_bytes;
    } rows[] = {
        {"a.txt", "1 7 100\n2 8 50\n3 7 100\n", "2", NULL, NULL, 2, 2},
        {"a.txt", "1 7 100\n2  8\t50\n3 7 100\n", "2", "3", NULL, 2, 150},
        {"a.txt", "time page size\n2 8 50\n3 7 100\n", "page", "size", NULL, 2, 150},
        {"a.csv", "1;7;100\n2;8;50\n3;7;100\n", "2", "3", NULL, 2, 150},
        {"a.csv", "time,page,size\n1,7,100\n2,8,50\n3,7,100\n", "Page", NULL, NULL, 2, 2},
        {"a.csv", "id,page,size\n1,7,100\n2,8,50\n3,7,100\n", "page", "3", NULL, 2, 150},
        {"a.csv", "\"url\",\"size\"\n\"/a,b\",\"5\"\n\"/a,c\",7\n\"/a,b\",5\n", NULL, NULL, NULL, 2,
         12},
        {"a.csv", "url;size\n\"a \"\"b\"\";c\";5\nd;7\n", NULL, NULL, NULL, 2, 12},
        {"a.csv", "# by hand\n#time,id,size\n1,7,100\n# later\n2,8,50\n", NULL, NULL, NULL, 2, 150},
        {"a.csv", "# time, page\n1,7\n2,8\n", "page", NULL, NULL, 2, 2},
        {"a.csv", "id,size\n\"7,100\n", NULL, NULL, "a.csv:2: '' in column 2 is not a size", 0, 0},
        {"a.txt", "# time page size\n2 8 50\n3 7 100\n", "page", "size", NULL, 2, 150},
        {"a.csv", "id,page\n1,7\n", "pages", NULL, "no column 'pages': the columns are 'id'", 0, 0},
        {"a.csv", "id,page\n1,7\n", "3", NULL, "no column '3': the columns are 'id'", 0, 0},
        {"a.csv", "id,page\n1,7\n", NULL, "0", "no column '0': the columns are 'id'", 0, 0},
    };
    folder_make();
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        char path[256], printed[512] = "";
        struct trace_options options = {.key_column = rows[row].key, .size_column = rows[row].size};
        struct trace trace;
        struct diag diag;
        snprintf(path, sizeof path, "%s/%s", folder, rows[row].name);
        file_write(path, rows[row].data, strlen(rows[row].data));
        diag_init(&diag);
        trace_init(&trace);
        bool good = trace_read(&trace, path, &options, &diag);
        FILE *out = fmemopen(printed, sizeof printed, "w");
        diag_print(&diag, out);
        fclose(out);
        ck_assert_msg(good == !rows[row].says, "row %zu: %s", row, printed);
        ck_assert_msg(good || strstr(printed, rows[row].says), "row %zu: %s", row, printed);
        if (good) {
            ck_assert_uint_eq(trace.unique, rows[row].unique);
            ck_assert_uint_eq(trace.unique_bytes, rows[row].unique_bytes);
        }
        trace_fini(&trace);
        diag_fini(&diag);
        unlink(path);
    }
    folder_remove();
}
END_TEST

START_TEST(truncated_packings_are_damage_not_a_shorter_trace)
{
    static struct bytes bytes;
    static char packed[sizeof bytes.data + 4096];
    folder_make();
    for (size_t p = 1; p < sizeof packings / sizeof packings[0]; p++) {
        put_trace(&bytes, TRACE_TEXT);
        size_t length = packings[p].pack(&bytes, packed, sizeof packed);
        for (size_t cut = 1; cut <= length - 8; cut += 1 + length / 23) {
            char path[256];
            struct trace trace;
            struct diag diag;
            snprintf(path, sizeof path, "%s/t.txt%s", folder, packings[p].ending);
            file_write(path, packed, length - cut);
            diag_init(&diag);
            trace_init(&trace);
            ck_assert_msg(!trace_read(&trace, path, &(struct trace_options){0}, &diag),
                          "%s, %zu bytes cut", packings[p].ending, cut);
            ck_assert_uint_eq(diag.count, 1);
            trace_fini(&trace);
            diag_fini(&diag);
            unlink(path);
        }
    }
    folder_remove();
}
END_TEST

START_TEST(an_absent_file_and_a_folder_are_said_to_be_so)
{
    static const char *const paths[] = {"/no/such/trace", "/tmp"};
    for (size_t i = 0; i < 2; i++) {
        struct trace trace;
        struct diag diag;
        diag_init(&diag);
        trace_init(&trace);
        ck_assert(!trace_read(&trace, paths[i], &(struct trace_options){0}, &diag));
        ck_assert_uint_eq(diag.count, 1);
        trace_fini(&trace);
        diag_fini(&diag);
    }
}
END_TEST

START_TEST(words_are_keys_and_as_many_as_asked_are_read)
{
    char path[256];
    struct trace trace;
    struct diag diag;
    static const char text[] =
        "openai:gpt-4o\nmeta:llama\nopenai:gpt-4o\n007\n7\nlast"; /* no newline */
    folder_make();
    snprintf(path, sizeof path, "%s/words", folder);
    file_write(path, text, sizeof text - 1);
    diag_init(&diag);
    trace_init(&trace);
    ck_assert(trace_read(&trace, path, &(struct trace_options){0}, &diag));
    ck_assert_uint_eq(trace.requests, 6);
    ck_assert_uint_eq(trace.unique, 5); /* 007 is not 7 */
    uint64_t *next = trace_next(&trace);
    ck_assert_uint_eq(next[0], 2);
    ck_assert(next[1] == TRACE_NEVER && next[2] == TRACE_NEVER);
    free(next);
    trace_fini(&trace);
    trace_init(&trace);
    ck_assert(trace_read(&trace, path, &(struct trace_options){.most = 4}, &diag));
    ck_assert_uint_eq(trace.requests, 4);
    trace_fini(&trace);
    diag_fini(&diag);
    unlink(path);
    folder_remove();
}
END_TEST

/* Damaged packings and formats: read or refused with one reason, nothing else. */
START_TEST(garbage_is_read_or_refused)
{
    static struct bytes bytes;
    static char packed[sizeof bytes.data + 4096];
    uint64_t random = 3;
    char path[256];
    folder_make();
    snprintf(path, sizeof path, "%s/garbage", folder);
    for (unsigned round = 0; round < 600; round++) {
        enum trace_format format = (enum trace_format)(1 + round % 8);
        put_trace(&bytes, format);
        bytes.length = bytes.length / 20 + round;
        size_t length = packings[round / 8 % 4].pack(&bytes, packed, sizeof packed);
        for (unsigned i = 0; i < 1 + round % 7; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            packed[(random >> 33) % length] = (char)(random >> 24);
        }
        file_write(path, packed, length);
        struct trace trace;
        struct diag diag;
        diag_init(&diag);
        trace_init(&trace);
        bool good = trace_read(&trace, path, &(struct trace_options){.format = format}, &diag);
        ck_assert_uint_eq(diag.count, !good);
        ck_assert(!good || (trace.requests > 0 && trace.unique <= trace.requests));
        trace_fini(&trace);
        diag_fini(&diag);
    }
    unlink(path);
    folder_remove();
}
END_TEST

SUITE("trace", &every_format_in_every_packing_is_the_same_trace,
      &what_is_wrong_is_said_with_its_place, &columns_are_taken_as_they_are_named,
      &truncated_packings_are_damage_not_a_shorter_trace,
      &an_absent_file_and_a_folder_are_said_to_be_so, &words_are_keys_and_as_many_as_asked_are_read,
      &garbage_is_read_or_refused)
