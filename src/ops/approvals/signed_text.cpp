#include <ops/approvals/signed_text.hpp>

#include <exeat/limits.hpp>
#include <ops/approvals/signing_key.hpp>
#include <ops/text/statement_lines.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace exeat::ops {

namespace {

std::string read_approvals(statement_lines& in, std::size_t lines_before, std::vector<approval>& out)
{
    while (!in.at_end()) {
        const auto wrong = [&](std::string_view what) { return fmt::format("line {} {}", lines_before + out.size() + 1, what); };
        const auto line = in.take("signed");
        const auto space = line ? line->find(' ') : std::string_view::npos;
        const auto signature = space == std::string_view::npos ? std::nullopt : signature_from_base64(line->substr(space + 1));
        if (!signature || !is_hexadecimal(line->substr(0, space), limits::key_id_digits)) return wrong("must be 'signed KEY-ID SIGNATURE'");
        if (out.size() == limits::signatures) return fmt::format("there are more than {} signatures", limits::signatures);
        out.push_back({std::string{line->substr(0, space)}, *signature});
    }
    return {};
}

} // namespace

std::string signed_text::to_text() const
{
    auto out = statement + "\n";
    for (const auto& a : by) out += fmt::format("signed {} {}\n", a.key, to_base64(a.signature));
    return out;
}

boost::system::result<signed_text, std::string> read_signed(std::string_view text)
{
    const auto end = text.find("\n\n");
    if (end == text.npos) return std::string{"has no empty line between the statement and its signatures"};
    signed_text out;
    out.statement = text.substr(0, end + 1);
    statement_lines in{text.substr(end + 2)};
    const auto lines = static_cast<std::size_t>(std::count(out.statement.begin(), out.statement.end(), '\n')) + 1;
    if (auto wrong = read_approvals(in, lines, out.by); !wrong.empty()) return wrong;
    return out;
}

const public_key* approval_rules::find(const std::string& id) const noexcept
{
    const auto at = std::find_if(keys.begin(), keys.end(), [&](const public_key& k) { return k.id() == id; });
    return at == keys.end() ? nullptr : &*at;
}

boost::system::result<std::vector<std::string>, std::string> check_approvals(const signed_text& s, const approval_rules& rules,
                                                                             std::size_t needed)
{
    std::vector<std::string> by;
    for (const auto& a : s.by) {
        const auto* key = rules.find(a.key);
        if (key == nullptr) continue;
        if (!key->verifies(s.statement, a.signature)) return fmt::format("the signature of {} does not hold; sign again", a.key);
        if (std::find(by.begin(), by.end(), a.key) != by.end()) return fmt::format("{} has signed twice; remove one", a.key);
        by.push_back(a.key);
    }
    if (by.size() < needed)
        return fmt::format("signed by {} of the {} trusted keys that must sign; 'exeat sign' adds one", by.size(), needed);
    return by;
}

std::string audience_objection(const std::string& audience, const approval_rules& rules)
{
    if (rules.audience.empty() || audience == rules.audience) return {};
    return fmt::format("is signed for the audience \"{}\", and [policy] audience here is \"{}\"; sign it for this one", audience,
                       rules.audience);
}

} // namespace exeat::ops
