// Names, addresses, prefixes, targets and host patterns: what is accepted is canonical from birth, and reads as itself.
#include "property.hpp"

#include <exeat/check_address.hpp>
#include <exeat/names/name_index.hpp>
#include <exeat/target.hpp>

#include <algorithm>
#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

bool in_alphabet(std::string_view name, bool address)
{
    return std::all_of(name.begin(), name.end(), [address](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || (address ? c == ':' : c == '-' || c == '_');
    });
}

std::string upper(std::string_view s)
{
    std::string out{s};
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return out;
}

void check_hostname(std::string_view in)
{
    const auto host = hostname::parse(in);
    if (!host) return must(host.error() == verdict::host_syntax, "a refusal of a name has one reason");
    const auto name = std::string{host->str()};
    must(!name.empty() && name.size() <= limits::hostname_octets, "a name has a length that DNS can carry");
    must(in_alphabet(name, host->address().has_value()), "a name has the octets of names");
    must(host->address() || (name.find('.') != name.npos && !name.ends_with('.')), "a name has a dot, and none at its end");
    const auto again = hostname::parse(host->authority());
    must(again.has_value() && *again == *host, "the canonical name of a canonical name is itself");
    const auto shouted = hostname::parse(upper(in));
    must(shouted.has_value() && *shouted == *host, "case makes no other name");
    if (!host->address()) {
        const auto absolute = hostname::parse(name + '.');
        must(absolute.has_value() && *absolute == *host, "a dot at the end makes no other name");
        must(!ip_address::parse(name), "a name is not an address");
    }
}

void check_address(std::string_view in)
{
    if (const auto a = ip_address::parse(in)) {
        const auto again = ip_address::parse(a->to_string());
        must(again == a, "an address reads as itself");
        must(!a->is_v4() || ip_address::v4(a->as_v4()) == *a, "an IPv4 address is its number");
    }
    if (const auto p = ip_prefix::parse(in)) {
        must(ip_prefix::parse(p->to_string()) == p, "a prefix reads as itself");
        must(p->contains(p->network) && p->contains(p->last()), "a prefix holds its first and its last address");
    }
}

void check_target(std::string_view in)
{
    const auto with_port = parse_authority(in, approach::tunnel);
    const auto without = parse_authority(in, approach::tunnel, 443);
    must(!with_port || (without.has_value() && *without == *with_port), "a default port changes nothing that has one");
    if (!without) return;
    must(without->port != 0, "no target has port 0");
    const auto again = parse_authority(without->host.authority() + ':' + std::to_string(without->port), approach::tunnel);
    must(again.has_value() && *again == *without, "a target reads as itself");
}

void check_pattern(std::string_view in)
{
    const auto pattern = host_pattern::parse(in);
    if (!pattern) return;
    const auto again = host_pattern::parse(pattern->to_string());
    must(again.has_value() && *again == *pattern, "a pattern reads as itself");
    must(pattern->how == host_pattern::reach::exact || !pattern->base.address(), "no wildcard stands above an address");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    check_hostname(in);
    check_address(in);
    check_target(in);
    check_pattern(in);
    return 0;
}
