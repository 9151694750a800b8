// Secrets, and what of them may be seen in output: nothing.
// Floor 0.
#include "base/secret.hh"

#include <string.h>

#include <algorithm>

#include "base/text.hh"

namespace pushrod {

Secret::~Secret() { explicit_bzero(text_.data(), text_.size()); }

void Redactor::add(const Secret& secret) {
  for (auto& part : split(secret.reveal(), '\n')) {
    while (part.ends_with('\r')) part.pop_back();
    if (part.size() >= kShortestRedacted) parts_.emplace_back(std::move(part));
  }
  std::sort(parts_.begin(), parts_.end(),
            [](const Secret& a, const Secret& b) { return a.reveal().size() > b.reveal().size(); });
}

std::string Redactor::redact(std::string line) const {
  for (const auto& part : parts_) {
    const auto& text = part.reveal();
    for (auto at = line.find(text); at != std::string::npos; at = line.find(text, at + kMark.size())) {
      line.replace(at, text.size(), kMark);
    }
  }
  return line;
}

}  // namespace pushrod
