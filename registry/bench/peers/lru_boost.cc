// lru_boost.cc - an LRU from boost::unordered_flat_map, with the same hash as ours: the best peer with
// keys that was measured.
#if __has_include(<boost/unordered/unordered_flat_map.hpp>)
extern "C" {
#include "registry/cache/key_hash.h"
}

#include <boost/unordered/unordered_flat_map.hpp>
#include <string_view>

namespace
{
struct entry;
struct hash {
    using is_avalanching = void;
    size_t operator()(std::string_view key) const
    {
        return key_hash(key.data(), key.size());
    }
};
} // namespace
#define MAP boost::unordered_flat_map<std::string_view, entry *, hash>
#include "registry/bench/peers/lru_map.hh"

extern "C" const struct lru_peer lru_peer_boost = {
    "boost flat map + list",
    "boost-lru",
    "boost::unordered_flat_map and a list, tidemark's hash, least recently used goes",
    1,
    map_init,
    map_get,
    map_put,
    map_fini,
    nullptr};
#endif
