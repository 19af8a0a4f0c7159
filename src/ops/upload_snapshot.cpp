#include <ops/upload_snapshot.hpp>

#include <ops/sealed_bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace exeat::ops {

namespace {

constexpr std::string_view magic = "exeat-uploads-1\n";
using steps = std::array<std::uint64_t, sliding_sums::steps>;
static_assert(sliding_sums::steps < 256 && std::endian::native == std::endian::little);

template <class T> void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

void put(std::string& out, const steps& s)
{
    put(out, static_cast<std::uint8_t>(s.size() - static_cast<std::size_t>(std::count(s.begin(), s.end(), 0U))));
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i] != 0) put(out, static_cast<std::uint8_t>(i)), put(out, s[i]);
}

// Takes numbers off the front; once there are too few bytes it has failed for good.
class reader {
public:
    explicit reader(std::string_view from) : left_{from} {}
    template <class T> T take()
    {
        T out{};
        if (left_.size() < sizeof out) failed_ = true;
        else std::memcpy(&out, left_.data(), sizeof out), left_.remove_prefix(sizeof out);
        return out;
    }
    steps take_steps()
    {
        steps out{};
        for (auto n = take<std::uint8_t>(); n > 0 && !failed_; --n) {
            const auto at = take<std::uint8_t>();
            const auto bytes = take<std::uint64_t>();
            if (at >= out.size() || bytes >= unlimited / (2 * sliding_sums::steps)) failed_ = true;
            else out[at] = bytes;
        }
        return out;
    }
    bool failed() const noexcept { return failed_; }
    bool at_end() const noexcept { return left_.empty(); }
    void fail() noexcept { failed_ = true; }

private:
    std::string_view left_;
    bool failed_ = false;
};

std::chrono::minutes take_minutes(reader& in)
{
    const auto n = in.take<std::uint64_t>();
    if (n > limits::snapshot_minutes) in.fail();
    return std::chrono::minutes{static_cast<std::int64_t>(std::min(n, limits::snapshot_minutes))};
}

upload_snapshot::account take_account(reader& in)
{
    upload_snapshot::account a;
    const auto scope = in.take<std::uint8_t>();
    if (scope > static_cast<std::uint8_t>(budget_key::scope::entry)) in.fail();
    a.key.of = static_cast<budget_key::scope>(scope);
    a.key.client.octets = in.take<decltype(a.key.client.octets)>();
    a.key.what = in.take<std::uint64_t>();
    for (auto* s : {&a.sums.sent, &a.sums.down, &a.sums.tunnels}) *s = in.take_steps();
    return a;
}

} // namespace

upload_snapshot snapshot_of(budget_book& book, budget_minutes now, wall_time wall, bool clean)
{
    upload_snapshot out;
    out.saved_at = wall;
    if (book.forgot()) out.forgot = now - *book.forgot();
    out.clean = clean;
    book.each([&](const budget_key& key, upload_account& account) { out.accounts.push_back({key, account.written(now)}); });
    return out;
}

std::string encode(const upload_snapshot& s)
{
    std::string out{magic};
    put(out, static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(s.saved_at.time_since_epoch()).count()));
    put(out, static_cast<std::uint64_t>(s.forgot ? s.forgot->count() + 1 : 0));
    put(out, static_cast<std::uint8_t>(s.clean));
    put(out, static_cast<std::uint32_t>(s.accounts.size()));
    for (const auto& a : s.accounts) {
        put(out, static_cast<std::uint8_t>(a.key.of));
        put(out, a.key.client.octets);
        put(out, a.key.what);
        for (const auto* sums : {&a.sums.sent, &a.sums.down, &a.sums.tunnels}) put(out, *sums);
    }
    if (!seal(out)) return {};
    return out;
}

std::optional<upload_snapshot> decode_uploads(std::string_view bytes)
{
    const auto body = unsealed(bytes, magic);
    if (!body) return std::nullopt;
    reader in{*body};
    upload_snapshot out;
    out.saved_at = wall_time{take_minutes(in)};
    if (const auto forgot = take_minutes(in); forgot.count() > 0) out.forgot = forgot - std::chrono::minutes{1};
    out.clean = in.take<std::uint8_t>() == 1;
    const auto count = in.take<std::uint32_t>();
    if (count > limits::budget_accounts) in.fail();
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) out.accounts.push_back(take_account(in));
    if (in.failed() || !in.at_end()) return std::nullopt;
    return out;
}

} // namespace exeat::ops
