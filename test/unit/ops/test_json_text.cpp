#include <ops/process/log.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/problem.hpp>

#include <array>
#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace exeat::ops;

TEST_CASE("text that is printed keeps line ends and tabs and shows every other control as an escape")
{
    for (unsigned c = 0; c < 0x20; ++c) {
        const std::string text{static_cast<char>(c)};
        if (c == '\n' || c == '\t') CHECK(harmless(text) == text);
        else CHECK(harmless(text).starts_with("\\u00"));
        CHECK(one_line(text).starts_with("\\u00"));
    }
    CHECK(harmless("a \"b\" \\ c") == "a \"b\" \\ c");
    CHECK(harmless("Grüße, 世界") == "Grüße, 世界");
    CHECK(harmless("\x7f") == "\\u007f");
}

TEST_CASE("what a terminal takes for a command or an eye does not see is escaped whatever its length")
{
    struct sample {
        std::string_view text, shown;
    };
    const std::array<sample, 7> samples{{{"\xc2\x85", "\\u0085"}, // NEL, of C1
                                         {"\xc2\x9b", "\\u009b"}, // CSI, of C1
                                         {"\xe2\x80\xae", "\\u202e"},
                                         {"\xe2\x81\xa6", "\\u2066"},
                                         {"\xe2\x80\x8b", "\\u200b"},
                                         {"\xef\xbb\xbf", "\\ufeff"},
                                         {"\xf3\xa0\x81\x81", "\\U000e0041"}}};
    for (const auto& s : samples) {
        CHECK(harmless(s.text) == s.shown);
        CHECK(one_line(s.text) == s.shown);
    }
    CHECK(harmless("\x9b") == "\xef\xbf\xbd"); // alone it is no UTF-8, and CSI to an eight-bit terminal
    CHECK(harmless("\xc2") == "\xef\xbf\xbd");
}

TEST_CASE("a JSON document that was made harmless says the same")
{
    const std::string text = "\x1b[2J \xe2\x80\xae \xf3\xa0\x81\x81 \xc2\x9b \"q\"\\";
    const auto document = boost::json::serialize(boost::json::object{{text, text}});
    const auto shown = harmless_json(document);
    CHECK(shown.find('\x1b') == shown.npos);
    CHECK(shown.find("\xe2\x80\xae") == shown.npos);
    CHECK(shown.find("\\udb40\\udc41") != shown.npos);
    CHECK(boost::json::parse(shown) == boost::json::parse(document));
}

TEST_CASE("neither a file's name nor what is said of it makes a line of its own")
{
    const problem p{"a\nb.toml\x1b", 3, 1, problem::weight::error, "x\ny"};
    CHECK(p.to_string() == "a\\u000ab.toml\\u001b:3:1: error: x\\u000ay");
}

TEST_CASE("a line of exeat's own log has nothing raw in any of its formats")
{
    for (const auto format : {log_format::people, log_format::logfmt, log_format::json}) {
        const auto line = event_log{format}.line(severity::error, "e", {{"why", "\x1b]0;x\x07\n\xe2\x80\xae\xc2\x9b\xff"}}, "now");
        CHECK(line.find("\\u001b]0;x\\u0007\\u000a\\u202e\\u009b\xef\xbf\xbd") != line.npos);
    }
}
