// Walks a lock file's graph. A package is wanted under the markers of any way that leads to it; a way is wanted under
// all markers along it.
#include "config/lock_graph.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

using Way = std::set<std::string>;  // markers that must all be true
constexpr std::size_t kMostWays = 24;

// Of a node, or of one of its extras.
struct Part {
  const LockNode* node;
  std::string extra;
  auto operator<=>(const Part&) const = default;
};

bool contains(const Way& all, const Way& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

// True if it makes the part wanted where it was not yet. With too many ways, it is wanted everywhere.
bool add_way(std::vector<Way>& ways, Way way) {
  if (std::any_of(ways.begin(), ways.end(), [&](const Way& known) { return contains(way, known); })) return false;
  if (ways.size() >= kMostWays) way.clear();
  std::erase_if(ways, [&](const Way& known) { return contains(known, way); });
  ways.push_back(std::move(way));
  return true;
}

std::string marker_of(const std::vector<Way>& ways) {
  std::vector<std::string> alternatives;
  for (const auto& way : ways) {
    if (way.empty()) return {};
    std::vector<std::string> parts;
    for (const auto& marker : way) parts.push_back(way.size() + ways.size() > 2 ? "(" + marker + ")" : marker);
    alternatives.push_back(join(parts, " and "));
  }
  return join(alternatives, " or ");
}

class Graph {
 public:
  Graph(const std::vector<LockNode>& nodes, const std::string& file, const std::string& remedy)
      : file_(file), remedy_(remedy) {
    for (const auto& node : nodes) by_name_[node.package.name].push_back(&node);
  }

  void follow(const std::vector<LockEdge>& edges, const Way& way) {
    for (const auto& edge : edges) {
      Way here = way;
      if (!edge.marker.empty()) here.insert(edge.marker);
      const auto& node = target(edge);
      reach({&node, ""}, here);
      for (const auto& extra : edge.extras) {
        if (node.extras.contains(extra)) reach({&node, extra}, here);
      }
    }
  }

  void walk() {
    while (!left_.empty()) {
      const auto part = left_.front();
      left_.pop_front();
      const auto& edges = part.extra.empty() ? part.node->edges : part.node->extras.at(part.extra);
      const auto ways = ways_.at(part);
      for (const auto& way : ways) follow(edges, way);
    }
  }

  std::vector<LockedPackage> packages() const {
    std::vector<LockedPackage> found;
    for (const auto& [part, ways] : ways_) {
      if (!part.extra.empty() || !part.node->is_installed) continue;
      auto package = part.node->package;
      const auto way = marker_of(ways);
      if (!way.empty())
        package.marker = package.marker.empty() ? way : fmt::format("({}) and ({})", package.marker, way);
      found.push_back(std::move(package));
    }
    std::sort(found.begin(), found.end(), [](const LockedPackage& a, const LockedPackage& b) {
      return std::tie(a.name, a.version) < std::tie(b.name, b.version);
    });
    return found;
  }

 private:
  const LockNode& target(const LockEdge& edge) const {
    const auto found = by_name_.find(edge.name);
    std::vector<const LockNode*> nodes;
    if (found != by_name_.end()) nodes = found->second;
    if (!edge.version.empty()) {
      std::erase_if(nodes, [&](const LockNode* node) { return node->package.version != edge.version; });
    }
    if (nodes.size() == 1) return *nodes.front();
    throw UserError{fmt::format("{} has {} {}", file_, nodes.empty() ? "no package" : "several versions of", edge.name),
                    remedy_};
  }

  void reach(const Part& part, const Way& way) {
    if (add_way(ways_[part], way)) left_.push_back(part);
  }

  const std::string& file_;
  const std::string& remedy_;
  std::map<std::string, std::vector<const LockNode*>> by_name_;
  std::map<Part, std::vector<Way>> ways_;
  std::deque<Part> left_;
};

}  // namespace

std::vector<LockedPackage> reachable_packages(const std::vector<LockNode>& nodes, const std::vector<LockEdge>& roots,
                                              const std::string& file, const std::string& remedy) {
  Graph graph(nodes, file, remedy);
  graph.follow(roots, {});
  graph.walk();
  return graph.packages();
}

}  // namespace pushrod
