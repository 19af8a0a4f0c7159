// The place of the admin listener: http:// with an IP address or localhost, which the listener always accepts as its name. Pure; any
// thread.
#pragma once

#include <exeat/endpoint.hpp>

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli::live {

struct admin_site {
    std::string url;                 // "http://127.0.0.1:9464"
    std::string host;                // "127.0.0.1:9464": the Host field
    std::vector<endpoint> addresses; // tried one after the other
};

// The error says how to write the URL.
boost::system::result<admin_site, std::string> parse_admin_url(std::string_view);

} // namespace exeat::cli::live
