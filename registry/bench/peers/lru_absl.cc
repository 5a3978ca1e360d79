// lru_absl.cc - an LRU from absl::flat_hash_map with its own hash.
#if __has_include(<absl/container/flat_hash_map.h>)
#include <absl/container/flat_hash_map.h>
#include <string_view>

namespace
{
struct entry;
} // namespace
#define MAP absl::flat_hash_map<std::string_view, entry *>
#include "registry/bench/peers/lru_map.hh"

extern "C" const struct lru_peer lru_peer_absl = {
    "absl flat map + list", "absl-lru", "absl::flat_hash_map and a list, least recently used goes",
    1,                      map_init,   map_get,
    map_put,                map_fini,   nullptr};
#endif
