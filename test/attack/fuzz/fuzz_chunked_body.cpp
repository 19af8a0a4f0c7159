// The chunked coding. Wherever the input is cut, the same payload comes out, the same verdict is said and as much is consumed; and what
// exeat writes for the payload reads as that payload.
#include "property.hpp"

#include <exeat/chunked_body.hpp>
#include <net/http/http_body.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

struct outcome {
    std::string payload;
    std::size_t consumed = 0;
    bool done = false, malformed = false;
    bool operator==(const outcome&) const = default;
};

// All of one piece, as the reader's owner does it: again until nothing more is consumed.
void read_piece(chunk_reader& reader, std::string_view piece, outcome& out)
{
    while (!piece.empty() && !out.done && !out.malformed) {
        const auto s = reader.read(piece);
        must(s.consumed <= piece.size(), "no more is consumed than was given");
        must(s.data.empty() || (s.data.data() >= piece.data() && s.data.data() + s.data.size() <= piece.data() + s.consumed),
             "the payload lies in what was consumed");
        must(!(s.done && s.malformed), "a body is not both");
        out.payload += s.data;
        out.consumed += s.consumed;
        out.done = s.done;
        out.malformed = s.malformed;
        must(s.consumed > 0 || s.done || s.malformed, "it gets on");
        piece.remove_prefix(s.consumed);
    }
}

template <class Size> outcome read_in_pieces(std::string_view in, Size next_size)
{
    chunk_reader reader;
    outcome out;
    while (!in.empty() && !out.done && !out.malformed) {
        const auto piece = in.substr(0, next_size());
        const auto before = out.consumed;
        read_piece(reader, piece, out);
        must(out.done || out.malformed || out.consumed - before == piece.size(), "a body that goes on consumes all");
        in.remove_prefix(out.consumed - before);
    }
    return out;
}

void check_written_anew(std::string_view in, const outcome& whole)
{
    net::http_body body{{body_framing::kind::chunked, 0}, true};
    std::string out;
    const auto used = body.take(in, out);
    must(used == whole.consumed && body.done() == whole.done && body.malformed() == whole.malformed, "the body's owner reads the same");
    if (!whole.done) return;
    const auto again = read_in_pieces(out, [&] { return out.size(); });
    must(again.done && again.consumed == out.size() && again.payload == whole.payload, "what is written anew is the same payload");
    must(!body.end_of_input() || body.done(), "only a whole body has ended");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    draws draw{in};
    const auto whole = read_in_pieces(in, [&] { return in.size(); });
    must(whole == read_in_pieces(in, [] { return 1; }), "octet by octet the body is the same");
    must(whole == read_in_pieces(in, [&] { return 1 + draw.below(in.size()); }), "in pieces of any size the body is the same");
    check_written_anew(in, whole);
    return 0;
}
