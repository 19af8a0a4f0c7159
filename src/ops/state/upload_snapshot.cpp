#include <ops/state/upload_snapshot.hpp>

#include <exeat/client.hpp>
#include <exeat/identity/workload_key.hpp>
#include <ops/state/tally_file.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/number_bytes.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>
#include <tuple>

namespace exeat::ops {

namespace {

constexpr auto magic = formats::uploads;
using steps = std::array<std::uint64_t, sliding_sums::steps>;
static_assert(sliding_sums::steps < 256);

void put_steps(std::string& out, const steps& s)
{
    put(out, static_cast<std::uint8_t>(s.size() - static_cast<std::size_t>(std::count(s.begin(), s.end(), 0U))));
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i] != 0) put(out, static_cast<std::uint8_t>(i)), put(out, s[i]);
}

steps take_steps(number_reader& in)
{
    steps out{};
    for (auto n = in.take<std::uint8_t>(); n > 0 && !in.failed(); --n) {
        const auto at = in.take<std::uint8_t>();
        const auto bytes = in.take<std::uint64_t>();
        in.must(at < out.size() && bytes < unlimited / (2 * sliding_sums::steps));
        if (!in.failed()) out[at] = bytes;
    }
    return out;
}

std::chrono::minutes take_minutes(number_reader& in)
{
    const auto n = in.take<std::uint64_t>();
    in.must(n <= limits::snapshot_minutes);
    return std::chrono::minutes{static_cast<std::int64_t>(std::min(n, limits::snapshot_minutes))};
}

upload_snapshot::account take_account(number_reader& in)
{
    upload_snapshot::account a;
    const auto scope = in.take<std::uint8_t>();
    in.must(scope <= static_cast<std::uint8_t>(budget_key::scope::entry));
    a.key.of = static_cast<budget_key::scope>(scope);
    a.key.client.octets = in.take<decltype(a.key.client.octets)>();
    a.key.what = in.take<std::uint64_t>();
    a.taken = in.take<std::uint64_t>(), a.number = in.take<std::uint32_t>();
    for (auto* s : {&a.sums.sent, &a.sums.down, &a.sums.tunnels}) *s = take_steps(in);
    return a;
}

} // namespace

namespace {

bool in_order(const upload_snapshot::account& a, const upload_snapshot::account& b) noexcept
{
    return std::tie(a.key.of, a.key.client, a.key.what) < std::tie(b.key.of, b.key.client, b.key.what);
}

void add(upload_account::snapshot& to, const upload_account::snapshot& more) noexcept
{
    // At most what decoding accepts for one step.
    const auto sum = [](std::uint64_t a, std::uint64_t b) { return std::min(a + b, unlimited / (2 * sliding_sums::steps) - 1); };
    for (const auto which : {&upload_account::snapshot::sent, &upload_account::snapshot::down, &upload_account::snapshot::tunnels})
        std::transform((to.*which).begin(), (to.*which).end(), (more.*which).begin(), (to.*which).begin(), sum);
}

} // namespace

void join_clients(upload_snapshot& s, std::uint8_t v6_bits)
{
    for (auto& a : s.accounts)
        if (!is_workload_key(a.key.client)) a.key.client = address_key(a.key.client, v6_bits);
    std::sort(s.accounts.begin(), s.accounts.end(), in_order);
    std::vector<upload_snapshot::account> joined;
    for (auto& a : s.accounts) {
        if (!joined.empty() && joined.back().key == a.key) add(joined.back().sums, a.sums), joined.back().more += a.more;
        else joined.push_back(a);
    }
    s.accounts = std::move(joined);
}

bool add_tally(upload_snapshot& s, const left_tally& t)
{
    if (s.run == 0 || s.run != t.run) return false;
    std::sort(s.accounts.begin(), s.accounts.end(), in_order);
    std::vector<upload_snapshot::account> others;
    for (const auto& a : t.accounts) {
        upload_snapshot::account of{{static_cast<budget_key::scope>(a.scope), {a.client}, a.what}, {}};
        const auto known = std::lower_bound(s.accounts.begin(), s.accounts.end(), of, in_order);
        const bool is_known = known != s.accounts.end() && known->key == of.key;
        auto& to = is_known ? *known : of;
        const auto then = a.number == to.number ? std::min(a.taken, to.taken) : 0; // a removed account starts at 0 again
        const bool below = a.taken > unlimited; // more was given back than taken: the start of the tally was missed
        to.more = below ? 0 : std::min(a.taken - then, unlimited / (2 * sliding_sums::steps) - 1);
        if (!is_known && to.more > 0) others.push_back(of);
    }
    s.accounts.insert(s.accounts.end(), others.begin(), others.end());
    return true;
}

upload_snapshot snapshot_of(budget_book& book, budget_minutes now, bool clean)
{
    upload_snapshot out;
    if (book.forgot()) out.forgot = now - *book.forgot();
    out.clean = clean;
    book.each([&](const budget_key& key, upload_account& account) {
        const auto* const tally = account.tally();
        const auto taken = tally == nullptr ? 0 : tally->taken.load(); // first: usage meanwhile counts twice, not never
        out.accounts.push_back({key, account.written(now), taken, tally == nullptr ? 0 : tally->account});
    });
    return out;
}

std::string encode(const upload_snapshot& s)
{
    auto out = sealed_heading(magic);
    put(out, s.run);
    for (const auto at : {s.saved_at, s.certain.value_or(wall_time{})})
        put(out, static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(at.time_since_epoch()).count()));
    put(out, static_cast<std::uint64_t>(s.forgot ? s.forgot->count() + 1 : 0));
    put(out, static_cast<std::uint8_t>((s.clean ? 1 : 0) | (s.knows_accounts ? 2 : 0)));
    put(out, static_cast<std::uint32_t>(s.accounts.size()));
    for (const auto& a : s.accounts) {
        put(out, static_cast<std::uint8_t>(a.key.of));
        put(out, a.key.client.octets);
        put(out, a.key.what), put(out, a.taken), put(out, a.number);
        for (const auto* sums : {&a.sums.sent, &a.sums.down, &a.sums.tunnels}) put_steps(out, *sums);
    }
    if (!seal(out)) return {};
    return out;
}

std::optional<upload_snapshot> decode_uploads(std::string_view bytes)
{
    const auto body = unsealed(bytes, magic);
    if (!body) return std::nullopt;
    number_reader in{*body};
    upload_snapshot out;
    out.run = in.take<std::uint64_t>();
    out.saved_at = wall_time{take_minutes(in)};
    if (const auto certain = take_minutes(in); certain.count() > 0) out.certain = wall_time{certain};
    if (const auto forgot = take_minutes(in); forgot.count() > 0) out.forgot = forgot - std::chrono::minutes{1};
    const auto bits = in.take<std::uint8_t>();
    in.must(bits <= 3);
    out.clean = (bits & 1) != 0, out.knows_accounts = (bits & 2) != 0;
    const auto count = in.take<std::uint32_t>();
    in.must(count <= limits::budget_accounts);
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) out.accounts.push_back(take_account(in));
    if (!in.whole()) return std::nullopt;
    return out;
}

} // namespace exeat::ops
