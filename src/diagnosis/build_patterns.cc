// What the tools of a build print when they fail, and what it means: one table for each language.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hh"
#include "diagnosis/output_pattern.hh"

namespace pushrod {

namespace {

struct Header {
  std::string_view name;
  std::string_view package;
};
constexpr std::array<Header, 26> kHeaders{{
    {"Python.h", "python3-dev"},
    {"bzlib.h", "libbz2-dev"},
    {"cairo.h", "libcairo2-dev"},
    {"curl/curl.h", "libcurl4-openssl-dev"},
    {"expat.h", "libexpat1-dev"},
    {"ffi.h", "libffi-dev"},
    {"gmp.h", "libgmp-dev"},
    {"jpeglib.h", "libjpeg-dev"},
    {"lber.h", "libldap2-dev"},
    {"libpq-fe.h", "libpq-dev"},
    {"libxml/xmlversion.h", "libxml2-dev"},
    {"libxslt/xslt.h", "libxslt1-dev"},
    {"lzma.h", "liblzma-dev"},
    {"magic.h", "libmagic-dev"},
    {"mysql.h", "default-libmysqlclient-dev"},
    {"ncurses.h", "libncurses-dev"},
    {"openssl/ssl.h", "libssl-dev"},
    {"png.h", "libpng-dev"},
    {"ruby.h", "ruby-dev"},
    {"sasl/sasl.h", "libsasl2-dev"},
    {"sqlite3.h", "libsqlite3-dev"},
    {"uuid/uuid.h", "uuid-dev"},
    {"vips/vips8", "libvips-dev"},
    {"yaml.h", "libyaml-dev"},
    {"zlib.h", "zlib1g-dev"},
    {"zstd.h", "libzstd-dev"},
}};

std::string install(std::string_view what, std::string_view package) {
  return fmt::format("{} is not installed on this machine: its administrator can install it: apt-get install {}",
                     escaped(what, 100), escaped(package, 100));
}

std::string header_file(const Facts&, const Match& match) {
  const auto* known = std::find_if(kHeaders.begin(), kHeaders.end(), [&](const Header& header) {
    return match.captured == header.name || match.captured.ends_with("/" + std::string(header.name));
  });
  return known == kHeaders.end() ? std::string{} : install(known->name, known->package);
}

std::string missing_library(const Facts&, const Match& match) {
  return fmt::format("the library {} is not installed on this machine: its administrator can install its -dev package",
                     escaped(match.captured, 100));
}

std::string missing_compiler(const Facts& facts, const Match& match) {
  return explain_missing_program(facts, match.captured);
}

std::string missing_php_extension(const Facts&, const Match& match) {
  return install("PHP's extension " + match.captured, "php-" + match.captured);
}

std::string missing_package(const Facts&, const Match& match) {
  return fmt::format(
      "the package registry has no {}: its name is misspelt, it was withdrawn, or it is private and .npmrc must name "
      "its "
      "registry and a token",
      escaped(match.captured, 200));
}

template <const char* Hint>
std::string fixed(const Facts&, const Match&) {
  return Hint;
}

constexpr char kPeers[] =
    "packages want different versions of a package (the lines above name them): change package.json so that they "
    "agree, "
    "or commit a .npmrc with legacy-peer-deps=true";
constexpr char kOpenSsl[] =
    "a build tool (webpack 4 and its time) is older than OpenSSL 3: update it, or set "
    "NODE_OPTIONS=--openssl-legacy-provider "
    "with config set";
constexpr char kEsm[] =
    "a package is an ES module and is loaded with require(): use import, or a version of the package that has both";
constexpr char kRegistry[] =
    "a package registry did not answer: push again later; the machine's administrator can check its network and proxy "
    "([build.environment] in server.toml)";
constexpr char kPrivateGit[] =
    "a dependency is in a git repository that the build may not read: use its address over SSH, and let the app's "
    "deploy key read it (key deploy APP shows the key)";
constexpr char kCertificate[] =
    "Node.js does not trust the certificate of the package registry, or of a proxy before it: the machine's "
    "administrator can install its authority (update-ca-certificates), and write in server.toml [build.environment] "
    "NODE_EXTRA_CA_CERTS = \"/etc/ssl/certs/ca-certificates.crt\"";
constexpr char kRegistryLogin[] =
    "the package registry asks for a login: commit an .npmrc that names a setting "
    "(//HOST/:_authToken=${NPM_TOKEN}), and config set NPM_TOKEN; for pip, set PIP_INDEX_URL";
constexpr char kKilled[] =
    "a program of the build was killed, most likely for want of memory: use less, or have the administrator raise "
    "build_memory "
    "in server.toml, or add memory";
constexpr char kManaged[] = "pip must install into the app's virtualenv: /venv/bin/pip install …";
constexpr char kOtherHash[] =
    "the package index has another file than the one whose hash the app has: lock the dependencies again, or find out "
    "who changed the package";
constexpr char kFlatLayout[] =
    "setuptools does not know which directory is the app's package: name it in pyproject.toml: [tool.setuptools] "
    "packages = [\"NAME\"], or [] for none";
constexpr char kDistutils[] =
    "this Python has no distutils any more: add setuptools to requirements.txt, or use a newer package";
constexpr char kOldPackage[] =
    "the package is too old for this machine's Python and its build tools: use a newer version of it";
constexpr char kPlatform[] =
    "Gemfile.lock is for another platform: run bundle lock --add-platform x86_64-linux, and commit it";
constexpr char kFrozen[] = "Gemfile.lock does not fit the Gemfile: run bundle install, and commit Gemfile.lock";
constexpr char kCargoLock[] =
    "Cargo.lock was written by a newer Rust than this machine has: its administrator can install that Rust below "
    "/usr/local, or "
    "write Cargo.lock with version = 3";
constexpr char kOpenSslRust[] =
    "OpenSSL's files for compiling are missing: its administrator can run apt-get install libssl-dev pkg-config";
constexpr char kComposerLock[] = "composer.lock does not fit composer.json: run composer update --lock, and commit it";
constexpr char kHeap[] = "the compiler ran out of heap: set NODE_OPTIONS=--max-old-space-size=4096 with config set";

std::string ruby_version(const Facts&, const Match& match) {
  return fmt::format(
      "the Gemfile asks for Ruby {}, and this machine has another one: allow this machine's in the Gemfile",
      escaped(match.captured, 40));
}

std::string go_version(const Facts&, const Match& match) {
  return fmt::format(
      "it needs Go {}, which is newer than this machine's: its administrator can install that, or lower the version in "
      "go.mod",
      escaped(match.captured, 40));
}

std::string rust_version(const Facts&, const Match& match) {
  return fmt::format(
      "it needs Rust {}, which is newer than this machine's: its administrator can install that, or use older versions "
      "of the "
      "packages",
      escaped(match.captured, 40));
}

std::string java_release(const Facts&, const Match& match) {
  return fmt::format(
      "it needs Java {}, which is newer than this machine's: compile for an older one, or have the "
      "administrator install that JDK",
      escaped(match.captured, 40));
}

std::string php_version(const Facts&, const Match& match) {
  return fmt::format("it needs PHP {}, and this machine has another one: allow this machine's in composer.json",
                     escaped(match.captured, 40));
}

std::string node_engine(const Facts&, const Match& match) {
  return fmt::format(
      "it needs Node.js {}: say so in package.json (\"engines\": {{\"node\": \"…\"}}), and Pushrod installs it",
      escaped(match.captured, 60));
}

std::string package_engine(const Facts&, const Match& match) {
  return fmt::format(
      "packages of the app ask for Node.js {}, which is another than this build has (EBADENGINE above): say so in "
      "package.json (\"engines\": {{\"node\": \"…\"}}), and Pushrod installs it",
      escaped(match.captured, 60));
}

std::string gem_extension(const Facts&, const Match& match) {
  return fmt::format(
      "the gem {} could not be compiled: the lines above tell what is missing; compiling needs ruby-dev, gcc "
      "and make",
      escaped(match.captured, 60));
}

constexpr OutputPattern kBuildPatterns[] = {
    // Node.js
    {R"re(npm (?:ERR!|error) (?:code )?ERESOLVE|ERR_PNPM_PEER_DEP_ISSUES)re", fixed<kPeers>},
    {R"re(ERR_OSSL_EVP_UNSUPPORTED|error:0308010C:digital envelope)re", fixed<kOpenSsl>},
    {R"re(ERR_REQUIRE_ESM)re", fixed<kEsm>},
    {R"re(Unsupported engine.*wanted: \{"node":"([^"]+)")re", node_engine},
    {R"re(requires at least Node\.js (v?[\d.]+))re", node_engine},
    {R"re(Node\.js version "?([^"]+)"? is required)re", node_engine},
    {R"re(requires Node\.js version ([>=^~ \d.|x]+))re", node_engine},
    {R"re(gyp ERR! (?:find Python|stack Error: Could not find any Python))re",
     [](const Facts& facts, const Match&) { return explain_missing_program(facts, "python3"); }},
    {R"re(gyp ERR! stack Error: not found: (\w+))re", missing_compiler},
    {R"re(Reached heap limit|FATAL ERROR: .*Allocation failed)re", fixed<kHeap>},
    {R"re(404 Not Found - GET https?://[^/ ]+/(\S+) - )re", missing_package},
    {R"re(ERR_PNPM_FETCH_404\s+GET https?://[^/ ]+/(\S+): Not Found)re", missing_package},
    {R"re(YN0035: \S+ (\S+): Package not found)re", missing_package},
    {R"re(npm (?:ERR!|error) (?:code )?E40[13]|ERR_PNPM_FETCH_40[13])re", fixed<kRegistryLogin>},
    {R"re(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE)re",
     fixed<kCertificate>},

    // Compilers and what they compile with.
    {R"re(fatal error: ([\w/.+-]+): No such file or directory)re", header_file},
    {R"re((?:sh: \d+: |sh: line \d+: |make(?:\[\d+\])?: (?:\S+: )?)(gcc|cc|g\+\+|c\+\+|make|cmake|pkg-config): (?:not found|command not found|No such file))re",
     missing_compiler},
    {R"re(linker `(cc)` not found)re", missing_compiler},
    {R"re(cannot find -l([\w.+-]+))re", missing_library},
    {R"re(Package '?([\w.+-]+)'?,? (?:required by .* )?(?:was )?not found)re", missing_library},

    // Python
    {R"re(externally-managed-environment)re", fixed<kManaged>},
    {R"re(THESE PACKAGES DO NOT MATCH THE HASHES)re", fixed<kOtherHash>},
    {R"re(Multiple top-level packages discovered in a flat-layout)re", fixed<kFlatLayout>},
    {R"re(No module named '?distutils)re", fixed<kDistutils>},
    {R"re(use_2to3 is invalid|No module named 'pkg_resources'|AttributeError: .*ImpImporter)re", fixed<kOldPackage>},

    // Ruby
    {R"re(Your Ruby version is \S+, but your Gemfile specified (\S+))re", ruby_version},
    {R"re(Your bundle only supports platforms)re", fixed<kPlatform>},
    {R"re((?:lockfile|Gemfile\.lock).*(?:frozen mode|deployment mode|can't be updated))re", fixed<kFrozen>},
    {R"re(An error occurred while installing ([\w.-]+))re", gem_extension},

    // Go, Rust, Java, PHP
    {R"re(go\.mod requires go >= ([\d.]+)|note: module requires Go ([\d.]+))re", go_version},
    {R"re(invalid go version '([\d.]+)')re", go_version},
    {R"re(requires rustc ([\d.]+)|feature `edition(2024)` is required)re", rust_version},
    {R"re(lock file version .* requires `-Znext-lockfile-bump`)re", fixed<kCargoLock>},
    {R"re(failed to run custom build command for `openssl-sys)re", fixed<kOpenSslRust>},
    {R"re(release version (\d+) not supported|invalid target release: (\S+))re", java_release},
    {R"re(requires (?:PHP extension )?ext-(\w+) \*?)re", missing_php_extension},
    {R"re(requires php ([\^~><=\d.| ]+\d))re", php_version},
    {R"re(lock file is not up to date with the latest changes in composer\.json)re", fixed<kComposerLock>},

    // The network.
    {R"re(fatal: could not read (?:Username|Password) for|Permission denied \(publickey|Host key verification failed)re",
     fixed<kPrivateGit>},
    {R"re(npm (?:ERR!|error) (?:code )?(?:ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EAI_AGAIN)|ERR_PNPM_META_FETCH_FAIL)re",
     fixed<kRegistry>},
    {R"re(Could not (?:reach|fetch specs from) (?:host )?\S+.*)re", fixed<kRegistry>},
    {R"re(ReadTimeoutError|Read timed out|ConnectTimeoutError|TLS handshake timeout|NewConnectionError)re",
     fixed<kRegistry>},
    {R"re(50[234] (?:Bad Gateway|Service Unavailable|Gateway Time-?out))re", fixed<kRegistry>},

    {R"re(^Killed$|signal: killed|\(signal: 9, SIGKILL|exited with (?:exit )?code 137)re", fixed<kKilled>},
    {R"re(EBADENGINE +required: \{ node: '([^']+)')re", package_engine},  // a warning: where nothing else is known
};

}  // namespace

std::vector<OutputPattern> build_patterns() { return {std::begin(kBuildPatterns), std::end(kBuildPatterns)}; }

bool looks_transient(std::string_view line) {
  constexpr std::array<std::string_view, 22> kWords{"ECONNRESET",
                                                    "ETIMEDOUT",
                                                    "EAI_AGAIN",
                                                    "ERR_SOCKET_TIMEOUT",
                                                    "Read timed out",
                                                    "ReadTimeoutError",
                                                    "ConnectTimeoutError",
                                                    "TLS handshake timeout",
                                                    "502 Bad Gateway",
                                                    "503 Service",
                                                    "504 Gateway",
                                                    "Temporary failure in name resolution",
                                                    "Connection reset by peer",
                                                    "NewConnectionError",
                                                    "RemoteDisconnected",
                                                    "socket hang up",
                                                    "unexpected EOF while reading",
                                                    "IncompleteRead",
                                                    "i/o timeout",
                                                    "spurious network error",
                                                    "ERR_PNPM_META_FETCH_FAIL",
                                                    "network timeout at"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return line.find(word) != line.npos; });
}

}  // namespace pushrod
