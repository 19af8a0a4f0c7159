#include "small_allowlist.hpp"

#include <ops/files/end_mark.hpp>

using namespace exeat;
using namespace exeat::testing;

namespace {

ops::loaded_allowlist load_marked(const std::string& path)
{
    label_registry labels;
    ops::load_options with;
    with.require_end = true;
    return load_allowlist(path, labels, now, with);
}

const std::string list =
    std::string{least} + std::string{entry} + "[[expect]]\nclient = \"10.42.1.1\"\ntarget = \"ok.test:443\"\nverdict = \"allow\"\n";

} // namespace

TEST_CASE("the end mark is the last line that says anything, whatever table it seems to be in")
{
    for (const auto* end : {"end = true", "end = true\n", "end=true\r\n", "  end = true # all of it\n\n# a comment\n"}) {
        const auto text = list + end;
        const auto marked = ops::without_end_mark(text);
        CHECK_MESSAGE(marked.whole, end);
        CHECK(marked.text == list);
    }
    for (const auto* no_end : {"", "end = true\n[groups.x]\n", "# end = true\n", "the_end = true", "end = tru"}) {
        const auto text = list + no_end;
        const auto marked = ops::without_end_mark(text);
        CHECK_MESSAGE(!marked.whole, no_end);
        CHECK(marked.text == text);
    }
    CHECK(ops::without_end_mark("a = 1\nend = false\n").wrong_at == 2);
    CHECK_FALSE(ops::without_end_mark("").whole);
    CHECK(ops::without_end_mark("end = true").text.empty());
}

TEST_CASE("where the end mark is required, no part of a list is taken, however it is cut")
{
    const temporary_directory d;
    const auto whole = list + "end = true\n";
    CHECK(load_marked(d.write("allowlist.toml", whole)).rules);
    std::size_t refused = 0;
    for (std::size_t cut = 0; cut + 1 < whole.size(); ++cut) { // but for the last newline
        const auto loaded = load_marked(d.write("allowlist.toml", whole.substr(0, cut)));
        CHECK_MESSAGE(!loaded.rules, whole.substr(0, cut));
        refused += text_of(loaded.problems).find("does not end with the line end = true") != std::string::npos;
    }
    CHECK(refused > list.size());           // also where it is still TOML
    CHECK(load(list + "end = true").rules); // not required, it may be there all the same
    CHECK(load(list).rules);
}

TEST_CASE("no text that a list holds can pass for its end")
{
    CHECK_FALSE(load("deny_help = \"\"\"\nend = true").rules); // the string is still open
    CHECK_FALSE(load("serial = 1\nx = [\nend = true").rules);
    CHECK_FALSE(load("serial = 1\nend = true\n[groups.a]\nsources = [\"10.0.0.0/8\"]\n").rules);
}

TEST_CASE("the mark is required of parts and hosts files as well")
{
    const temporary_directory d;
    std::filesystem::create_directory(d.path("allowlist.d"));
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\nend = true\n");
    const std::string part = "[[allow]]\nname = \"b\"\nhosts = [\"b.test\"]\n";
    d.write("names.txt", "one.test\ntwo.test\n# end\n");
    d.write("allowlist.d/b.toml", part + "end = true\n");
    CHECK_MESSAGE(load_marked(path).rules, text_of(load_marked(path).problems));
    d.write("allowlist.d/b.toml", part);
    CHECK(text_of(load_marked(path).problems).find("b.toml: error: does not end with the line end = true") != std::string::npos);
    d.write("allowlist.d/b.toml", part + "end = true\n");
    for (const auto* names : {"one.test\ntwo.test\n", "one.test\n# en", "# end\none.test\n", "one.test # end\n"}) {
        d.write("names.txt", names);
        const auto loaded = load_marked(path);
        CHECK_FALSE(loaded.rules);
        CHECK_MESSAGE(text_of(loaded.problems).find("names.txt: error: does not end with the line # end") != std::string::npos, names);
    }
    d.write("names.txt", "one.test\n#end\r\n\n");
    CHECK(load_marked(path).rules);
}
