// Servers that the program needs and does not reach, and ports that it may not listen on.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <iterator>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

struct KnownServer {
  std::string_view port, name, setting, service;  // service: the type that Pushrod runs
};
constexpr KnownServer kKnownServers[] = {
    {"5432", "PostgreSQL", "DATABASE_URL", "postgres"},
    {"3306", "MySQL", "DATABASE_URL", "mariadb"},
    {"6379", "Redis", "REDIS_URL", "redis"},
    {"27017", "MongoDB", "MONGODB_URI", ""},
    {"5672", "RabbitMQ", "AMQP_URL", ""},
    {"9200", "Elasticsearch", "", ""},
    {"11211", "memcached", "", "memcached"},
    {"9092", "Kafka", "", ""},
    {"1433", "SQL Server", "DATABASE_URL", ""},
    {"26257", "CockroachDB", "DATABASE_URL", ""},
};

constexpr std::size_t kLinesAround = 12;  // of a stack trace, or of a message of several lines

// The last port that the lines around a match name, and the address before it.
struct Place {
  std::string host, port;
};

std::optional<Place> place_in(std::string_view line) {
  // 127.0.0.1:5432, [::1]:5432, ::1:5432, :::5432, localhost:5432, :5432, *:5432
  static const re2::RE2 kAddress(
      R"(((?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|[0-9a-f:]*:|\*|[A-Za-z][\w.-]*)?):(\d{2,5})\b)");
  // port 5432, port=5432, ('0.0.0.0', 8000)
  static const re2::RE2 kPort(R"((?i)(?:\bport[ =:"']+|['"], ?)(\d{2,5})\b)");
  const re2::StringPiece text(line.data(), line.size());
  Place place;
  if (re2::RE2::PartialMatch(text, kAddress, &place.host, &place.port)) return place;
  if (re2::RE2::PartialMatch(text, kPort, &place.port)) return Place{{}, place.port};
  return std::nullopt;
}

std::optional<Place> place_near(const Facts& facts, std::size_t line) {
  if (auto place = place_in(facts.lines[line])) return place;
  const auto end = std::min(facts.lines.size(), line + 4);
  for (auto next = line + 1; next < end; ++next) {
    if (auto place = place_in(facts.lines[next])) return place;
  }
  return std::nullopt;
}

}  // namespace

std::string explain_refused_connection(const Facts& facts, const Match& match) {
  const auto place = place_near(facts, match.line);
  if (!place) return {};
  const auto* known = std::find_if(std::begin(kKnownServers), std::end(kKnownServers),
                                   [&](const auto& each) { return each.port == place->port; });
  const auto address = place->host.empty() ? "port " + place->port : place->host + ":" + place->port;
  if (known == std::end(kKnownServers)) {
    return fmt::format("it needs a server at {}, and nothing listens there", escaped(address, 100));
  }
  // Without a setting that names the server, the program falls back to its own default.
  const std::string setting(known->setting);
  const auto start = known->service.empty()
                         ? fmt::format("start {}", known->name)
                         : fmt::format("have Pushrod run one, in pushrod.toml: [services] db = \"{}\"", known->service);
  return fmt::format("it needs {} at {}, and nothing listens there: {}; or set its address{}", known->name,
                     escaped(address, 100), start,
                     setting.empty() ? " in the setting that the app reads"
                                     : fmt::format(": config set {} {}=…", facts.failed.app, setting));
}

std::string explain_failed_listen(const Facts& facts, const Match& match) {
  const auto place = place_near(facts, match.line);
  if (facts.failed.stage != Stage::Instance) return {};
  if (!facts.failed.port) {
    return place ? fmt::format("it tried to listen on port {}: only a web process has a port", place->port)
                 : std::string{};
  }
  const auto own = fmt::format("{}", *facts.failed.port);
  if (place && place->port == own) {
    return fmt::format("port {} ($PORT) is already in use: the app seems to start its server twice", own);
  }
  if (place) {
    const auto address = place->host.empty() ? "port " + place->port : place->host + ":" + place->port;
    // As Node.js says it.
    const bool is_node = facts.lines[match.line].find("listen E") != std::string::npos;
    return fmt::format("it tried to listen on {}: a web process must listen on $PORT ({}){}", escaped(address, 100),
                       own, is_node ? fmt::format(", as in listen(process.env.PORT || {})", place->port) : "");
  }
  return fmt::format("it could not listen: a web process must listen on $PORT ({}), not on a fixed port", own);
}

}  // namespace pushrod
