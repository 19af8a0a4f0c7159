// Both directions of a TLS handshake through hello_watch. The input is a list of chunks: a head octet whose highest bit is the direction
// and whose other bits, with those of the octet that follows, are the chunk's size. No byte of a plaintext handshake record of the client
// passes before a ServerHello that is no HelloRetryRequest unless it belongs to a hello that says the agreed name; what was decided stays;
// and cutting the chunks differently changes no verdict.
#include "property.hpp"

#include <exeat/limits.hpp>
#include <exeat/tls/hello_retry.hpp>

#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

using phase = hello_watch::phase;

struct chunk {
    bool from_client;
    std::string_view bytes;
};

std::vector<chunk> chunks_of(std::string_view in)
{
    std::vector<chunk> out;
    while (in.size() > 2) {
        const auto head = static_cast<unsigned char>(in[0]);
        const auto size = std::min<std::size_t>((head & 0x7fU) << 8 | static_cast<unsigned char>(in[1]), in.size() - 2);
        out.push_back({(head & 0x80U) != 0, in.substr(2, size)});
        in.remove_prefix(2 + size);
    }
    return out;
}

const hostname& agreed_name()
{
    static const auto name = *hostname::parse("ok.test");
    return name;
}

struct run {
    hello_watch watch;
    std::string passed, held;
    verdict why = verdict::allowed;

    void client(std::string_view bytes)
    {
        held += bytes;
        const auto before = watch.at();
        const auto s = watch.from_client(octets(held), {agreed_name(), ech_policy::deny});
        must(s.pass <= held.size(), "no more passes than is there");
        must(s.pass == 0 || s.why == verdict::allowed, "of what is refused nothing passes");
        if (before == phase::ended) must(s.pass == 0 && watch.at() == phase::ended, "an end stays");
        if (before == phase::over) must(s.pass == held.size(), "after the ServerHello all passes");
        if (why == verdict::allowed) why = s.why;
        else must(s.why == why, "a verdict stays");
        // What the watch lets through ahead of the ServerHello is looked at here.
        if (before != phase::over) passed += held.substr(0, s.pass);
        held.erase(0, s.pass);
    }
    void server(std::string_view bytes)
    {
        const auto before = watch.at();
        const auto said = watch.from_server(octets(bytes));
        if (before == phase::ended || before == phase::over) must(watch.at() == before, "an end stays");
        if (why == verdict::allowed) why = said;
        else must(said == why, "a verdict stays");
    }
};

// An independent reading of what passed ahead of the ServerHello: the handshake messages in it are at most two, both hellos of that name.
void check_passed(const std::string& passed)
{
    std::size_t hellos = 0;
    for (std::size_t at = 0; at < passed.size();) {
        const auto rest = std::string_view{passed}.substr(at);
        must(rest.size() >= 5, "records pass whole");
        const auto size = 5 + (static_cast<std::size_t>(static_cast<unsigned char>(rest[3])) << 8 | static_cast<unsigned char>(rest[4]));
        if (rest[0] != 22) {
            must(rest[0] == 20 || rest[0] == 21 || rest[0] == 23, "only records that TLS 1.3 allows there pass");
            must(size <= rest.size() && hellos > 0, "records pass whole, behind a hello");
            at += size;
            continue;
        }
        const auto scan = scan_client_hello(octets(rest));
        const auto* hello = std::get_if<client_hello>(&scan);
        must(hello != nullptr, "a handshake record that passes belongs to a hello");
        must(hello->server_name && *hello->server_name == agreed_name(), "a hello that passes says the agreed name");
        must(hello->hidden == hidden_hello::none, "an encrypted hello does not pass");
        must(++hellos <= 2, "a third hello does not pass");
        at += hello->bytes;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    draws draw{in};
    run whole, cut;
    for (const auto& c : chunks_of(in)) {
        c.from_client ? whole.client(c.bytes) : whole.server(c.bytes);
        for (auto rest = c.bytes; !rest.empty();) {
            const auto n = 1 + draw.below(std::min<std::size_t>(rest.size(), draw.below(2) == 0 ? 8 : 4'096));
            c.from_client ? cut.client(rest.substr(0, n)) : cut.server(rest.substr(0, n));
            rest.remove_prefix(n);
        }
        must(whole.why == cut.why && whole.watch.at() == cut.watch.at(), "cuts change no verdict");
    }
    check_passed(whole.passed);
    check_passed(cut.passed);
    return 0;
}
