/* cfi.c - see cfi.h. Runs in the worker. */
#include "harness/ledger/cfi.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#define REG_BP        6
#define REG_SP        7
#define REG_RA        16
#define REMEMBER_MOST 8

/* Pointer encodings (LSB): low nibble the format, high nibble what it is relative to. */
enum { PE_OMIT = 0xff, PE_UDATA4 = 0x03, PE_SDATA4 = 0x0b, PE_PCREL = 0x10, PE_DATAREL = 0x30 };

struct bytes { /* a read position; never moves beyond its end */
    const uint8_t *at, *end;
};

struct entry { /* a frame description entry with what its common entry says */
    uint64_t start, range;
    uint64_t code_align;
    int64_t data_align;
    uint64_t return_register;
    bool signal;
    struct bytes initial, program;
};

struct state {
    struct cfi_rule rule;
    bool ra_undefined, ra_odd; /* odd: not at frame - 8 */
    bool bp_odd;
};

struct object {
    uint64_t start, end;
    const uint8_t *eh_frame_hdr;
};

/* Present since glibc 2.35; weak, so that older ones load. */
extern int _dl_find_object(void *, struct dl_find_object *) __attribute__((weak));

static uint8_t byte_get(struct bytes *bytes)
{
    return bytes->at < bytes->end ? *bytes->at++ : 0;
}

static uint64_t fixed_get(struct bytes *bytes, size_t size)
{
    uint64_t value = 0;
    if ((size_t)(bytes->end - bytes->at) < size) {
        bytes->at = bytes->end;
        return 0;
    }
    memcpy(&value, bytes->at, size);
    bytes->at += size;
    return value;
}

static uint64_t uleb_get(struct bytes *bytes)
{
    uint64_t value = 0;
    for (unsigned shift = 0; bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    return value;
}

static int64_t sleb_get(struct bytes *bytes)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    while (bytes->at < bytes->end) {
        byte = *bytes->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        shift += 7;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    if (shift < 64 && (byte & 0x40) != 0) {
        value |= ~(uint64_t)0 << shift;
    }
    return (int64_t)value;
}

/* A pointer of the encodings that linkers use; false for others. */
static bool encoded_get(struct bytes *bytes, uint8_t encoding, uint64_t data, uint64_t *value)
{
    uint64_t place = (uint64_t)(uintptr_t)bytes->at;
    switch (encoding & 0x0f) {
    case PE_SDATA4:
        *value = (uint64_t)(int64_t)(int32_t)fixed_get(bytes, 4);
        break;
    case PE_UDATA4:
        *value = fixed_get(bytes, 4);
        break;
    case 0x00: /* absolute, native */
    case 0x04:
    case 0x0c:
        *value = fixed_get(bytes, 8);
        break;
    default:
        return false;
    }
    switch (encoding & 0x70) {
    case 0:
        return true;
    case PE_PCREL:
        *value += place;
        return true;
    case PE_DATAREL:
        *value += data;
        return true;
    default:
        return false;
    }
}

struct search {
    uint64_t pc;
    struct object *object;
};

static int object_seen(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct search *search = context;
    struct object found = {.start = UINT64_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uint64_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uint64_t end = start + info->dlpi_phdr[i].p_memsz;
            found.start = start < found.start ? start : found.start;
            found.end = end > found.end ? end : found.end;
        } else if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME) {
            found.eh_frame_hdr = (const uint8_t *)(uintptr_t)start;
        }
    }
    if (search->pc < found.start || search->pc >= found.end) {
        return 0;
    }
    *search->object = found;
    return 1;
}

static bool object_find(uint64_t pc, struct object *object)
{
    if (_dl_find_object != NULL) {
        struct dl_find_object found;
        if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0) {
            return false;
        }
        object->start = (uint64_t)(uintptr_t)found.dlfo_map_start;
        object->end = (uint64_t)(uintptr_t)found.dlfo_map_end;
        object->eh_frame_hdr = found.dlfo_eh_frame;
        return true;
    }
    struct search search = {pc, object};
    return dl_iterate_phdr(object_seen, &search) == 1;
}

bool cfi_object(uint64_t pc, uint64_t *start, uint64_t *end)
{
    struct object object;
    if (!object_find(pc, &object)) {
        return false;
    }
    *start = object.start;
    *end = object.end;
    return true;
}

/* Binary search in the sorted table of .eh_frame_hdr; NULL when the table is not the usual one. */
static const uint8_t *entry_search(const uint8_t *header, uint64_t pc)
{
    if (header == NULL || header[0] != 1 || header[3] != (PE_DATAREL | PE_SDATA4)) {
        return NULL;
    }
    struct bytes bytes = {header + 4, header + 64};
    uint64_t data = (uint64_t)(uintptr_t)header, eh_frame, count;
    if (!encoded_get(&bytes, header[1], data, &eh_frame) ||
        !encoded_get(&bytes, header[2], data, &count) || count == 0) {
        return NULL;
    }
    const int32_t *table = (const int32_t *)(const void *)bytes.at; /* pairs: code, entry */
    int64_t wanted = (int64_t)(pc - data);
    uint64_t low = 0, high = count;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (table[2 * middle] <= wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return table[2 * low] <= wanted ? header + table[2 * low + 1] : NULL;
}

/* A length word; .eh_frame's 64-bit form is not used by anyone. */
static bool record_open(const uint8_t *record, struct bytes *bytes)
{
    uint32_t length;
    memcpy(&length, record, sizeof length);
    *bytes = (struct bytes){record + 4, record + 4 + length};
    return length != 0 && length != UINT32_MAX;
}

static bool common_read(const uint8_t *record, struct entry *entry, uint8_t *encoding)
{
    struct bytes bytes;
    if (!record_open(record, &bytes) || fixed_get(&bytes, 4) != 0) {
        return false;
    }
    uint8_t version = byte_get(&bytes);
    const char *augmentation = (const char *)bytes.at;
    bytes.at += strlen(augmentation) + 1;
    entry->code_align = uleb_get(&bytes);
    entry->data_align = sleb_get(&bytes);
    entry->return_register = version == 1 ? byte_get(&bytes) : uleb_get(&bytes);
    *encoding = 0;
    if (augmentation[0] == 'z') {
        uint64_t length = uleb_get(&bytes);
        struct bytes extra = bytes;
        bytes.at += length;
        for (const char *what = augmentation + 1; *what != '\0'; what++) {
            uint64_t ignored;
            if (*what == 'R') {
                *encoding = byte_get(&extra);
            } else if (*what == 'P') {
                uint8_t personality = byte_get(&extra);
                encoded_get(&extra, personality & 0x0f, 0, &ignored);
            } else if (*what == 'L') {
                byte_get(&extra);
            } else if (*what == 'S') {
                entry->signal = true;
            } else {
                break;
            }
        }
    } else if (augmentation[0] != '\0') {
        return false;
    }
    entry->initial = bytes;
    return true;
}

static bool entry_read(const uint8_t *record, uint64_t pc, struct entry *entry)
{
    struct bytes bytes;
    uint8_t encoding;
    *entry = (struct entry){0};
    if (!record_open(record, &bytes)) {
        return false;
    }
    const uint8_t *pointer_place = bytes.at;
    uint32_t back = (uint32_t)fixed_get(&bytes, 4);
    if (back == 0 || !common_read(pointer_place - back, entry, &encoding)) {
        return false;
    }
    if (!encoded_get(&bytes, encoding, 0, &entry->start) ||
        !encoded_get(&bytes, encoding & 0x0f, 0, &entry->range)) {
        return false;
    }
    uint64_t augmentation = uleb_get(&bytes);
    bytes.at += augmentation;
    entry->program = bytes;
    return pc >= entry->start && pc < entry->start + entry->range;
}

/* DW_OP_breg6 (rbp) N, and N with DW_OP_deref: what realigned stacks need. */
static bool expression_is_bp(struct bytes *bytes, int64_t *offset, bool *deref)
{
    uint64_t length = uleb_get(bytes);
    struct bytes expression = {bytes->at, bytes->at + length};
    bytes->at += length;
    if (byte_get(&expression) != 0x70 + REG_BP) {
        return false;
    }
    *offset = sleb_get(&expression);
    *deref = expression.at < expression.end && byte_get(&expression) == 0x06;
    return expression.at == expression.end;
}

static void register_saved(struct state *state, uint64_t reg, int64_t offset)
{
    if (reg == REG_BP) {
        state->bp_odd = offset < INT16_MIN || offset > INT16_MAX;
        state->rule.bp = CFI_AT_FRAME;
        state->rule.bp_offset = (int16_t)offset;
    } else if (reg == REG_RA) {
        state->ra_undefined = false;
        state->ra_odd = offset != -8;
    }
}

static void register_restored(struct state *state, uint64_t reg, const struct state *initial)
{
    if (reg == REG_BP) {
        state->bp_odd = initial->bp_odd;
        state->rule.bp = initial->rule.bp;
        state->rule.bp_offset = initial->rule.bp_offset;
    } else if (reg == REG_RA) {
        state->ra_undefined = initial->ra_undefined;
        state->ra_odd = initial->ra_odd;
    }
}

static void register_odd(struct state *state, uint64_t reg)
{
    state->bp_odd = state->bp_odd || reg == REG_BP;
    state->ra_odd = state->ra_odd || reg == REG_RA;
}

static void frame_defined(struct state *state, uint64_t reg, int64_t offset)
{
    state->rule.kind = reg == REG_SP ? CFI_SP : reg == REG_BP ? CFI_BP : CFI_NONE;
    state->rule.offset = (int32_t)offset;
}

static void frame_expression(struct state *state, struct bytes *bytes)
{
    int64_t offset;
    bool deref;
    if (expression_is_bp(bytes, &offset, &deref)) {
        state->rule.kind = deref ? CFI_BP_DEREF : CFI_BP;
        state->rule.offset = (int32_t)offset;
    } else {
        state->rule.kind = CFI_NONE;
    }
}

static void register_expression(struct state *state, struct bytes *bytes)
{
    uint64_t reg = uleb_get(bytes);
    int64_t offset;
    bool deref;
    bool simple = expression_is_bp(bytes, &offset, &deref) && !deref;
    if (reg == REG_BP && simple) {
        state->bp_odd = false;
        state->rule.bp = CFI_AT_BP;
        state->rule.bp_offset = (int16_t)offset;
    } else {
        register_odd(state, reg);
    }
}

/* The instructions that DWARF 5 section 6.4.2 lists, by their numbers there. Returns the code
 * address advanced to; false for an unknown instruction. */
static bool instruction_run(const struct entry *entry, struct bytes *bytes, uint64_t *location,
                            struct state *state, const struct state *initial,
                            struct state *remembered, unsigned *depth)
{
    uint8_t byte = byte_get(bytes);
    uint8_t low = byte & 0x3f;
    uint64_t reg;
    switch (byte & 0xc0) {
    case 0x40: /* advance_loc */
        *location += low * entry->code_align;
        return true;
    case 0x80: /* offset */
        register_saved(state, low, (int64_t)uleb_get(bytes) * entry->data_align);
        return true;
    case 0xc0: /* restore */
        register_restored(state, low, initial);
        return true;
    default:
        break;
    }
    switch (byte) {
    case 0x00: /* nop */
        return true;
    case 0x01: /* set_loc */
        *location = fixed_get(bytes, 8);
        return true;
    case 0x02: /* advance_loc1, 2, 4 */
        *location += fixed_get(bytes, 1) * entry->code_align;
        return true;
    case 0x03:
        *location += fixed_get(bytes, 2) * entry->code_align;
        return true;
    case 0x04:
        *location += fixed_get(bytes, 4) * entry->code_align;
        return true;
    case 0x05: /* offset_extended */
        reg = uleb_get(bytes);
        register_saved(state, reg, (int64_t)uleb_get(bytes) * entry->data_align);
        return true;
    case 0x06: /* restore_extended */
        register_restored(state, uleb_get(bytes), initial);
        return true;
    case 0x07: /* undefined */
        reg = uleb_get(bytes);
        state->ra_undefined = state->ra_undefined || reg == REG_RA;
        return true;
    case 0x08: /* same_value */
        reg = uleb_get(bytes);
        if (reg == REG_BP) {
            state->rule.bp = CFI_KEPT;
        }
        return true;
    case 0x09: /* register */
        register_odd(state, uleb_get(bytes));
        uleb_get(bytes);
        return true;
    case 0x0a: /* remember_state */
        if (*depth < REMEMBER_MOST) {
            remembered[*depth] = *state;
        }
        *depth += 1;
        return *depth <= REMEMBER_MOST;
    case 0x0b: /* restore_state */
        if (*depth == 0) {
            return false;
        }
        *depth -= 1;
        *state = remembered[*depth];
        return true;
    case 0x0c: /* def_cfa */
        reg = uleb_get(bytes);
        frame_defined(state, reg, (int64_t)uleb_get(bytes));
        return true;
    case 0x0d: /* def_cfa_register */
        frame_defined(state, uleb_get(bytes), state->rule.offset);
        return true;
    case 0x0e: /* def_cfa_offset */
        state->rule.offset = (int32_t)uleb_get(bytes);
        return true;
    case 0x0f: /* def_cfa_expression */
        frame_expression(state, bytes);
        return true;
    case 0x10: /* expression */
        register_expression(state, bytes);
        return true;
    case 0x11: /* offset_extended_sf */
        reg = uleb_get(bytes);
        register_saved(state, reg, sleb_get(bytes) * entry->data_align);
        return true;
    case 0x12: /* def_cfa_sf */
        reg = uleb_get(bytes);
        frame_defined(state, reg, sleb_get(bytes) * entry->data_align);
        return true;
    case 0x13: /* def_cfa_offset_sf */
        state->rule.offset = (int32_t)(sleb_get(bytes) * entry->data_align);
        return true;
    case 0x14: /* val_offset, val_offset_sf */
    case 0x15:
        register_odd(state, uleb_get(bytes));
        uleb_get(bytes);
        return true;
    case 0x16: /* val_expression */
        register_odd(state, uleb_get(bytes));
        reg = uleb_get(bytes);
        bytes->at += reg;
        return true;
    case 0x2e: /* GNU_args_size */
        uleb_get(bytes);
        return true;
    default:
        return false;
    }
}

static struct cfi_rule entry_run(const struct entry *entry, uint64_t pc)
{
    static const struct cfi_rule none = {.kind = CFI_NONE};
    struct state state = {.ra_odd = true}, remembered[REMEMBER_MOST];
    unsigned depth = 0;
    uint64_t location = entry->start;
    struct bytes bytes = entry->initial;
    while (bytes.at < bytes.end) {
        if (!instruction_run(entry, &bytes, &location, &state, &state, remembered, &depth)) {
            return none;
        }
    }
    struct state initial = state;
    bytes = entry->program;
    while (bytes.at < bytes.end) {
        struct state before = state;
        if (!instruction_run(entry, &bytes, &location, &state, &initial, remembered, &depth)) {
            return none;
        }
        if (location > pc) {
            state = before;
            break;
        }
    }
    if (state.ra_undefined) {
        return (struct cfi_rule){.kind = CFI_END};
    }
    return state.ra_odd || state.bp_odd ? none : state.rule;
}

/* mov $15, %rax; syscall: what the kernel returns to after a signal handler. */
static bool is_signal_return(uint64_t pc)
{
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};
    return memcmp((const void *)(uintptr_t)pc, code, sizeof code) == 0;
}

struct cfi_rule cfi_find(uint64_t pc, bool exact)
{
    struct cfi_rule none = {.kind = CFI_NONE};
    struct object object;
    struct entry entry;
    /* A return address may be the first byte of the next function: a call that does not return. */
    uint64_t inside = exact ? pc : pc - 1;
    if (pc < 4096 || !object_find(inside, &object)) {
        return none;
    }
    if (pc + 9 <= object.end && is_signal_return(pc)) {
        return (struct cfi_rule){.kind = CFI_SIGNAL};
    }
    const uint8_t *record = entry_search(object.eh_frame_hdr, inside);
    if (record == NULL || !entry_read(record, inside, &entry) || entry.signal ||
        entry.return_register != REG_RA) {
        return none;
    }
    return entry_run(&entry, inside);
}
