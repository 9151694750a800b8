// The words of the table, read in both directions.
#include "model/deployment_kind.hh"

#include <utility>

#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<DeploymentKind, kDeploymentRules.size()> kKinds{
    "kind of a deployment", [] {
      std::array<std::pair<DeploymentKind, std::string_view>, kDeploymentRules.size()> words{};
      for (std::size_t row = 0; row < words.size(); ++row) {
        words[row] = {kDeploymentRules[row].kind, kDeploymentRules[row].word};
      }
      return words;
    }()};

}  // namespace

std::string_view to_string(DeploymentKind kind) { return kKinds.word(kind); }
DeploymentKind deployment_kind_from(std::string_view text) { return kKinds.value(text); }

}  // namespace pushrod
