// What is known of the certificates whose files lie beside the database.
#include "base/text.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

constexpr std::string_view kCertificates =
    "SELECT host, source, names, issuer, serial, fingerprint, not_before, not_after, added FROM certificates"
    " WHERE ?1 IS NULL OR host = ?1 ORDER BY host";

Certificate read_certificate(Query& row) {
  auto host = HostName::parse(row.text());
  const auto source =
      row.text() == to_string(CertificateSource::Acme) ? CertificateSource::Acme : CertificateSource::Operator;
  auto names = lines_of(row.text());
  auto issuer = row.text(), serial = row.text(), fingerprint = row.text();
  const auto not_before = row.time(), not_after = row.time();
  return {std::move(host),        source,     std::move(names), std::move(issuer), std::move(serial),
          std::move(fingerprint), not_before, not_after,        row.time()};
}

}  // namespace

std::vector<Certificate> Store::certificates() const {
  Query rows = db_->query(kCertificates);
  return read_all(rows.with(std::optional<std::string>()), read_certificate);
}

std::optional<Certificate> Store::certificate(const HostName& host) const {
  Query rows = db_->query(kCertificates);
  return read_first(rows.with(std::optional(host.str())), read_certificate);
}

void Store::set_certificate(const Certificate& certificate) {
  db_->query("INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(certificate.host.str(), to_string(certificate.source), join(certificate.names, "\n"), certificate.issuer,
            certificate.serial, certificate.fingerprint, certificate.not_before, certificate.not_after,
            certificate.added)
      .run();
}

void Store::remove_certificate(const HostName& host) {
  db_->query("DELETE FROM certificates WHERE host = ?").with(host.str()).run();
}

}  // namespace pushrod
