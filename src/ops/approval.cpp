#include <ops/approval.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace exeat::ops {

namespace {

constexpr std::array<std::string_view, 2> headings{"exeat allowlist approval v1", "exeat grant approval v1"}; // by approval_subject
constexpr std::size_t digest_digits = 64;

bool is_hexadecimal(std::string_view s, std::size_t digits)
{
    return s.size() == digits && std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_name(std::string_view s)
{
    return !s.empty() && s.size() <= limits::path_octets &&
           std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

// Line by line, each with its end.
class lines {
public:
    explicit lines(std::string_view text) : left_{text} {}
    // The rest of the next line behind `word` and a space; none when it begins otherwise.
    std::optional<std::string_view> take(std::string_view word)
    {
        looked_at_ = taken_ + 1;
        const auto line = peek();
        if (!line || !line->starts_with(word)) return std::nullopt;
        auto rest = line->substr(word.size());
        if (!rest.empty() && (rest.front() != ' ' || rest.size() == 1)) return std::nullopt;
        if (!rest.empty()) rest.remove_prefix(1);
        left_.remove_prefix(line->size() + 1);
        ++taken_;
        return rest;
    }
    bool at_end() const noexcept { return left_.empty(); }
    std::string wrong(std::string_view what) const { return fmt::format("line {} {}", looked_at_, what); }

private:
    std::optional<std::string_view> peek() const
    {
        const auto end = left_.find('\n');
        return end == std::string_view::npos ? std::nullopt : std::optional{left_.substr(0, end)};
    }
    std::string_view left_;
    std::size_t taken_ = 0, looked_at_ = 1;
};

bool read_serial(std::string_view text, std::uint64_t& into)
{
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
    return failed == std::errc{} && end == text.data() + text.size() && std::to_string(into) == text;
}

std::string read_statement(lines& in, approval_statement& out)
{
    const bool of_grant = in.take(headings[1]) == std::string_view{};
    if (!of_grant && in.take(headings[0]) != std::string_view{})
        return in.wrong(fmt::format("must be '{}'", fmt::join(headings, "' or '")));
    out.about = of_grant ? approval_subject::grant : approval_subject::allowlist;
    const auto serial = in.take("serial");
    if (!serial || !read_serial(*serial, out.serial)) return in.wrong("must be 'serial N'");
    const auto digest = in.take("allowlist");
    if (!digest || !is_hexadecimal(*digest, digest_digits)) return in.wrong("must be 'allowlist SHA-256'");
    out.allowlist = *digest;
    while (const auto file = in.take("hosts_file")) {
        const auto sha256 = file->substr(0, digest_digits);
        const bool good = is_hexadecimal(sha256, digest_digits) && file->size() > digest_digits + 1 && (*file)[digest_digits] == ' ' &&
                          is_name(file->substr(digest_digits + 1));
        if (!good || out.hosts_files.size() == limits::rules) return in.wrong("must be 'hosts_file SHA-256 NAME'");
        out.hosts_files.push_back({std::string{sha256}, std::string{file->substr(digest_digits + 1)}});
    }
    return in.take("") == std::string_view{} ? std::string{} : in.wrong("must be 'hosts_file SHA-256 NAME' or empty");
}

std::string read_approvals(lines& in, std::vector<approval>& out)
{
    while (!in.at_end()) {
        const auto line = in.take("signed");
        const auto space = line ? line->find(' ') : std::string_view::npos;
        const auto signature = space == std::string_view::npos ? std::nullopt : signature_from_base64(line->substr(space + 1));
        if (!signature || !is_hexadecimal(line->substr(0, space), limits::key_id_digits))
            return in.wrong("must be 'signed KEY-ID SIGNATURE'");
        if (out.size() == limits::signatures) return fmt::format("there are more than {} signatures", limits::signatures);
        out.push_back({std::string{line->substr(0, space)}, *signature});
    }
    return {};
}

const public_key* trusted(const approval_rules& rules, const std::string& id)
{
    const auto at = std::find_if(rules.keys.begin(), rules.keys.end(), [&](const public_key& k) { return k.id() == id; });
    return at == rules.keys.end() ? nullptr : &*at;
}

} // namespace

std::string approval_statement::to_text() const
{
    auto out = fmt::format("{}\nserial {}\nallowlist {}\n", headings[static_cast<std::size_t>(about)], serial, allowlist);
    for (const auto& f : hosts_files) out += fmt::format("hosts_file {} {}\n", f.sha256, f.name);
    return out;
}

std::string signed_statement::to_text() const
{
    auto out = what.to_text() + "\n";
    for (const auto& a : by) out += fmt::format("signed {} {}\n", a.key, to_base64(a.signature));
    return out;
}

boost::system::result<signed_statement, std::string> read_signatures(std::string_view text)
{
    signed_statement out;
    lines in{text};
    auto wrong = read_statement(in, out.what);
    if (wrong.empty()) wrong = read_approvals(in, out.by);
    if (!wrong.empty()) return wrong;
    return out;
}

boost::system::result<std::vector<std::string>, std::string> check_approvals(const signed_statement& s, const approval_rules& rules)
{
    const auto message = s.what.to_text();
    std::vector<std::string> by;
    for (const auto& a : s.by) {
        const auto* key = trusted(rules, a.key);
        if (key == nullptr) continue;
        if (!key->verifies(message, a.signature)) return fmt::format("the signature of {} does not hold; sign again", a.key);
        if (std::find(by.begin(), by.end(), a.key) != by.end()) return fmt::format("{} has signed twice; remove one", a.key);
        by.push_back(a.key);
    }
    if (by.size() < rules.needed) return fmt::format("{} of {} approvals by trusted keys; 'exeat sign' adds one", by.size(), rules.needed);
    return by;
}

} // namespace exeat::ops
