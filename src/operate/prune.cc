#include "operate/prune.hh"

#include <limits>
#include <nlohmann/json.hpp>

#include "operate/audit.hh"
#include "os/files.hh"

namespace pushrod {

Json to_json(const Pruned& pruned) {
  auto list = Json::array();
  for (const auto& [of, what, bytes] : pruned.removed) {
    list.push_back({{"app", of.str()}, {"what", what}, {"bytes", bytes}});
  }
  return {{"removed", list}, {"freed_bytes", pruned.freed_bytes}, {"free_bytes", pruned.free_bytes}};
}

Pruned prune(Session& session, const std::optional<AppName>& name) {
  if (!name) session.require_admin();
  const auto app = name ? std::optional(session.require_app(*name, Right::Administer)) : std::nullopt;
  Pruned pruned;
  audited(session, {name ? name->str() : "", "prune", ""},
          [&] { pruned.removed = make_room(session.platform(), std::numeric_limits<std::uint64_t>::max(), app); });
  for (const auto& removed : pruned.removed) pruned.freed_bytes += removed.bytes;
  pruned.free_bytes = free_bytes(session.layout().root());
  return pruned;
}

}  // namespace pushrod
