// Suffixes below which strangers can have hosts of their own: the Public Suffix List (libpsl, with its private section) and
// conf/shared-suffixes.txt. A wildcard there lets out to anybody who takes a name. Any thread; the list is parsed at the first call.
#pragma once

#include <exeat/names/name_index.hpp>

#include <string>

namespace exeat::ops {

// Why a wildcard must not stand here unless somebody answers for it (shared_suffix = "why"); empty when it may, or is no wildcard.
std::string wildcard_objection(const host_pattern&);

// What many tenants share behind an exact name by path or by an encrypted name ("storage", "cdn", …); empty when it is not on our list.
std::string_view shared_host(const host_pattern&);

// The same of a host, or of a domain above it: "cdn" of d1.cloudfront.net.
std::string_view shared_around(const host_pattern&);

} // namespace exeat::ops
