// What people sign: a manifest, a grant, a revocation, and the signatures below. Whatever is read is written as it was, to the octet, and
// no text is two kinds of statement at once.
#include "problems.hpp"
#include "property.hpp"

#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/revoked_memory.hpp>
#include <ops/approvals/signed_text.hpp>

#include <algorithm>
#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

bool plain(const ops::named_file& f)
{
    return !f.name.empty() && f.name.front() != '/' && std::none_of(f.name.begin(), f.name.end(), control);
}

void read_statement(std::string_view text)
{
    const auto m = ops::read_manifest(text);
    const auto g = ops::read_grant(text);
    const auto r = ops::read_revocation(text);
    must(int{m.has_value()} + int{g.has_value()} + int{r.has_value()} <= 1, "a statement is of one kind");
    if (m) {
        must(m->to_text() == text, "a manifest has one spelling");
        must(plain(m->list) && std::all_of(m->parts.begin(), m->parts.end(), plain) &&
                 std::all_of(m->hosts_files.begin(), m->hosts_files.end(), plain),
             "names are relative, and printable");
        must(std::is_sorted(m->parts.begin(), m->parts.end(), [](const auto& a, const auto& b) { return a.name <= b.name; }) ||
                 m->parts.size() < 2,
             "each part is named once");
    }
    if (g) must(g->to_text() == text && plain(g->file), "a grant has one spelling");
    if (r) must(r->to_text() == text, "a revocation has one spelling");
    must(m || m.error().starts_with("line "), "what is wrong with a manifest has its line");
    must(g || g.error().starts_with("line "), "what is wrong with a grant has its line");
    must(r || r.error().starts_with("line "), "what is wrong with a revocation has its line");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    read_statement(in);
    if (const auto s = ops::read_signed(in)) {
        must(s->to_text() == in, "signatures have one spelling");
        must(!ops::check_approvals(*s, {{}, 1, {}}, 1), "nobody's key counts");
        read_statement(s->statement);
    }
    if (const auto all = ops::read_revoked_memory(in)) must(ops::revoked_memory_text(*all) == in, "what was revoked has one spelling");
    return 0;
}
