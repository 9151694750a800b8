// What git prints of a tree that was pushed.
#include "git/tree_listing.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  const auto middle = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front()) % bytes.size();
  may_refuse([&] {
    TreeListing listing(200);
    const auto take = [](const TreeEntry& entry) { return !why_forbidden(entry); };
    return listing.feed(bytes.substr(0, middle), take) && listing.feed(bytes.substr(middle), take);
  });
}

}  // namespace pushrod
