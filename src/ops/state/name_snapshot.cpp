#include <ops/state/name_snapshot.hpp>

#include <ops/text/formats.hpp>
#include <ops/text/number_bytes.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

constexpr auto magic = formats::names, former_magic = formats::former_names;
using name = name_budget::snapshot::name;
using account = name_budget::snapshot::account;

constexpr std::size_t name_bytes = sizeof(std::uint32_t) + sizeof(std::uint64_t) + sizeof(std::uint8_t);
constexpr std::size_t account_bytes =
    2 * sizeof(std::uint64_t) + sizeof(std::uint8_t) + name_budget::steps * (sizeof(std::uint8_t) + sizeof(std::uint16_t));
static_assert(limits::name_budget_names * name_bytes + limits::name_budget_counts * account_bytes + 128 < limits::name_snapshot_bytes);
static_assert(name_budget::steps < 255);

void put_account(std::string& out, const account& a)
{
    put(out, a.client), put(out, a.entry);
    put(out, static_cast<std::uint8_t>(a.taken.size() - static_cast<std::size_t>(std::count(a.taken.begin(), a.taken.end(), 0U))));
    for (std::size_t age = 0; age < a.taken.size(); ++age)
        if (a.taken[age] != 0) put(out, static_cast<std::uint8_t>(age)), put(out, a.taken[age]);
}

account take_account(number_reader& in, bool former)
{
    account out;
    out.client = in.take<std::uint64_t>();
    if (!former) out.entry = in.take<std::uint64_t>();
    std::size_t next = 0;
    for (auto n = in.take<std::uint8_t>(); n > 0 && !in.failed(); --n) {
        const auto age = in.take<std::uint8_t>();
        const auto taken = in.take<std::uint16_t>();
        in.must(age >= next && age < out.taken.size() && taken > 0 && taken <= limits::wildcard_names_ceiling);
        if (in.failed()) break;
        out.taken[age] = taken;
        next = age + std::size_t{1};
    }
    in.must(next > 0); // an heir of several accounts may exceed the ceiling in total
    return out;
}

name take_name(number_reader& in, std::size_t least)
{
    name out;
    out.place = in.take<std::uint32_t>();
    out.tag = in.take<std::uint64_t>();
    out.age = in.take<std::uint8_t>();
    in.must(out.place >= least && out.place < limits::name_budget_names);
    in.must(out.tag >> name_budget::tag_bits == 0 && out.age < name_budget::steps);
    return out;
}

name_budget::snapshot take_budgets(number_reader& in, bool former)
{
    name_budget::snapshot out;
    out.seed = in.take<std::uint64_t>();
    const auto names = in.take<std::uint32_t>();
    in.must(names <= limits::name_budget_names);
    for (std::uint32_t i = 0; i < names && !in.failed(); ++i)
        out.names.push_back(take_name(in, out.names.empty() ? 0 : out.names.back().place + std::size_t{1}));
    const auto accounts = in.take<std::uint32_t>();
    in.must(accounts <= limits::name_budget_counts);
    for (std::uint32_t i = 0; i < accounts && !in.failed(); ++i) out.accounts.push_back(take_account(in, former));
    return out;
}

} // namespace

std::string encode(const name_snapshot& s)
{
    auto out = sealed_heading(magic);
    put(out, static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(s.saved_at.time_since_epoch()).count()));
    put(out, static_cast<std::uint8_t>(s.budgets.into_step.count()));
    put(out, static_cast<std::uint8_t>(s.budgets.forgot ? *s.budgets.forgot + 1 : 0));
    put(out, static_cast<std::uint8_t>(s.clean));
    put(out, s.budgets.seed);
    put(out, static_cast<std::uint32_t>(s.budgets.names.size()));
    for (const auto& n : s.budgets.names) put(out, n.place), put(out, n.tag), put(out, n.age);
    put(out, static_cast<std::uint32_t>(s.budgets.accounts.size()));
    for (const auto& a : s.budgets.accounts) put_account(out, a);
    if (!seal(out)) return {};
    return out;
}

std::optional<name_snapshot> decode_names(std::string_view bytes)
{
    auto body = unsealed(bytes, magic);
    const bool former = !body;
    if (former) body = unsealed(bytes, former_magic);
    if (!body) return std::nullopt;
    number_reader in{*body};
    name_snapshot out;
    const auto saved_at = in.take<std::uint64_t>();
    const auto into_step = in.take<std::uint8_t>(), forgot = in.take<std::uint8_t>(), clean = in.take<std::uint8_t>();
    in.must(saved_at <= limits::snapshot_minutes && std::chrono::minutes{into_step} < limits::name_step);
    in.must(forgot <= name_budget::steps && clean <= 1);
    out.budgets = take_budgets(in, former);
    if (!in.whole()) return std::nullopt;
    out.saved_at = wall_time{std::chrono::minutes{static_cast<std::int64_t>(saved_at)}};
    out.clean = clean == 1;
    out.knows_accounts = !former;
    out.lost = former && !out.budgets.accounts.empty();
    if (former) out.budgets.accounts.clear();
    out.budgets.into_step = std::chrono::minutes{into_step};
    if (forgot > 0) out.budgets.forgot = static_cast<std::uint8_t>(forgot - 1);
    return out;
}

} // namespace exeat::ops
