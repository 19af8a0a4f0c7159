// What a hostile or a broken admin listener may say, and what becomes of it.
#include "small_status.hpp"

#include <cli/live/admin_site.hpp>
#include <exeat/limits.hpp>
#include <ops/text/utc.hpp>

using namespace exeat;
using namespace exeat::testing;

namespace {

std::string wrong_of(const json::object& status)
{
    const auto read = read_status(json::serialize(status), charset::utf8);
    return read ? "" : read.error();
}

// With one value changed: "totals.denied", "clients.0.client".
json::object with(std::string_view path, json::value value)
{
    auto all = small_status();
    json::value* at = nullptr;
    for (json::object* in = &all; !path.empty();) {
        const auto dot = std::min(path.find('.'), path.size());
        const std::string key{path.substr(0, dot)};
        path.remove_prefix(std::min(dot + 1, path.size()));
        at = at != nullptr && at->is_array() ? &at->get_array()[std::stoul(key)] : &(*in)[key];
        if (at->is_object()) in = &at->get_object();
    }
    *at = std::move(value);
    return all;
}

bool harmless(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

} // namespace

TEST_CASE("what an answer says is read, and times and lengths are kept")
{
    const auto s = read(small_status());
    CHECK(s.version == "0.1.0");
    CHECK(s.uptime == std::chrono::seconds{93'600});
    CHECK(s.policy->serial == 7);
    CHECK(s.clients.size() == 2);
    CHECK(s.clients[1].score == 20.5);
    CHECK(s.budgets[0].share == 0.93);
    CHECK(s.findings[0].entry.empty());
    CHECK(s.now - s.findings[0].at == std::chrono::seconds{60});
    CHECK_FALSE(read(with("policy", nullptr)).policy);
    CHECK(read(with("clients.0.last_cut", "2026-11-25T03:29:59.5Z")).clients[0].last_cut == s.now - std::chrono::seconds{1});
    const auto t = read_tunnels(json::serialize(small_tunnels()), charset::utf8);
    REQUIRE(t.has_value());
    CHECK(t->tunnels[0].client == "[fd00:42::7]:41234");
    CHECK(t->tunnels[0].target == "a.test:443");
    CHECK(t->tunnels[0].age == std::chrono::seconds{75});
}

TEST_CASE("a moment is written as it is read, in any year")
{
    for (const auto* text : {"1013-11-25T03:30:00Z", "1970-01-01T00:00:00Z", "2263-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
        REQUIRE(ops::parse_utc(text).has_value());
        CHECK(ops::utc(*ops::parse_utc(text)) == text); // nanoseconds since 1970 would be too many for 64 bits
    }
}

TEST_CASE("a value of another type is told with its path, and nothing is guessed")
{
    CHECK(wrong_of(with("uptime_seconds", "long")) == "uptime_seconds is not a number");
    CHECK(wrong_of(with("totals.upload_bytes", -1)) == "totals.upload_bytes is not a count");
    CHECK(wrong_of(with("totals.upload_bytes", 1.5)) == "totals.upload_bytes is not a count");
    CHECK(wrong_of(with("ready", 1)) == "ready is neither true nor false");
    CHECK(wrong_of(with("now", "yesterday")) == "now is not a time");
    CHECK(wrong_of(with("now", "2026-02-30T00:00:00Z")) == "now is not a time");
    CHECK(wrong_of(with("clients.1.client", nullptr)) == "clients[1].client is not text");
    CHECK(wrong_of(with("clients.0", 7)) == "clients[0] is not an object");
    CHECK(wrong_of(with("denied", json::object{})) == "denied is not a list");
    CHECK(wrong_of(with("reasons", json::array{1})) == "reasons has a value that is not text");
    auto without = small_status();
    without.erase("budgets");
    CHECK(wrong_of(without) == "budgets is missing");
    for (const auto* text : {"", "[]", "7", "{", "{\"version\":\"0.1.0\"", "\xff", "{\"version\":\"\xff\"}"}) {
        CAPTURE(text);
        CHECK_FALSE(read_status(text, charset::utf8).has_value());
        CHECK_FALSE(read_tunnels(text, charset::utf8).has_value());
    }
}

TEST_CASE("every value of an answer may be of any type without harm")
{
    const auto text = json::serialize(small_status());
    // Each value in turn is taken for another one: what stands between ':' or ',' or '[' and the next of them.
    for (const auto* other : {"null", "-1", "1e400", "\"\\u001b[2J\"", "[]", "{}", "true", "99999999999999999999"}) {
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            if (text[i] != ':' && text[i] != '[') continue;
            const auto end = text.find_first_of(",]}", i + 1);
            const auto read = read_status(text.substr(0, i + 1) + other + text.substr(end), charset::utf8);
            if (!read) CHECK(harmless(read.error()));
        }
    }
}

TEST_CASE("an answer's list has a thousand rows, and one more refuses it")
{
    const auto rows = [](std::size_t n) { return with("clients", json::array(n, client_row("a", 1))); };
    CHECK(wrong_of(rows(limits::top_rows)).empty());
    CHECK(wrong_of(rows(limits::top_rows + 1)) == "clients has more than 1000 rows");
}

TEST_CASE("texts of an answer can do nothing to a terminal, and take one column for each character")
{
    const auto shown = [](std::string_view text) {
        return read(with("clients.0.client", json::string(text.data(), text.size()))).clients[0].client;
    };
    CHECK(shown("training/10.42.0.7") == "training/10.42.0.7");
    CHECK(shown("\x1b[2J\x1b]0;owned\x07") == "\\x1b[2J\\x1b]0;owned\\x07");
    CHECK(shown("a\r\nb\tc\x7f") == "a\\x0d\\x0ab\\x09c\\x7f");
    CHECK(shown("\u009b2J") == "\\u009b2J");                // the one-octet CSI of eight-bit terminals
    CHECK(shown("a\u202eb\u200bc") == "a\\u202eb\\u200bc"); // right-to-left override, zero width
    CHECK(shown("e\u0301") == "e\\u0301");                  // a combining accent
    CHECK(shown("\u6f22") == "\\u6f22");                    // two columns wide
    CHECK(shown("\U0001f600") == "\\U0001f600");
    CHECK(shown("Zo\u00eb \u0416 \u03a9") == "Zo\u00eb \u0416 \u03a9");
    CHECK(printable("Zo\u00eb", charset::ascii) == "Zo\\u00eb");
    CHECK(printable("\xff\xc0\xaf", charset::utf8) == "\\xff\\xc0\\xaf");
    CHECK(printable(std::string_view{"\0", 1}, charset::utf8) == "\\x00");
}

TEST_CASE("a text of an answer has 255 columns, and of a longer one the end is cut")
{
    const std::string full(limits::top_text, 'x');
    CHECK(printable(full, charset::ascii) == full);
    CHECK(printable(full + "x", charset::ascii) == full.substr(1) + "~");
    CHECK(width(printable(std::string(10'000, '\x1b'), charset::utf8)) == limits::top_text);
    std::string wide;
    for (int i = 0; i < 300; ++i) wide += "\u0416";
    CHECK(width(printable(wide, charset::utf8)) == limits::top_text);
}

TEST_CASE("the admin listener is asked for by an address or as localhost, by http alone")
{
    const auto url = [](std::string_view text) {
        const auto site = parse_admin_url(text);
        return site ? site->url : "";
    };
    CHECK(url("http://127.0.0.1:9464") == "http://127.0.0.1:9464");
    CHECK(url("HTTP://10.0.0.7:80/") == "http://10.0.0.7:80");
    CHECK(url("http://10.0.0.7") == "http://10.0.0.7:9464");
    CHECK(url("http://[::1]:9464") == "http://[::1]:9464");
    CHECK(url("http://[fd00::7]") == "http://[fd00::7]:9464");
    CHECK(url("http://LocalHost:1") == "http://localhost:1");
    CHECK(parse_admin_url("http://localhost")->addresses.size() == 2);
    for (const auto* bad : {"", "127.0.0.1:9464", "https://127.0.0.1:9464", "http://", "http://exeat.test:9464", "http://127.0.0.1:0",
                            "http://127.0.0.1:65536", "http://127.0.0.1:9464/api/status", "http://localhost.evil.test",
                            "http://localhost:", "http://localhost:x", "http://::1:9464", "http://user@127.0.0.1",
                            "http://127.0.0.1:9464\r\nX: y", "http://[::1", "http://127.1"}) {
        CAPTURE(bad);
        REQUIRE_FALSE(parse_admin_url(bad).has_value());
        CHECK(has(parse_admin_url(bad).error(), "write http:// with an IP address or localhost"));
        CHECK(harmless(parse_admin_url(bad).error()));
    }
}
