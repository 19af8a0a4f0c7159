// The ClientHello, as a server would read it. A hello that is accepted was nothing but incomplete at every cut before, and says the same
// however its message is cut into records; a refusal stays one, whatever follows.
#include "property.hpp"

#include <exeat/tls/client_hello.hpp>

#include <algorithm>
#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

constexpr std::size_t record_header = 5;

std::string message_of(std::string_view records)
{
    std::string message;
    while (!records.empty()) {
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(records[3])) << 8 | static_cast<unsigned char>(records[4]);
        message += records.substr(record_header, size);
        records.remove_prefix(record_header + size);
    }
    return message;
}

std::string cut_into_records(std::string_view message, draws& draw)
{
    constexpr std::size_t most_records = 64;
    static_assert(limits::client_hello_bytes + most_records * record_header < limits::held_hello_bytes);
    std::string out;
    for (std::size_t left = 1 + draw.below(most_records); !message.empty(); left -= left > 1) {
        const auto size = left == 1 ? message.size() : 1 + draw.below(message.size());
        out += {'\x16', '\x03', '\x01', static_cast<char>(size >> 8), static_cast<char>(size)};
        out += message.substr(0, size);
        message.remove_prefix(size);
    }
    return out;
}

bool same(const client_hello& a, const client_hello& b) { return a.server_name == b.server_name && a.hidden == b.hidden; }

void check_accepted(std::string_view in, const client_hello& hello)
{
    draws draw{in};
    must(hello.bytes <= in.size(), "a hello is no longer than what was seen");
    for_cuts(hello.bytes, draw, [&](std::size_t n) {
        must(std::holds_alternative<need_more>(scan_client_hello(octets(in.substr(0, n)))), "a hello that is cut asks for more");
    });
    const auto records = in.substr(0, hello.bytes);
    const auto alone = scan_client_hello(octets(records));
    must(std::holds_alternative<client_hello>(alone), "a hello stands alone");
    must(same(std::get<client_hello>(alone), hello) && std::get<client_hello>(alone).bytes == hello.bytes, "and says the same");
    const auto cut = cut_into_records(message_of(records), draw);
    const auto again = scan_client_hello(octets(cut));
    must(std::holds_alternative<client_hello>(again), "a hello may be cut into records anyhow");
    must(same(std::get<client_hello>(again), hello) && std::get<client_hello>(again).bytes == cut.size(), "and it says the same then");
    if (!hello.server_name) return;
    const auto& name = *hello.server_name;
    must(!name.address(), "a server name is not an address");
    const auto reread = hostname::parse(name.str());
    must(reread.has_value() && *reread == name, "a server name is canonical");
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    auto folded = message_of(records);
    std::transform(folded.begin(), folded.end(), folded.begin(), lower);
    must(folded.find(name.str()) != std::string::npos, "a server name stands in the hello");
}

void check_refused(std::string_view in, verdict why)
{
    must(why == verdict::not_tls || why == verdict::tls_malformed || why == verdict::host_syntax, "a refusal has one of its reasons");
    for (const std::string_view more : {"\x16", "\x03\x01\x00\x05\x01", "GET / HTTP/1.1\r\n\r\n"}) {
        const auto later = scan_client_hello(octets(std::string{in} += more));
        must(std::holds_alternative<malformed>(later) && std::get<malformed>(later).why == why, "a refusal stays, whatever follows");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const auto scan = scan_client_hello(octets(in));
    if (const auto* hello = std::get_if<client_hello>(&scan)) check_accepted(in, *hello);
    else if (const auto* bad = std::get_if<malformed>(&scan)) check_refused(in, bad->why);
    else must(in.size() < limits::held_hello_bytes, "there is an end to asking for more");
    return 0;
}
