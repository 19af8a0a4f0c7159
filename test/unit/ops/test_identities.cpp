// What the API server says of pods, and what of it reaches the file.
#include "temporary_directory.hpp"
#include "written_pod.hpp"

#include <ops/identity/api_pods.hpp>
#include <ops/identity/api_token.hpp>
#include <ops/identity/line_splitter.hpp>
#include <ops/identity/pods_file.hpp>
#include <ops/identity/pods_writer.hpp>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

std::string versioned(const written& w, std::uint64_t version)
{
    auto line = w.line();
    const auto at = line.find(R"("uid":)");
    return line.insert(at, fmt::format(R"("annotations":{{"x":"secret"}},"resourceVersion":"{}",)", version));
}

std::string page_of(std::string_view about, std::string_view items = "")
{
    return fmt::format(R"({{"kind":"PodList","metadata":{{{}}},"items":[{}]}})", about, items);
}

std::string wrong_page(std::string_view text)
{
    const auto page = read_pod_page(text);
    return page ? "nothing" : page.error();
}

api_event event_of(std::string_view type, const written& w, std::uint64_t version)
{
    const auto e = read_api_event(fmt::format(R"({{"type":"{}","object":{}}})", type, versioned(w, version)));
    REQUIRE_MESSAGE(e.has_value(), (e ? std::string{} : e.error()));
    return *e;
}

api_pods listed(std::vector<std::string>* left_out = nullptr)
{
    api_pods out{"", [left_out](const api_pod& p) {
                     if (left_out != nullptr) left_out->push_back(p.why);
                 }};
    out.begin_list();
    CHECK(out.take(*read_pod_page(page_of(R"("resourceVersion":"10","continue":"x")", versioned(with_uid(1), 3)))).empty());
    CHECK(out.take(*read_pod_page(page_of(R"("resourceVersion":"10")", versioned(with_uid(2), 4)))).empty());
    out.end_list();
    return out;
}

} // namespace

TEST_CASE("lines are found in any pieces, and one that is too long is not")
{
    const std::string text = "one\n\ntwo\nthree";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        line_splitter s{5};
        std::string all;
        for (const auto piece : {std::string_view{text}.substr(0, cut), std::string_view{text}.substr(cut)}) {
            s.put(piece);
            while (const auto line = s.next()) (all += *line) += ';';
        }
        CHECK(all == "one;;two;");
        CHECK_FALSE(s.too_long());
    }
    line_splitter s{5};
    s.put("12345\n123456");
    CHECK(s.next() == "12345");
    CHECK_FALSE(s.next());
    CHECK(s.too_long());
}

TEST_CASE("what a page of the list lacks, or has too much of, is said")
{
    CHECK(wrong_page(page_of(R"("resourceVersion":"1")")) == "nothing");
    CHECK(wrong_page("[]") == "is not an object of JSON");
    CHECK(wrong_page(R"({"kind":"NodeList"})") == "is of kind 'NodeList', and not a PodList");
    CHECK(wrong_page(R"({"kind":"PodList","metadata":{"resourceVersion":"1"}})") == "has no list of items");
    CHECK(wrong_page(page_of(R"("resourceVersion":"1&x=2")")) == "has the resourceVersion '1&x=2', which cannot be one");
    CHECK(wrong_page(page_of(R"("resourceVersion":")" + std::string(limits::api_version_octets, '1') + '"')) == "nothing");
    CHECK(wrong_page(page_of(R"("resourceVersion":")" + std::string(limits::api_version_octets + 1, '1') + '"')) != "nothing");
    const auto next = [](std::size_t n) { return page_of(R"("resourceVersion":"1","continue":")" + std::string(n, 'a') + '"'); };
    CHECK(wrong_page(next(limits::api_continue_octets)) == "nothing");
    CHECK(wrong_page(next(limits::api_continue_octets + 1)) == "has a 'continue' of more than 4096 octets");
    CHECK(wrong_page(page_of(R"("resourceVersion":"1")", "7")) == "has an item that is not an object of JSON");
}

TEST_CASE("events are what they change in the file, and nothing else of a pod gets there")
{
    auto pods = listed();
    CHECK(pods.size() == 2);
    std::string lines;
    CHECK(pods.take(event_of("MODIFIED", with_uid(1), 11), lines).empty()); // nothing that exeat reads is another
    CHECK(lines.empty());
    CHECK(pods.take(event_of("MODIFIED", with_uid(1, "10.244.0.9"), 12), lines).empty());
    CHECK(pods.take(event_of("ADDED", with_uid(3), 13), lines).empty());
    CHECK(pods.take(event_of("DELETED", with_uid(2), 14), lines).empty());
    CHECK(pods.take(event_of("DELETED", with_uid(7), 15), lines).empty()); // never known
    CHECK(lines.find("secret") == lines.npos);
    const temporary_directory dir;
    std::string first;
    pods.append_to(first);
    const auto path = dir.write("pods.jsonl", first + "{\"type\":\"BOOKMARK\"}\n" + lines);
    const auto news = pods_file{path}.read();
    REQUIRE_MESSAGE(news.has_value(), (news ? std::string{} : news.error()));
    CHECK(news->now.size() == 2);
    CHECK(pods.version() == "15");
}

TEST_CASE("an event that is not newer than the last one is not taken, except for an end")
{
    auto pods = listed();
    std::string lines;
    CHECK(pods.take(event_of("ADDED", with_uid(3), 10), lines) == "has the resourceVersion 10, which is not newer than 10");
    CHECK(pods.take(event_of("ADDED", with_uid(3), 9), lines) != "");
    CHECK(lines.empty());
    CHECK(pods.take(event_of("DELETED", with_uid(1), 5), lines).empty());
    CHECK(lines.starts_with(R"({"type":"DELETED")"));
    CHECK(pods.version() == "10");
    CHECK(*compare_versions("99", "100") == std::strong_ordering::less);
    CHECK(*compare_versions("100", "100") == std::strong_ordering::equal);
    CHECK_FALSE(compare_versions("1a", "2"));
}

TEST_CASE("a pod that cannot be one is left out, and leaves the file when it was there")
{
    std::vector<std::string> left_out;
    auto pods = listed(&left_out);
    auto bad = with_uid(1);
    bad.account = "../x";
    std::string lines;
    CHECK(pods.take(event_of("MODIFIED", bad, 20), lines).empty());
    CHECK(left_out == std::vector<std::string>{"has a service account that is none: '../x'"});
    CHECK(lines.starts_with(R"({"type":"DELETED")"));
    CHECK(pods.size() == 1);
}

TEST_CASE("a token is one line of what a token may have, and of a bounded length")
{
    const temporary_directory dir;
    const auto read = [&](const std::string& text) {
        const auto token = read_api_token(dir.write("token", text));
        return token ? *token : "nothing";
    };
    CHECK(read("abc.def\n") == "abc.def");
    for (const auto* bad : {"", "\n", "a b", "a\nb", "a\tb", "a\r\nX: y", "\xc3\xa4"}) CHECK(read(bad) == "nothing");
    CHECK(read(std::string(limits::api_token_bytes, 'a')).size() == limits::api_token_bytes);
    CHECK(read(std::string(limits::api_token_bytes + 1, 'a')) == "nothing");
    CHECK(read_api_token(dir.path("none")).has_error());
}

TEST_CASE("a file of events is written anew once it is much longer than its pods")
{
    const temporary_directory dir;
    pods_writer w{dir.path("pods.jsonl")};
    CHECK_FALSE(w.may_append(1)); // there is none yet
    CHECK_FALSE(w.replace("first\n"));
    CHECK(w.may_append(limits::pods_appended_least));
    CHECK_FALSE(w.may_append(limits::pods_appended_least + 1));
    CHECK_FALSE(w.append("second\n"));
    CHECK(w.may_append(limits::pods_appended_least - 7));
    CHECK_FALSE(w.may_append(limits::pods_appended_least - 6));
    dir.write("pods.jsonl", "somebody else\n");
    CHECK_FALSE(w.may_append(1));
    CHECK_FALSE(w.replace("third\n"));
    std::filesystem::remove(dir.path("pods.jsonl"));
    CHECK_FALSE(w.may_append(1));
    CHECK(pods_writer{dir.path("not/there")}.replace("x"));
}
