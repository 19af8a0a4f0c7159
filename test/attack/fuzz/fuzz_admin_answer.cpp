// What an admin listener may answer `exeat top`. Whatever it is, it is read or refused, and what comes of it on a screen of any size is as
// many lines as there are, none wider, of characters that do nothing to a terminal. The first octet says what the terminal can show.
#include "property.hpp"

#include <cli/live/draw.hpp>
#include <ops/text/json_text.hpp>

#include <algorithm>
#include <chrono>

using namespace exeat;
using namespace exeat::cli::live;
using namespace exeat::fuzz;

namespace {

bool harmless(std::string_view text, charset can)
{
    while (!text.empty()) {
        const auto c = ops::first_code_point(text);
        const bool letter = can == charset::utf8 && c.octets > 1 && c.value >= 0xa1;
        if (!letter && (c.value < ' ' || c.value > '~')) return false;
        text.remove_prefix(std::max<std::size_t>(c.octets, 1));
    }
    return true;
}

void check_drawing(const picture& p, const outlook& o, extent size)
{
    const auto drawn = draw(p, o, size, moment{} + std::chrono::seconds{9});
    must(drawn.lines.size() == size.rows, "a screen has as many lines as it has");
    for (const auto& l : drawn.lines) {
        must(width(l) <= size.columns, "no line is wider than the screen");
        for (const auto& part : l) must(harmless(part.text, p.can), "nothing on the screen does anything to it");
    }
}

void check_plain(const picture& p)
{
    auto text = plain_text(p, {}, tables);
    must(text.ends_with('\n'), "plain text is of whole lines");
    std::erase(text, '\n');
    must(harmless(text, p.can), "nothing of plain text does anything to a terminal");
}

void look(picture& p, std::string_view in)
{
    for (int seconds : {3, 5}) {
        auto status = read_status(in, p.can);
        must(status || harmless(status.error(), p.can), "what is wrong is told in plain characters");
        p.take(status ? std::move(*status) : status_answer{}, moment{} + std::chrono::seconds{seconds});
        if (!status) p.trouble = status.error();
        auto tunnels = read_tunnels(in, p.can);
        if (tunnels) p.take(std::move(*tunnels), moment{} + std::chrono::seconds{seconds});
        else p.tunnels_trouble = tunnels.error();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const auto in = text(data + 1, size - 1);
    draws any{in};
    picture p;
    p.host = "127.0.0.1:9464";
    p.can = data[0] % 2 == 0 ? charset::utf8 : charset::ascii;
    look(p, in);
    for (std::size_t v = 0; v < view_words.size(); ++v) {
        outlook o;
        o.what = static_cast<view>(v);
        if (v > 0) o.order_of(o.what).column = any.below(columns_of(o.what).size());
        o.first = any.below(200);
        check_drawing(p, o, {any.below(60), any.below(260)});
    }
    check_plain(p);
    return 0;
}
