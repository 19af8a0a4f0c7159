// Suffixes below which strangers can have hosts of their own: the Public Suffix List (libpsl, with its private section) and
// conf/shared-suffixes.txt. A wildcard there allows traffic to anybody who registers a name. Any thread; the list is parsed at the first
// call.
#pragma once

#include <exeat/names/name_index.hpp>

#include <string>

namespace exeat::ops {

// Why a wildcard is refused here without a reason in the entry's shared_suffix; empty: it is allowed, or not a wildcard.
std::string wildcard_objection(const host_pattern&);

// What many tenants share behind an exact name, by path or by an encrypted name ("storage", "cdn", …); empty: not on exeat's own list.
std::string_view shared_host(const host_pattern&);

// The same for a host or a domain above it: "cdn" for d1.cloudfront.net.
std::string_view shared_around(const host_pattern&);

} // namespace exeat::ops
