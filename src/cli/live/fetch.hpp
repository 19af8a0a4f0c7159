// One question to the admin listener, on a connection of its own, and its answer: within limits::top_time, and of limits::top_answer_bytes
// at most. On the thread of the io_context.
#pragma once

#include <cli/live/admin_site.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <string>

namespace exeat::cli::live {

// The body of a 200; the error is a sentence for a terminal: printable, and with what to do about it. The site outlives it.
boost::asio::awaitable<boost::system::result<std::string, std::string>> fetch(const admin_site&,
                                                                              std::string path); // a path that needs no escape

} // namespace exeat::cli::live
