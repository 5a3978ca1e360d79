// peers_cxx.cpp - tables of C++ libraries in the look-up benchmark, each only where its header is.
#include "registry/bench/contender.h"
#include "registry/bench/fold_hash.h"

#include <string_view>
#include <unordered_map>
#ifdef HAVE_ABSL
#include <absl/container/flat_hash_map.h>
#endif
#ifdef HAVE_BOOST
#include <boost/unordered/unordered_flat_map.hpp>
#endif

namespace
{

// Folded 64x64->128 multiplication, of the family of wyhash and rapidhash; avalanches by itself.
struct FoldHash {
    using is_avalanching = void;
    size_t operator()(std::string_view text) const noexcept
    {
        return fold_hash(text.data(), text.size());
    }
};

template <class Map> void *map_build(const struct lookup_keys *keys)
{
    Map *map = new Map;
    map->reserve(keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        map->emplace(std::string_view(keys->key[i].data, keys->key[i].length), i);
    }
    return map;
}

template <class Map> void map_release(void *table)
{
    delete static_cast<Map *>(table);
}

template <class Map> inline uint32_t map_find(const void *table, const char *data, size_t length)
{
    const Map *map = static_cast<const Map *>(table);
    auto at = map->find(std::string_view(data, length));
    return at == map->end() ? REGISTRY_NONE : at->second;
}

} // namespace

#define MAP_CONTENDER(prefix, title, ...)                                                          \
    using prefix##_map = __VA_ARGS__;                                                              \
    LOOKUP_LOOPS(prefix, map_find<prefix##_map>)                                                   \
    extern "C" const struct contender contender_##prefix = {                                       \
        title,        false,          map_build<prefix##_map>,                                     \
        prefix##_all, prefix##_chain, map_release<prefix##_map>,                                   \
    };

MAP_CONTENDER(std, "std::unordered_map", std::unordered_map<std::string_view, uint32_t>)
#ifdef HAVE_ABSL
MAP_CONTENDER(absl, "absl::flat_hash_map", absl::flat_hash_map<std::string_view, uint32_t>)
MAP_CONTENDER(absl_fold, "absl + fold hash",
              absl::flat_hash_map<std::string_view, uint32_t, FoldHash>)
#endif
#ifdef HAVE_BOOST
MAP_CONTENDER(boost_fold, "boost flat + fold hash",
              boost::unordered_flat_map<std::string_view, uint32_t, FoldHash>)
#endif
