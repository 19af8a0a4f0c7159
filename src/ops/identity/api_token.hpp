// The token that the API server is asked with. Whoever mounts it replaces its file before it expires, so it is read for each request.
// Blocks.
#pragma once

#include <boost/system/result.hpp>
#include <string>

namespace exeat::ops {

// The error is a sentence with the path, and never a part of the file's content.
boost::system::result<std::string, std::string> read_api_token(const std::string& path);

} // namespace exeat::ops
