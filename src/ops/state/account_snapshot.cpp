#include <ops/state/account_snapshot.hpp>

#include <ops/text/formats.hpp>
#include <ops/text/number_bytes.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>
#include <functional>

namespace exeat::ops {

namespace {

constexpr auto magic = formats::accounts;
constexpr std::uint64_t last_second = limits::snapshot_minutes * 60;
constexpr std::uint64_t index_mask = (std::uint64_t{1} << coverage::index_bits) - 1;

void put_coverage(std::string& out, const coverage& c)
{
    put(out, static_cast<std::uint32_t>(c.holdings.size()));
    for (const auto& h : c.holdings) {
        put(out, static_cast<std::uint8_t>(h.client.of));
        for (const auto n : {h.client.what, h.shared.what, h.entry, h.terms, h.groups}) put(out, n);
        put(out, static_cast<std::uint32_t>(h.ports.size()));
        for (const auto p : h.ports) put(out, p);
    }
    put(out, static_cast<std::uint32_t>(c.marks.size()));
    out.append(reinterpret_cast<const char*>(c.marks.data()), c.marks.size() * sizeof(std::uint64_t));
    put(out, c.clients.pods);
    put(out, static_cast<std::uint32_t>(c.clients.ranges.size()));
    for (const auto& m : c.clients.ranges) put(out, m.first.octets), put(out, m.groups);
}

holding take_holding(number_reader& in)
{
    holding h;
    const auto scope = in.take<std::uint8_t>();
    in.must(scope < static_cast<std::uint8_t>(budget_key::scope::entry));
    h.client = {static_cast<budget_key::scope>(scope), in.take<std::uint64_t>()};
    in.must(h.client.of != budget_key::scope::client_at_purpose || h.client.what < purposes);
    h.shared.what = in.take<std::uint64_t>();
    for (auto* n : {&h.entry, &h.terms, &h.groups}) *n = in.take<std::uint64_t>();
    const auto ports = in.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < ports && !in.failed(); ++i) h.ports.push_back(in.take<std::uint16_t>());
    in.must(std::is_sorted(h.ports.begin(), h.ports.end(), std::less_equal{}));
    return h;
}

coverage take_coverage(number_reader& in, std::size_t most)
{
    coverage out;
    const auto holdings = in.take<std::uint32_t>();
    in.must(holdings <= most);
    for (std::uint32_t i = 0; i < holdings && !in.failed(); ++i) out.holdings.push_back(take_holding(in));
    const auto marks = in.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < marks && !in.failed(); ++i) {
        const auto mark = in.take<std::uint64_t>();
        in.must((mark & index_mask) < holdings && (out.marks.empty() || out.marks.back() < mark));
        out.marks.push_back(mark);
    }
    out.clients.pods = in.take<std::uint64_t>();
    const auto clients = in.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < clients && !in.failed(); ++i) {
        members_from m;
        m.first.octets = in.take<decltype(m.first.octets)>();
        m.groups = in.take<std::uint64_t>();
        in.must(out.clients.ranges.empty() || out.clients.ranges.back().first < m.first);
        out.clients.ranges.push_back(m);
    }
    return out;
}

} // namespace

std::string encode(const account_history::state& s)
{
    auto out = sealed_heading(magic);
    put_coverage(out, s.now);
    put_coverage(out, s.past);
    for (const auto& p : s.of_past) {
        put(out, static_cast<std::uint64_t>(p.until.time_since_epoch().count()));
        put(out, static_cast<std::uint8_t>(p.anywhere));
    }
    return seal(out) ? out : std::string{};
}

std::optional<account_history::state> decode_accounts(std::string_view bytes)
{
    const auto body = unsealed(bytes, magic);
    if (!body) return std::nullopt;
    number_reader in{*body};
    account_history::state out;
    out.now = take_coverage(in, limits::rules);
    out.past = take_coverage(in, limits::past_holdings);
    for (std::size_t i = 0; i < out.past.holdings.size() && !in.failed(); ++i) {
        const auto until = in.take<std::uint64_t>();
        const auto anywhere = in.take<std::uint8_t>();
        in.must(until <= last_second && anywhere <= 1);
        out.of_past.push_back({wall_time{std::chrono::seconds{static_cast<std::int64_t>(std::min(until, last_second))}}, anywhere == 1});
    }
    if (!in.whole()) return std::nullopt;
    return out;
}

} // namespace exeat::ops
