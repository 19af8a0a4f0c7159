// Watches one exeat: one look, or until the user leaves. Blocks; main thread only.
#pragma once

#include <cli/live/admin_site.hpp>
#include <cli/live/draw.hpp>
#include <cli/live/terminal.hpp>

#include <boost/system/result.hpp>

#include <string>

namespace exeat::cli::live {

// One look, or several with a second between them, which give rates. The error says why it failed.
boost::system::result<picture, std::string> look(const admin_site&, const outlook&, charset, int times);

// Starts with an existing picture; returns on the key that quits, SIGINT, SIGTERM, SIGHUP or SIGQUIT.
void watch(const admin_site&, outlook, picture, terminal&);

} // namespace exeat::cli::live
