// Looks at one exeat: once, or until its user has seen enough. Blocks; main thread only.
#pragma once

#include <cli/live/admin_site.hpp>
#include <cli/live/draw.hpp>
#include <cli/live/terminal.hpp>

#include <boost/system/result.hpp>

#include <string>

namespace exeat::cli::live {

// One look, or two with a second between them, so that there are rates. The error says why there is none.
boost::system::result<picture, std::string> look(const admin_site&, const outlook&, charset, int times);

// Begins with a picture that was taken; returns when it is told to by a key, SIGINT, SIGTERM, SIGHUP or SIGQUIT.
void watch(const admin_site&, outlook, picture, terminal&);

} // namespace exeat::cli::live
