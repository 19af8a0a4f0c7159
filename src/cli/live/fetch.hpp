// One request to the admin listener, on a connection of its own: it takes at most limits::top_time, and the answer has at most
// limits::top_answer_bytes. On the thread of the io_context.
#pragma once

#include <cli/live/admin_site.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <string>

namespace exeat::cli::live {

// The body of a 200 response; the error is a printable sentence for a terminal that says what to do. The site outlives the call.
boost::asio::awaitable<boost::system::result<std::string, std::string>> fetch(const admin_site&,
                                                                              std::string path); // must need no escapes

} // namespace exeat::cli::live
