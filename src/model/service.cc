// The words for the states of services and attachments, as the database has them.
#include "model/service.hh"

#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<ServiceState, 4> kServiceStates{"state of a service",
                                                {{{ServiceState::Creating, "creating"},
                                                  {ServiceState::Running, "running"},
                                                  {ServiceState::Stopped, "stopped"},
                                                  {ServiceState::Destroying, "destroying"}}}};

constexpr Words<AttachmentState, 3> kAttachmentStates{"state of an attachment",
                                                      {{{AttachmentState::Attaching, "attaching"},
                                                        {AttachmentState::Attached, "attached"},
                                                        {AttachmentState::Leaving, "leaving"}}}};

}  // namespace

std::string_view to_string(ServiceState state) { return kServiceStates.word(state); }
ServiceState service_state_from(std::string_view text) { return kServiceStates.value(text); }
std::string_view to_string(AttachmentState state) { return kAttachmentStates.word(state); }
AttachmentState attachment_state_from(std::string_view text) { return kAttachmentStates.value(text); }

std::string shown_type(const BackingService& service) {
  const bool names_itself = service.version.find('-') != std::string::npos;
  return names_itself ? service.version : service.type + " " + service.version;
}

std::string service_directory_in_app(const ServiceName& name) { return "/services/" + name.str(); }

}  // namespace pushrod
