// The envelope that endpoints are told events in: distribution's JSON, field by field
// (notifications/event.go). Pure.
#pragma once

#include <string>
#include <vector>

#include "store/index/event_queue.h"

namespace berth::jobs {

// What distribution 3 says. Of what registry:2 says only the number differs: v1.
inline constexpr const char* kEnvelopeMediaType =
    "application/vnd.docker.distribution.events.v2+json";

// Who tells it.
struct EventSource {
    std::string address;   // host:port
    std::string instance;  // another one after each start
};

// The event's id for its receivers, in the form of a version 4 UUID: the same each time it is told,
// so that who is told twice can know it.
std::string event_uuid(const store::Event& event);

std::string format_envelope(const std::vector<store::Event>& events, const EventSource& source);

}  // namespace berth::jobs
