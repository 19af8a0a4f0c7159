#include <ops/approvals/grant_statement.hpp>

#include <exeat/limits.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/utc.hpp>

#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr auto grant_heading = formats::grant, revocation_heading = formats::revocation;

std::string read_audience(statement_lines& in, std::string_view heading, std::string& to)
{
    if (in.take(heading) != std::string_view{}) return in.wrong(fmt::format("must be '{}'", heading));
    const auto audience = in.take("audience");
    if (!audience || !is_audience(*audience)) return in.wrong("must be 'audience NAME'");
    to = *audience;
    return {};
}

bool read_time(statement_lines& in, std::string_view word, wall_time& to)
{
    const auto line = in.take(word);
    const auto t = line ? read_moment(*line) : std::nullopt;
    to = t.value_or(wall_time{});
    return t.has_value();
}

} // namespace

std::string grant_statement::to_text() const
{
    return fmt::format("{}\naudience {}\nbase {}\nmade {}\nnot_after {}\nfile {} {}\n", grant_heading, audience, base, utc(made),
                       utc(not_after), file.sha256, file.name);
}

std::string revocation::to_text() const
{
    return fmt::format("{}\naudience {}\nrevoked {} {}\nreason {}\n", revocation_heading, audience, what.sha256, utc(what.until), reason);
}

boost::system::result<grant_statement, std::string> read_grant(std::string_view statement)
{
    grant_statement out;
    statement_lines in{statement};
    if (auto wrong = read_audience(in, grant_heading, out.audience); !wrong.empty()) return wrong;
    const auto base = in.take("base");
    const auto number = base ? read_number(*base) : std::nullopt;
    if (!number) return in.wrong("must be 'base SERIAL'");
    out.base = *number;
    if (!read_time(in, "made", out.made)) return in.wrong("must be 'made 2026-12-24T00:00:00Z'");
    if (!read_time(in, "not_after", out.not_after)) return in.wrong("must be 'not_after 2026-12-24T00:00:00Z'");
    const auto line = in.take("file");
    auto file = line ? read_named_file(*line) : std::nullopt;
    if (!file || file->name.find('/') != std::string::npos) return in.wrong("must be 'file SHA-256 NAME'");
    out.file = std::move(*file);
    if (!in.at_end()) return in.wrong("must be the empty line before the signatures");
    return out;
}

boost::system::result<revocation, std::string> read_revocation(std::string_view statement)
{
    constexpr std::string_view form = "must be 'revoked SHA-256 2026-12-24T00:00:00Z'";
    revocation out;
    statement_lines in{statement};
    if (auto wrong = read_audience(in, revocation_heading, out.audience); !wrong.empty()) return wrong;
    const auto line = in.take("revoked");
    if (!line || line->size() < digest_digits + 1 || (*line)[digest_digits] != ' ') return in.wrong(form);
    const auto until = read_moment(line->substr(digest_digits + 1));
    if (!until || !is_hexadecimal(line->substr(0, digest_digits), digest_digits)) return in.wrong(form);
    out.what = {std::string{line->substr(0, digest_digits)}, *until};
    const auto reason = in.take("reason");
    if (!reason || reason->empty() || !is_free_text(*reason)) return in.wrong("must be 'reason TEXT'");
    out.reason = *reason;
    if (!in.at_end()) return in.wrong("must be the empty line before the signatures");
    return out;
}

std::string grant_objection(const grant_statement& g, std::uint64_t serial, std::chrono::seconds longest, wall_time now)
{
    const auto hours = std::chrono::duration<double, std::ratio<3'600>>{longest}.count();
    if (g.base > serial) return fmt::format("is for the policy of serial {} and later ones, and {} is in force", g.base, serial);
    if (g.made > now + limits::grant_skew)
        return fmt::format("was made at {}, which is still to come; set the clock, or grant again", utc(g.made));
    if (g.not_after <= g.made) return "ends before it was made; grant again";
    if (g.not_after - g.made > longest)
        return fmt::format("holds longer than {:g} hours, which [policy] grant_for allows; grant again for less", hours);
    return {};
}

} // namespace exeat::ops
