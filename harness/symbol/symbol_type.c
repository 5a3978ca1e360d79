/*
 * symbol_type.c - see symbol_part.h: offsets in C's types as a programmer would write them. C++
 * classes work as far as they are C's structs: bases are searched, what is virtual is not.
 * Supervisor only.
 */
#include "harness/symbol/symbol_part.h"

#include <dwarf.h>
#include <string.h>

#define DEEPEST 32 /* types within types: a damaged file may have them in a ring */

bool type_strip(Dwarf_Die *type)
{
    for (int i = 0; i < DEEPEST; i++) {
        switch (dwarf_tag(type)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            break;
        default:
            return dwarf_tag(type) != DW_TAG_invalid;
        }
        Dwarf_Attribute attribute;
        Dwarf_Die inner;
        if (!dwarf_formref_die(dwarf_attr_integrate(type, DW_AT_type, &attribute), &inner)) {
            return false;
        }
        *type = inner;
    }
    return false;
}

/* The definition of a type that is only declared here ("struct cache;"), from another unit of the
 * same module. */
static void type_complete(Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_diename(type);
    if (!name || !dwarf_hasattr(type, DW_AT_declaration)) {
        return;
    }
    Dwarf *dwarf = dwarf_cu_getdwarf(type->cu);
    Dwarf_CU *unit = NULL;
    Dwarf_Die top, die;
    int tag = dwarf_tag(type);
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &top, NULL) == 0) {
        for (bool more = dwarf_child(&top, &die) == 0; more;
             more = dwarf_siblingof(&die, &die) == 0) {
            const char *here = dwarf_tag(&die) == tag ? dwarf_diename(&die) : NULL;
            if (here && strcmp(here, name) == 0 && dwarf_attr(&die, DW_AT_byte_size, &attribute)) {
                *type = die;
                return;
            }
        }
    }
}

bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) ||
        !type_strip(type)) {
        return false;
    }
    type_complete(type);
    return true;
}

/* 0: not known. */
static uint64_t size_of(Dwarf_Die *type)
{
    Dwarf_Word bytes;
    return dwarf_aggregate_size(type, &bytes) == 0 ? bytes : 0;
}

static bool is_struct(Dwarf_Die *type)
{
    int tag = dwarf_tag(type);
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

/* The definition, where this is only a declaration: C++ needs that now and then, C does not. */
static bool member_place(Dwarf_Die *member, uint64_t *place)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    if (!dwarf_attr(member, DW_AT_data_member_location, &attribute)) {
        *place = 0; /* of a union */
        return true;
    }
    *place = 0;
    if (dwarf_formudata(&attribute, &value) != 0) {
        return false; /* an expression: of a virtual base */
    }
    *place = value;
    return true;
}

static bool path_put(Dwarf_Die *type, uint64_t offset, uint64_t end, struct text *path,
                     Dwarf_Die *to, bool *known, int depth);

static bool has_sibling(Dwarf_Die *die)
{
    Dwarf_Die next = *die;
    while (dwarf_siblingof(&next, &next) == 0) {
        if (dwarf_tag(&next) == DW_TAG_member) {
            return true;
        }
    }
    return false;
}

/* `end`: bytes that the object may have, UINT64_MAX when only its type says; the last array of a
 * struct may go on beyond its declared end. */
static bool struct_put(Dwarf_Die *type, uint64_t offset, uint64_t end, struct text *path,
                       Dwarf_Die *to, bool *known, int depth)
{
    Dwarf_Die member, inner;
    for (bool more = dwarf_child(type, &member) == 0; more;
         more = dwarf_siblingof(&member, &member) == 0) {
        uint64_t place;
        int tag = dwarf_tag(&member);
        if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || !member_place(&member, &place) ||
            !type_of(&member, &inner) || offset < place) {
            continue;
        }
        uint64_t size = size_of(&inner);
        bool open = dwarf_tag(&inner) == DW_TAG_array_type &&
                    dwarf_tag(type) != DW_TAG_union_type && !has_sibling(&member);
        if (offset - place >= size && !open) {
            continue;
        }
        size_t kept = path->length;
        const char *name = tag == DW_TAG_member ? dwarf_diename(&member) : NULL;
        if (name) {
            text_put_char(path, '.');
            text_put(path, name);
        }
        uint64_t room = open && end != UINT64_MAX ? end - place : size;
        if (path_put(&inner, offset - place, room, path, to, known, depth + 1)) {
            return true;
        }
        path->length = kept;
        if (path->data) {
            path->data[kept] = '\0';
        }
    }
    return false;
}

static bool array_put(Dwarf_Die *type, uint64_t offset, uint64_t end, struct text *path,
                      Dwarf_Die *to, bool *known, int depth)
{
    Dwarf_Die element, range;
    uint64_t counts[8];
    size_t dimensions = 0;
    if (!type_of(type, &element)) {
        return false;
    }
    uint64_t size = size_of(&element);
    for (bool more = dwarf_child(type, &range) == 0; more && dimensions < 8;
         more = dwarf_siblingof(&range, &range) == 0) {
        if (dwarf_tag(&range) == DW_TAG_subrange_type) {
            Dwarf_Attribute attribute;
            Dwarf_Word value;
            uint64_t count = 0;
            if (dwarf_attr(&range, DW_AT_count, &attribute) &&
                dwarf_formudata(&attribute, &value) == 0) {
                count = value;
            } else if (dwarf_attr(&range, DW_AT_upper_bound, &attribute) &&
                       dwarf_formudata(&attribute, &value) == 0) {
                count = value + 1;
            }
            counts[dimensions++] = count;
        }
    }
    if (size == 0 || dimensions == 0 || offset >= end) {
        return false;
    }
    uint64_t stride = size;
    for (size_t i = 1; i < dimensions; i++) {
        stride *= counts[i];
    }
    uint64_t rest = offset;
    for (size_t i = 0; i < dimensions && stride > 0; i++) {
        text_format(path, "[%lu]", (unsigned long)(rest / stride));
        rest %= stride;
        stride = i + 1 < dimensions && counts[i + 1] ? stride / counts[i + 1] : stride;
    }
    return path_put(&element, offset % size, size, path, to, known, depth + 1);
}

static bool path_put(Dwarf_Die *type, uint64_t offset, uint64_t end, struct text *path,
                     Dwarf_Die *to, bool *known, int depth)
{
    if (depth > DEEPEST) {
        return false;
    }
    switch (dwarf_tag(type)) {
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
        *known = type_of(type, to);
        return offset == 0;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        return struct_put(type, offset, end, path, to, known, depth);
    case DW_TAG_array_type:
        return array_put(type, offset, end, path, to, known, depth);
    case DW_TAG_base_type: /* a pointer kept as an integer */
        *known = false;
        return offset == 0 && size_of(type) == sizeof(uint64_t);
    default:
        return false;
    }
}

bool type_path(Dwarf_Die *type, uint64_t offset, struct text *path, Dwarf_Die *to, bool *known)
{
    size_t kept = path->length;
    if (path_put(type, offset, UINT64_MAX, path, to, known, 0)) {
        return true;
    }
    path->length = kept;
    if (path->data) {
        path->data[kept] = '\0';
    }
    return false;
}

/* Ends in an array that goes on to the end of the block. */
static bool is_open(Dwarf_Die *type)
{
    Dwarf_Die member, last = {0}, inner, range;
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    bool any = false;
    for (bool more = dwarf_child(type, &member) == 0; more;
         more = dwarf_siblingof(&member, &member) == 0) {
        if (dwarf_tag(&member) == DW_TAG_member) {
            last = member;
            any = true;
        }
    }
    if (!any || !type_of(&last, &inner) || dwarf_tag(&inner) != DW_TAG_array_type ||
        dwarf_child(&inner, &range) != 0) {
        return false;
    }
    bool bounded = (dwarf_attr(&range, DW_AT_count, &attribute) &&
                    dwarf_formudata(&attribute, &value) == 0 && value > 0) ||
                   (dwarf_attr(&range, DW_AT_upper_bound, &attribute) &&
                    dwarf_formudata(&attribute, &value) == 0);
    return !bounded;
}

/* A node: of such there is one in a block, and what lies behind it is another object. */
static bool is_node(Dwarf_Die *type)
{
    Dwarf_Die member, inner, to;
    const char *name = dwarf_diename(type);
    for (bool more = dwarf_child(type, &member) == 0; more;
         more = dwarf_siblingof(&member, &member) == 0) {
        if (dwarf_tag(&member) == DW_TAG_member && type_of(&member, &inner) &&
            dwarf_tag(&inner) == DW_TAG_pointer_type && type_of(&inner, &to)) {
            const char *there = dwarf_diename(&to);
            if (dwarf_dieoffset(&to) == dwarf_dieoffset(type) ||
                (name && there && strcmp(name, there) == 0)) {
                return true;
            }
        }
    }
    return false;
}

bool type_block_path(Dwarf_Die *type, uint64_t bytes, uint64_t at, uint64_t offset,
                     struct text *path, Dwarf_Die *to, bool *known)
{
    Dwarf_Die target = *type;
    uint64_t size = size_of(&target);
    size_t kept = path->length;
    if (size == 0 || offset < at || bytes < at) {
        return false;
    }
    uint64_t index = (offset - at) / size, inside = (offset - at) % size, room = bytes - at;
    /* Several of them, or one with an array that goes on to the block's end. */
    bool one = is_struct(&target) &&
               (room < 2 * size || room % size != 0 || is_node(&target) || is_open(&target));
    struct text fields = {0};
    bool found =
        path_put(&target, one ? offset - at : inside, one ? room : size, &fields, to, known, 0);
    if (found && one && fields.length > 0) {
        text_put(path, "->");
        text_put(path, fields.data[0] == '.' ? fields.data + 1 : fields.data);
    } else if (found) {
        text_format(path, "[%lu]", (unsigned long)index);
        text_put(path, text_peek(&fields));
    }
    text_fini(&fields);
    found = found && path->length > kept;
    return found;
}
