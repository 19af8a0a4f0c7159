#include <ops/offline/verify_audit.hpp>

#include "temporary_directory.hpp"

#include <ops/audit/audit_line.hpp>

#include <doctest/doctest.h>
#include <random>
#include <vector>

using namespace exeat;
using namespace exeat::ops;

namespace {

struct book {
    label_registry labels;
    policy_status status;
    audit_line line{labels, status};
    audit_chain chain;

    std::string next(std::string_view host)
    {
        net::audit_record r;
        r.host = net::bounded_text{host};
        std::string out;
        line.append(out, r, chain);
        return out;
    }
    std::vector<std::string> lines(std::size_t n)
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < n; ++i) all.push_back(next("host" + std::to_string(i) + ".test"));
        return all;
    }
};

std::string joined(const std::vector<std::string>& lines)
{
    std::string all;
    for (const auto& l : lines) all += l;
    return all;
}

struct checked {
    temporary_directory dir;
    audit_findings operator()(std::string_view text, const std::optional<audit_place>& before = std::nullopt)
    {
        dir.write("audit.jsonl", text);
        return verify_audit(dir.path("audit.jsonl"), before);
    }
};

} // namespace

TEST_CASE("a log as it was written is whole")
{
    book b;
    checked check;
    const auto found = check(joined(b.lines(1'000)));
    CHECK_MESSAGE(found.whole(), found.problem);
    CHECK(found.lines == 1'000);
    CHECK(found.first == 1);
    CHECK(found.last == 1'000);
}

TEST_CASE("an empty log is whole, an absent one is a failure")
{
    checked check;
    CHECK(check("").whole());
    CHECK_FALSE(verify_audit(check.dir.path("none")).whole());
    CHECK(verify_audit(check.dir.path("none")).broken_line == 0);
}

TEST_CASE("whichever octet before the last line is changed, it is found")
{
    book b;
    checked check;
    const auto good = b.lines(3);
    const auto text = joined(good);
    const auto last = text.size() - good.back().size();
    for (std::size_t i = 0; i < last; ++i) {
        auto bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto found = check(bad);
        REQUIRE_MESSAGE(!found.whole(), "octet " << i);
        REQUIRE(found.broken_line >= 1);
        REQUIRE(found.broken_line <= 3);
    }
}

TEST_CASE("a line that is removed, repeated, moved or put in is found where it happened")
{
    book b;
    checked check;
    const auto good = b.lines(10);
    auto removed = good;
    removed.erase(removed.begin() + 4);
    CHECK(check(joined(removed)).broken_line == 5);
    auto repeated = good;
    repeated.insert(repeated.begin() + 4, good[3]);
    CHECK(check(joined(repeated)).broken_line == 5);
    auto moved = good;
    std::swap(moved[4], moved[5]);
    CHECK(check(joined(moved)).broken_line == 5);
    auto foreign = good;
    foreign.insert(foreign.begin() + 4, "{\"event.action\":\"open\"}\n");
    CHECK(check(joined(foreign)).broken_line == 5);
}

TEST_CASE("a line that was rewritten with the right number breaks the next line's hash")
{
    book b;
    checked check;
    auto lines = b.lines(3);
    lines[1].replace(lines[1].find("host1"), 5, "other");
    const auto found = check(joined(lines));
    CHECK(found.broken_line == 3);
    CHECK(found.problem.find("hash") != std::string::npos);
}

TEST_CASE("a log that was cut in mid-line is found")
{
    book b;
    checked check;
    const auto text = joined(b.lines(3));
    CHECK(check(text.substr(0, text.size() - 1)).broken_line == 3);
    CHECK(check(text.substr(0, text.size() - 100)).broken_line == 3);
}

TEST_CASE("a rotated log goes on where the file before ended, and a lost file between is found")
{
    book b;
    checked check;
    const auto first = check(joined(b.lines(5)));
    const auto second = check(joined(b.lines(5)), first.end);
    CHECK_MESSAGE(second.whole(), second.problem);
    CHECK(second.first == 6);
    const auto fourth = [&] {
        b.lines(5);
        return joined(b.lines(5));
    }();
    CHECK(check(fourth, second.end).broken_line == 1);
    CHECK(check(fourth).whole()); // by itself it is
}

TEST_CASE("a fragment that a crash left is forgiven only to a next line that owns up to it")
{
    checked check;
    book b;
    const auto head = joined(b.lines(2));
    const std::string fragment = R"({"@timestamp":"2026-02-)";
    b.line.after_torn(fragment, 3);
    const auto tail = joined(b.lines(2));
    const auto found = check(head + fragment + "\n" + tail);
    CHECK_MESSAGE(found.whole(), found.problem);
    CHECK(found.notes.size() == 1);
    CHECK(found.lines == 4);
    CHECK(check(head + fragment + "x\n" + tail).broken_line == 3);
    CHECK(check(head + fragment + "\n").broken_line == 3);
    CHECK(check(head + fragment + "\n" + fragment + "\n" + tail).broken_line == 3);
    CHECK(check(head + tail).broken_line == 3);
    auto changed = head;
    changed.replace(changed.rfind("host1"), 5, "other"); // the last whole line, too
    CHECK(check(changed + fragment + "\n" + tail).broken_line == 4);
}

TEST_CASE("a fragment as logs of before checkpoints told of it is still read")
{
    checked check;
    book b;
    const auto head = joined(b.lines(2));
    const std::string fragment = R"({"@timestamp":"2026-02-)";
    b.chain.resume(fragment, 3);
    auto next = b.next("host.test");
    const auto at = next.find(",\"event.kind\"");
    next.insert(at, ",\"exeat.audit.torn_octets\":" + std::to_string(fragment.size()));
    CHECK(check(head + fragment + "\n" + next).whole());
    CHECK_FALSE(check(head + fragment + "x\n" + next).whole());
}

TEST_CASE("a fragment may have so many octets, and one more is no fragment")
{
    checked check;
    for (const std::size_t more : {0, 1}) {
        book b;
        const auto head = joined(b.lines(2));
        const std::string fragment(limits::audit_fragment_bytes + more, 'x');
        b.line.after_torn(fragment, 3);
        CHECK(check(head + fragment + "\n" + joined(b.lines(2))).whole() == (more == 0));
    }
}

TEST_CASE("a fragment at a file's end belongs to the first line of the next one, and a line may lack its newline alone")
{
    temporary_directory dir;
    book b;
    const auto head = joined(b.lines(2));
    const std::string fragment = R"({"@timestamp":"2026-02-)";
    b.line.after_torn(fragment, 3);
    const auto tail = joined(b.lines(2));
    const auto verify = [&](std::string_view first, std::string_view second) {
        dir.write("1", first);
        dir.write("2", second);
        audit_verifier log;
        if (!log.read(dir.path("1")) || !log.read(dir.path("2"))) return false;
        return log.files()[0].whole() && log.files()[1].whole() && log.last() == 4;
    };
    CHECK(verify(head + fragment, tail));
    CHECK_FALSE(verify(head + fragment + "x", tail));
    CHECK_FALSE(verify(head, tail));
    book c;
    const auto all = c.lines(4);
    const auto two = all[0] + all[1];
    CHECK(verify(two.substr(0, two.size() - 1), all[2] + all[3]));
    CHECK_FALSE(verify(two.substr(0, two.size() - 1), all[3]));
}

TEST_CASE("no bytes whatsoever are more than a broken log")
{
    checked check;
    std::mt19937 draw{11};
    for (int i = 0; i < 300; ++i) {
        std::string bytes(draw() % 2'000 + 1, '\0');
        for (auto& c : bytes) c = static_cast<char>(draw());
        CHECK_FALSE(check(bytes).whole());
    }
    CHECK_FALSE(check(std::string(300'000, '[')).whole());
    CHECK_FALSE(check(std::string(300'000, '[') + "\n").whole());
    CHECK_FALSE(check(std::string(10'000, '[') + "\n").whole());
    CHECK_FALSE(check("\n").whole());
    CHECK_FALSE(check("{}\n{}\n").whole());
    CHECK_FALSE(check("{\"event.sequence\":-1,\"exeat.audit.previous\":\"\"}\n").whole());
    CHECK_FALSE(check("{\"event.sequence\":1.5,\"exeat.audit.previous\":\"\"}\n").whole());
    CHECK_FALSE(check("{\"event.sequence\":1,\"exeat.audit.previous\":7}\n").whole());
}
