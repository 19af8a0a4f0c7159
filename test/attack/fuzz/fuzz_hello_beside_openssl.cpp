// The ClientHello beside OpenSSL's reading of the same bytes: what is accepted has no other name, and no other end, for it.
#include "../differential/openssl_hello.hpp"
#include "property.hpp"

#include <exeat/tls/client_hello.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

std::optional<hostname> as_hostname(const std::optional<std::string>& name)
{
    if (!name) return std::nullopt;
    const auto host = hostname::parse(*name);
    return host ? std::optional{*host} : std::nullopt;
}

void compare(const client_hello& ours, const test::openssl_reading& theirs)
{
    // use_srtp, which OpenSSL takes over DTLS alone
    if (!theirs.hello) return must(theirs.refusal == "bad extension", "a hello that is accepted is one for OpenSSL");
    must(theirs.carried.has_value() == ours.server_name.has_value(), "it carries a name for both, or for none");
    must(as_hostname(theirs.carried) == ours.server_name, "the name is the same");
    must(theirs.taken == ours.bytes, "and the end");
    if (theirs.server_name) must(as_hostname(theirs.served) == ours.server_name, "OpenSSL would serve that name");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const test::openssl_server server;
    const auto in = text(data, size);
    const auto scan = scan_client_hello(octets(in));
    if (const auto* ours = std::get_if<client_hello>(&scan)) compare(*ours, server.read(in));
    return 0;
}
