#include <ops/policy/asked_target.hpp>

#include <string>

namespace exeat::ops {

boost::system::result<target, verdict> parse_asked_target(std::string_view text)
{
    constexpr std::string_view http = "http://";
    if (!text.starts_with(http)) {
        if (text.find("://") != text.npos) return verdict::scheme;
        return parse_authority(text, approach::tunnel);
    }
    text.remove_prefix(http.size());
    const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
    const auto bracket = authority.rfind(']'); // colons in brackets are the address's own
    const bool has_port = authority.find(':', bracket == authority.npos ? 0 : bracket) != authority.npos;
    return parse_authority(has_port ? std::string{authority} : std::string{authority} + ":80", approach::http);
}

} // namespace exeat::ops
