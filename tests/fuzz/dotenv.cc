// A .env file; what is written of it says the same.
#include "config/dotenv.hh"
#include "fuzz.hh"

namespace pushrod {

namespace {

bool are_equal(const DotenvEntries& a, const DotenvEntries& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t at = 0; at < a.size(); ++at) {
    if (a[at].first.str() != b[at].first.str() || a[at].second.reveal() != b[at].second.reveal()) return false;
  }
  return true;
}

}  // namespace

void fuzz(std::string_view bytes) {
  may_refuse([&] {
    const auto entries = parse_dotenv(std::string(bytes), ".env");
    require(are_equal(parse_dotenv(render_dotenv(entries), ".env"), entries), "a .env file survives export and import");
    return 0;
  });
}

}  // namespace pushrod
