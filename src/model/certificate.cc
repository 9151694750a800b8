#include "model/certificate.hh"

namespace pushrod {

std::string_view to_string(CertificateSource source) { return source == CertificateSource::Acme ? "acme" : "operator"; }

}  // namespace pushrod
