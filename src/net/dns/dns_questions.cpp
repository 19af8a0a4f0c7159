#include <net/dns/dns_questions.hpp>

#include <cassert>

namespace exeat::net {

dns_questions::wait::wait(source_shares::place p, std::shared_ptr<question> q, waiter& w) noexcept
    : place_{std::move(p)}, asked_{std::move(q)}, line_{w}
{
    asked_->waiting.push_back(line_);
}

dns_questions::ended::ended(std::string&& n, std::chrono::nanoseconds t, std::shared_ptr<question> q) noexcept
    : name{std::move(n)}, took{t}, asked_{std::move(q)}
{}

boost::system::result<std::unique_ptr<dns_questions::wait>, verdict> dns_questions::ask(const std::string& name, const ip_address& source,
                                                                                        waiter& who, const send& send_it, moment now)
{
    auto place = waiters_.take(source);
    if (!place) return verdict::dns_overload;
    if (const auto known = open_.find(name); known != open_.end())
        return std::unique_ptr<wait>{new wait{std::move(*place), known->second.asked, who}};

    auto begun_by = questions_.take(source);
    if (!begun_by) return verdict::dns_overload;
    auto asked = std::make_shared<question>();
    std::unique_ptr<wait> waits{new wait{std::move(*place), asked, who}};
    const auto at = open_.try_emplace(name).first;
    auto& q = at->second;
    q.name = &at->first;
    q.number = ++last_;
    q.asked = std::move(asked);
    q.begun_by.emplace(std::move(*begun_by));
    q.at = now;
    asked_.push_back(q);
    try {
        send_it(name, q.number);
    } catch (...) {        // the next tunnel must not wait for a question that was never sent
        open_.erase(name); // by name: sending may have changed the table
        throw;
    }
    return waits;
}

std::optional<dns_questions::ended> dns_questions::take(const std::string& name, number n, dns_half which, dns_answer a,
                                                        moment now) noexcept
{
    const auto at = open_.find(name);
    if (at == open_.end() || at->second.number != n) return std::nullopt;
    auto& q = at->second;
    q.halves.take(which, std::move(a), now);
    if (q.halves.complete()) return end(at, now);
    if (q.halves.usable_alone()) half_answered_.push_back(q);
    return std::nullopt;
}

void dns_questions::hand_out_halves(moment now) noexcept
{
    while (!half_answered_.empty()) {
        auto& q = half_answered_.front();
        if (*q.halves.usable_alone() > now) return;
        half_answered_.pop_front();
        auto half = q.halves.joined();
        if (half.failed) continue; // no memory: they wait for the whole answer
        q.took = now - q.at;
        answer(*q.asked, std::move(half));
    }
}

std::optional<dns_questions::moment> dns_questions::next_half() const noexcept
{
    return half_answered_.empty() ? std::nullopt : half_answered_.front().halves.usable_alone();
}

std::optional<dns_questions::ended> dns_questions::expire(moment now) noexcept
{
    if (asked_.empty() || asked_.front().at + timeout_ > now) return std::nullopt;
    return end(open_.find(*asked_.front().name), now);
}

dns_questions::ended dns_questions::end(open_questions::iterator at, moment now) noexcept
{
    assert(at != open_.end());
    auto node = open_.extract(at); // needs no memory
    auto& q = node.mapped();
    answer(*q.asked, q.halves.joined());
    return {std::move(node.key()), q.took.value_or(now - q.at), std::move(q.asked)};
}

void dns_questions::answer(question& asked, dns_answer a) noexcept
{
    asked.answer = std::move(a);
    for (auto& w : asked.waiting) w.who.wake();
}

} // namespace exeat::net
