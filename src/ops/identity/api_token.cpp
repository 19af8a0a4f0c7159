#include <ops/identity/api_token.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

boost::system::result<std::string, std::string> read_api_token(const std::string& path)
{
    using outcome = boost::system::result<std::string, std::string>;
    auto text = read_whole(path, limits::api_token_bytes);
    if (!text) return outcome{boost::system::in_place_error, fmt::format("{}: the token {}", path, text.error())};
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    // It becomes a part of a request's head (RFC 6750 section 2.1).
    if (text->empty() || !std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c <= '~'; }))
        return outcome{boost::system::in_place_error, fmt::format("{}: is not a token, which is one word of printable ASCII", path)};
    return text;
}

} // namespace exeat::ops
