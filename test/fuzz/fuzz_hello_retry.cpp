// What a server answers first, and the client's flight after a retry: the same bytes are read as either. What was said of a beginning is
// never taken back, and the second hello is exactly what the scanner of hellos makes of it.
#include "property.hpp"

#include <exeat/hello_retry.hpp>
#include <exeat/limits.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

void check_first_answer(std::string_view in)
{
    draws draw{in};
    const auto said = scan_first_answer(octets(in));
    for_cuts(in.size(), draw, [&](std::size_t n) {
        const auto before = scan_first_answer(octets(in.substr(0, n)));
        must(before == first_answer::need_more || before == said, "what was said of a beginning stays");
    });
    if (said == first_answer::retry) must(in.front() == 22, "a retry comes in a handshake record");
}

void check_accepted(std::string_view in, const client_hello& hello)
{
    draws draw{in};
    must(hello.bytes <= in.size(), "a second hello is no longer than what was seen");
    for_cuts(hello.bytes, draw, [&](std::size_t n) {
        must(std::holds_alternative<need_more>(scan_second_hello(octets(in.substr(0, n)))), "a second flight that is cut asks for more");
    });
    // Where the hello's own records begin is not said; of the suffixes that are a hello ending there, one must say the same.
    bool found = false;
    for (std::size_t at = 0; at < hello.bytes && !found; ++at) {
        if (in[at] != 22) continue;
        const auto scan = scan_client_hello(octets(in.substr(at, hello.bytes - at)));
        const auto* alone = std::get_if<client_hello>(&scan);
        found = alone && alone->bytes == hello.bytes - at && alone->server_name == hello.server_name && alone->encrypted == hello.encrypted;
    }
    must(found, "a second hello is a hello");
}

void check_ended(std::string_view in, bool refused)
{
    for (const std::string_view more : {"\x16", "\x14\x03\x03", "GET"}) {
        const auto later = scan_second_hello(octets(std::string{in} += more));
        must(refused ? std::holds_alternative<malformed>(later) : std::holds_alternative<no_hello>(later),
             "an end stays, whatever follows");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    check_first_answer(in);
    const auto scan = scan_second_hello(octets(in));
    if (const auto* hello = std::get_if<client_hello>(&scan)) check_accepted(in, *hello);
    else if (!std::holds_alternative<need_more>(scan)) check_ended(in, std::holds_alternative<malformed>(scan));
    return 0;
}
