// service create and limit: a service, and what it may use.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/services.hh"

namespace pushrod {

namespace {

struct LimitWords {
  std::string type, name, version, memory, disk, processors;
};

std::optional<std::uint64_t> bytes_of(const std::string& text, const char* what) {
  if (text.empty()) return std::nullopt;
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0) throw UsageError(fmt::format("invalid {} {}", what, quoted(text)), "write 256M, or 2G");
  return bytes;
}

std::optional<unsigned> percent_of(const std::string& text) {
  constexpr double kLeast = 0.01, kMost = 1024;
  if (text.empty()) return std::nullopt;
  double processors = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), processors);
  if (error != std::errc() || end != text.data() + text.size() || processors < kLeast || processors > kMost) {
    throw UsageError(fmt::format("invalid number of processors {}", quoted(text)), "write 0.5 for half of one, or 2");
  }
  return static_cast<unsigned>(std::lround(processors * 100));
}

std::string shown_limits(const ServiceView& view) {
  auto text = format_bytes(view.service.memory) + " of memory";
  if (view.disk_limit != 0) text += fmt::format(", {} of disk", format_bytes(view.disk_limit));
  if (view.service.cpu_percent != 0) {
    text += fmt::format(", {} of a processor{}", view.service.cpu_percent / 100.0,
                        view.limits_processors ? "" : " (not enforced here: Pushrod has no cgroups)");
  }
  return text;
}

int create(Context& context, const LimitWords& words) {
  ServiceRequest request{.type = words.type, .version = words.version};
  if (!words.name.empty()) request.name = ServiceName::parse(words.name);
  request.memory = bytes_of(words.memory, "memory");
  request.disk = bytes_of(words.disk, "disk space");
  request.cpu_percent = percent_of(words.processors);
  const auto service = create_service(context, request);
  print(fmt::format("Service {} runs: {}, {}.\nAttach it to an app: service attach {} APP\n", service.name.str(),
                    shown_type(service), shown_limits(show_service(context, service.name)), service.name.str()));
  return kExitOk;
}

int limit(Context& context, const LimitWords& words) {
  const auto memory = bytes_of(words.memory, "memory"), disk = bytes_of(words.disk, "disk space");
  const auto percent = percent_of(words.processors);
  if (!memory && !disk && !percent) {
    throw UsageError("say which limit", "usage: service limit SERVICE --memory 512M, --disk 4G, --cpu 0.5");
  }
  const auto view = limit_service(context, ServiceName::parse(words.name), memory, disk, percent);
  print(fmt::format("Service {} may use {}.\n", words.name, shown_limits(view)));
  if (!view.look.problem.empty()) print(fmt::format("{}.\n", escaped(view.look.problem, 1000)));
  return kExitOk;
}

}  // namespace

void add_service_limit_verbs(Grammar& grammar) {
  const auto words = std::make_shared<LimitWords>();
  grammar
      .verb("service", "create", "start a database of its own",
            [words](Context& context) { return create(context, *words); })
      .needs("SERVICE-TYPE", words->type, "postgres, mariadb, redis, memcached; `doctor` lists the types and versions")
      .takes("NAME", words->name, "its name (default: the type's)")
      .option("--version", words->version, "the major version of the server (default: the newest installed)")
      .option("--memory", words->memory, "the most that it may use: 256M")
      .option("--disk", words->disk, "the most that its data may take: 2G")
      .option("--cpu", words->processors, "processors that it may use: 0.5");
  grammar
      .verb("service", "limit", "change what a service may use",
            [words](Context& context) { return limit(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .option("--memory", words->memory, "the most that it may use: 256M; starts the server again")
      .option("--disk", words->disk, "the most that its data may take: 2G")
      .option("--cpu", words->processors, "processors that it may use: 0.5; starts the server again");
}

}  // namespace pushrod
