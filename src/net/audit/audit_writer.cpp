#include <net/audit/audit_writer.hpp>

#include <exeat/detect/keys.hpp>
#include <net/random_seed.hpp>

#include <random>

namespace exeat::net {

namespace {

using clock = std::chrono::steady_clock;

// 16 bits identify the process, 8 the worker; 40 are a counter.
std::uint64_t id_base(std::size_t worker)
{
    static const std::uint64_t process = std::random_device{}();
    return ((process & 0xffff) << 48) | (std::uint64_t{worker} << 40);
}

// Evidence of evasion or of a cut gets a line of its own, however often other clients are refused.
bool is_evidence(verdict v) noexcept
{
    using enum verdict;
    switch (v) {
    case sni_missing:
    case sni_mismatch:
    case sni_changed:
    case ech:
    case not_tls:
    case tls_malformed:
    case budget:
    case name_budget:
    case anomaly:
    case policy_revoked: return true;
    default: return false;
    }
}

std::uint64_t lines_of(audit_action a) noexcept { return a == audit_action::open ? 2 : a == audit_action::close ? 0 : 1; }

std::uint64_t hash_of_contact(const audit_record& r) noexcept
{
    static const std::uint64_t seed = random_seed();
    return (client_key_hash{}({r.client, r.port}) ^ detect::hash_of(r.host.str(), seed)) | 1;
}

} // namespace

audit_writer::audit_writer(std::size_t worker, audit_ring& ring, const std::atomic<bool>& healthy, audit_failure on_failure,
                           client_rates& rates, counters& count)
    : ring_{ring}, healthy_{healthy}, on_failure_{on_failure}, rates_{rates}, count_{count}, id_base_{id_base(worker)}
{}

bool audit_writer::may_log() const noexcept
{
    if (on_failure_ == audit_failure::proceed) return true;
    return healthy_.load(std::memory_order_relaxed) && late_.empty() && ring_.has_room(limits::audit_reserve);
}

bool audit_writer::log(const audit_record& r, std::size_t reserve)
{
    const bool opening = r.action == audit_action::open;
    late_.move_to(ring_);
    rates_.spend(client_rate::log_lines, r.client, clock::now(), lines_of(r.action));
    if (late_.empty() && ring_.push(r, reserve)) return true;
    if (opening && on_failure_ == audit_failure::deny) return false;
    if (r.action == audit_action::deny) sum(r);
    else if (r.action != audit_action::close || !late_.keep(r)) count_.audit_dropped.add();
    return true;
}

void audit_writer::log_denial(const audit_record& r)
{
    const auto now = clock::now();
    const bool share = r.verdict != verdict::rate && rates_.has(client_rate::log_lines, r.client, now);
    const bool evidence = is_evidence(r.verdict);
    if (!share || !(evidence || rates_.has_line(now))) return sum(r);
    if (!ring_.push(r, evidence ? limits::audit_reserve : limits::audit_denial_reserve)) return sum(r);
    rates_.spend(client_rate::log_lines, r.client, now);
    if (!evidence) rates_.spend_lines(now, 1);
}

audit_writer::exchange_lines audit_writer::begin_exchange(const audit_record& open)
{
    const auto now = clock::now();
    const bool share = rates_.has(client_rate::log_lines, open.client, now);
    const auto mine = hash_of_contact(open);
    auto& contact = contact_of(open);
    if (contact != mine && !share) return exchange_lines::over_rate;
    if (contact == mine && !(share && rates_.has_line(now))) return exchange_lines::summed;
    if (!log(open, limits::audit_reserve)) return exchange_lines::unavailable;
    rates_.spend_lines(now, lines_of(audit_action::open));
    contact = mine;
    return exchange_lines::own;
}

// The cell of its hash, which contains it if it has had a line and no other contact has replaced it since.
std::uint64_t& audit_writer::contact_of(const audit_record& r) noexcept
{
    auto* all = std::launder(reinterpret_cast<std::uint64_t*>(contacts_.data()));
    return all[(hash_of_contact(r) >> 1) % limits::audit_contacts];
}

void audit_writer::end_exchange(const audit_record& close)
{
    if (sums_.add(close)) count_.audit_summed.add();
    else log(close, 0);
}

void audit_writer::sum(const audit_record& denial) noexcept
{
    count_.audit_summed.add();
    sums_.add(denial);
}

void audit_writer::end() noexcept
{
    const auto write = [this](const audit_record& sum) { return ring_.push(sum); };
    late_.move_to(ring_);
    sums_.tell(limits::audit_sums + 1, write);
    count_.audit_dropped.add(late_.size() + sums_.events());
}

void audit_writer::next_second()
{
    sums_.tell(limits::audit_sum_lines, [this](const audit_record& sum) { return ring_.push(sum, limits::audit_reserve); });
    ring_.give_back();
}

} // namespace exeat::net
