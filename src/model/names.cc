// The rules of each kind of name, and the errors that quote the text and say the rule.
// Everything that a person, a client or a file calls something passes here before it becomes a path or an
// argument.
#include "model/names.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

bool is_lower(char character) { return character >= 'a' && character <= 'z'; }
bool is_upper(char character) { return character >= 'A' && character <= 'Z'; }
bool is_digit(char character) { return character >= '0' && character <= '9'; }
bool is_hexadecimal(char character) { return is_digit(character) || (character >= 'a' && character <= 'f'); }
bool is_any_of(char character, std::string_view set) { return set.find(character) != std::string_view::npos; }

[[noreturn]] void refuse(std::string_view kind, std::string_view text, std::string_view reason, std::string_view rule) {
  throw UserError(fmt::format("{} {} {}: use {}", kind, quoted(text), reason, rule));
}

// A name that is a row of plain ASCII characters.
struct PlainRule {
  std::string_view kind;
  std::size_t longest;
  bool (*may_begin)(char);
  bool (*may_contain)(char);
  bool (*may_end)(char);
  std::string_view rule;
};

void check_plain(std::string_view text, const PlainRule& rule) {
  const auto refuse_with = [&](std::string_view reason) { refuse(rule.kind, text, reason, rule.rule); };
  if (text.empty()) refuse_with("is empty");
  if (text.size() > rule.longest) refuse_with(fmt::format("has {} bytes", text.size()));
  const auto* const wrong = std::find_if_not(text.begin(), text.end(), rule.may_contain);
  if (wrong != text.end()) {
    // Letters that only look like ASCII are the reason to say where.
    const auto position = wrong - text.begin() + 1;
    const bool ascii = static_cast<unsigned char>(*wrong) < 0x80;
    refuse_with(ascii ? fmt::format("contains {}", quoted(std::string_view(&*wrong, 1)))
                      : fmt::format("contains something other than ASCII at byte {}", position));
  }
  if (!rule.may_begin(text.front())) refuse_with(fmt::format("begins with {}", quoted(text.substr(0, 1))));
  if (!rule.may_end(text.back())) refuse_with(fmt::format("ends in {}", quoted(text.substr(text.size() - 1))));
}

void check_host_part(std::string_view kind, std::string_view text, std::size_t longest = 40) {
  const auto rule =
      fmt::format("1 to {} characters of a-z, 0-9 and '-', beginning with a letter and not ending in '-'", longest);
  check_plain(text, {kind, longest, is_lower,
                     [](char character) { return is_lower(character) || is_digit(character) || character == '-'; },
                     [](char character) { return character != '-'; }, rule});
}

}  // namespace

namespace {

template <class Tag>
void check_name(std::string_view text);

template <>
void check_name<RepoTag>(std::string_view text) {
  check_host_part("repo name", text);
}

template <>
void check_name<AppTag>(std::string_view text) {
  check_host_part("app name", text);
}

template <>
void check_name<ServiceTag>(std::string_view text) {
  check_host_part("service name", text, 60);
}

template <>
void check_name<MountTag>(std::string_view text) {
  check_host_part("name of a mount", text);
}

template <>
void check_name<ProcessTag>(std::string_view text) {
  check_plain(text,
              {"process type", 30, is_lower,
               [](char character) { return is_lower(character) || is_digit(character) || is_any_of(character, "-_"); },
               [](char) { return true; }, "1 to 30 characters of a-z, 0-9, '-' and '_', beginning with a letter"});
}

template <>
void check_name<KeyTag>(std::string_view text) {
  const auto letter_or_digit = [](char character) {
    return is_lower(character) || is_upper(character) || is_digit(character);
  };
  check_plain(text, {"key name", 60, letter_or_digit,
                     [](char character) {
                       return is_lower(character) || is_upper(character) || is_digit(character) ||
                              is_any_of(character, "@._-");
                     },
                     [](char) { return true; },
                     "1 to 60 characters of A-Z, a-z, 0-9 and \"@._-\", beginning with a letter or digit"});
}

template <>
void check_name<SettingTag>(std::string_view text) {
  check_plain(
      text,
      {"setting", 100, [](char character) { return is_lower(character) || is_upper(character) || character == '_'; },
       [](char character) {
         return is_lower(character) || is_upper(character) || is_digit(character) || character == '_';
       },
       [](char) { return true; }, "1 to 100 characters of A-Z, a-z, 0-9 and '_', not beginning with a digit"});
}

// git-check-ref-format(1), rules 1 to 10 for refs/heads/<text>, what `--branch` adds (no leading '-', not "HEAD"), and
// not "@", which every command of git reads as HEAD.
template <>
void check_name<BranchTag>(std::string_view text) {
  const auto refuse_with = [&](std::string_view reason) {
    refuse("branch", text, reason, "a name that git allows, of at most 200 bytes of UTF-8, without a leading '-'");
  };
  if (text.empty()) refuse_with("is empty");
  if (text.size() > 200) refuse_with(fmt::format("has {} bytes", text.size()));
  if (!is_valid_utf8(text)) refuse_with("is not valid UTF-8");
  if (text.front() == '-') refuse_with("begins with '-'");
  if (text == "HEAD" || text == "@") refuse_with("is git's word for the commit that is checked out");
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F || is_any_of(character, " ~^:?*[\\")) {
      refuse_with(fmt::format("contains {}", quoted(std::string_view(&character, 1))));
    }
  }
  for (const std::string_view sequence : {"..", "@{"}) {
    if (text.find(sequence) != std::string_view::npos) refuse_with(fmt::format("contains \"{}\"", sequence));
  }
  if (text.ends_with('.')) refuse_with("ends in '.'");
  for (const std::string& part : split(text, '/')) {
    if (part.empty()) refuse_with("has an empty part before or after a '/'");
    if (part.starts_with('.')) refuse_with("has a part that begins with '.'");
    if (part.ends_with(".lock")) refuse_with("has a part that ends in \".lock\"");
  }
}

template <>
void check_name<CommitTag>(std::string_view text) {
  if (text.size() != 40 || !std::all_of(text.begin(), text.end(), is_hexadecimal)) {
    refuse("commit", text, "is not a full object name", "40 characters of 0-9 and a-f");
  }
}

// A number as str() writes it: from 1, no leading zero.
std::optional<std::uint32_t> counted_number(std::string_view text) {
  const std::optional<std::uint64_t> value = parse_unsigned(text);
  if (!value || text.front() == '0' || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

namespace detail {
template <class Tag>
void Name<Tag>::check(std::string_view text) {
  check_name<Tag>(text);
}
template void Name<RepoTag>::check(std::string_view);
template void Name<AppTag>::check(std::string_view);
template void Name<ServiceTag>::check(std::string_view);
template void Name<MountTag>::check(std::string_view);
template void Name<SettingTag>::check(std::string_view);
template void Name<ProcessTag>::check(std::string_view);
template void Name<KeyTag>::check(std::string_view);
template void Name<BranchTag>::check(std::string_view);
template void Name<CommitTag>::check(std::string_view);
}  // namespace detail

std::string ref_of(const BranchName& branch) { return std::string(kBranchRefs) + branch.str(); }

std::optional<BranchName> branch_of(std::string_view ref) {
  if (!ref.starts_with(kBranchRefs)) return std::nullopt;
  return BranchName::parse(ref.substr(kBranchRefs.size()));
}

std::string abbreviated(const CommitId& commit) { return commit.str().substr(0, 10); }

std::optional<InstanceName> InstanceName::from(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  const std::optional<std::uint32_t> release = counted_number(parts[1]);
  const std::optional<std::uint32_t> number = counted_number(parts[3]);
  if (!release || !number) return std::nullopt;
  try {
    return InstanceName{AppName::parse(parts[0]), *release, ProcessType::parse(parts[2]), *number};
  } catch (const UserError&) {
    return std::nullopt;
  }
}

std::string InstanceName::str() const { return fmt::format("{}.{}.{}.{}", app.str(), release, type.str(), number); }

}  // namespace pushrod
