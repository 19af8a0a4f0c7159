#include <net/resolver.hpp>

#include <net/dns_cache.hpp>
#include <net/dns_channel.hpp>
#include <net/worker.hpp>

#include <list>
#include <string>
#include <unordered_map>

namespace exeat::net {

using std::chrono::steady_clock;

namespace {

struct question { // one in flight, and who waits for it
    std::vector<waiter*> waiting;
    steady_clock::time_point asked;
};

} // namespace

struct resolver::parts {
    parts(boost::asio::io_context& io, const config& c, counters& n) : channel{io, c}, count{n}, timeout{c.dns_timeout} {}

    const dns_answer* find(const std::string& name);
    void keep(const std::string& name, dns_answer);
    verdict ask(const std::string& name, waiter&);
    void send(const std::string& name, waiter&);
    void answered(const std::string& name, dns_answer);
    void forget(const std::string& name, waiter&);

    dns_channel channel;
    counters& count;
    const std::chrono::milliseconds timeout;
    dns_cache cache;
    std::unordered_map<std::string, question> in_flight;
    std::size_t waiting = 0;
};

const dns_answer* resolver::parts::find(const std::string& name)
{
    const auto* known = cache.find(name, steady_clock::now());
    if (!known) count.dns_cache_entries.set(cache.size());
    return known;
}

void resolver::parts::keep(const std::string& name, dns_answer a)
{
    cache.keep(name, std::move(a), steady_clock::now());
    count.dns_cache_entries.set(cache.size());
}

verdict resolver::parts::ask(const std::string& name, waiter& who)
{
    const auto known = in_flight.find(name);
    if (waiting >= limits::dns_waiters) return verdict::dns_overload;
    if (known == in_flight.end() && in_flight.size() >= limits::dns_in_flight) return verdict::dns_overload;
    const bool first = known == in_flight.end();
    if (first) in_flight.emplace(name, question{{&who}, steady_clock::now()});
    else known->second.waiting.push_back(&who);
    ++waiting;
    if (first) send(name, who);
    return verdict::allowed;
}

void resolver::parts::send(const std::string& name, waiter& who)
{
    try {
        channel.ask(name, [this, name](dns_answer a) { answered(name, std::move(a)); });
    } catch (...) { // out of memory: a question that nobody asked must not be waited for by the next tunnel
        forget(name, who);
        in_flight.erase(name);
        throw;
    }
}

void resolver::parts::answered(const std::string& name, dns_answer a)
{
    const auto at = in_flight.find(name);
    if (at == in_flight.end()) return;
    count.dns_queries[static_cast<std::size_t>(a.result)].add();
    count.dns_duration.observe(static_cast<std::uint64_t>((steady_clock::now() - at->second.asked) / std::chrono::nanoseconds{1}));
    const auto waiters = std::move(at->second.waiting);
    in_flight.erase(at);
    waiting -= waiters.size();
    try {
        keep(name, std::move(a));
    } catch (const std::bad_alloc&) { // those who wait find nothing and are refused when their time is over
        count.out_of_memory.add();
    }
    for (auto* w : waiters) w->wake();
}

// A tunnel that ends before its answer came.
void resolver::parts::forget(const std::string& name, waiter& who)
{
    const auto at = in_flight.find(name);
    if (at != in_flight.end()) waiting -= std::erase(at->second.waiting, &who);
}

resolver::resolver(boost::asio::io_context& io, const config& c, counters& n) : parts_{std::make_unique<parts>(io, c, n)} {}
resolver::~resolver() = default;

void resolver::sweep() { parts_->channel.sweep(); }
void resolver::stop() { parts_->channel.stop(); }

namespace {

template <class Act> struct at_end {
    Act act;
    ~at_end() { act(); }
};
template <class Act> at_end(Act) -> at_end<Act>;

boost::system::result<resolver::addresses, verdict> check_all(approval leave, std::span<const ip_address> found, const own_endpoints& own)
{
    resolver::addresses checked;
    checked.reserve(found.size());
    for (const auto& a : found) {
        const auto c = check_address(leave, a, own);
        if (!c) return c.error();
        checked.push_back(*c);
    }
    if (checked.empty()) return verdict::dns_failure;
    return checked;
}

} // namespace

task<boost::system::result<resolver::addresses, verdict>> resolver::resolve(tunnel& t)
{
    using outcome = boost::system::result<addresses, verdict>;
    const auto leave = *t.said.leave;
    const auto& host = leave.to().host;
    const auto& own = t.home.own();
    if (!leave.by().addresses.empty()) co_return check_all(leave, leave.by().addresses, own);
    if (host.address()) co_return check_all(leave, {&*host.address(), 1}, own);

    const std::string name{host.str()};
    const auto* known = parts_->find(name);
    if (known) {
        parts_->count.dns_queries[static_cast<std::size_t>(dns_result::cached)].add();
    } else {
        const auto accepted = parts_->ask(name, t.wake);
        if (accepted != verdict::allowed) {
            parts_->count.dns_queries[static_cast<std::size_t>(dns_result::overloaded)].add();
            co_return outcome{accepted};
        }
        const at_end forget{[&] { parts_->forget(name, t.wake); }};
        t.set_deadline(parts_->timeout);
        while (!(known = parts_->find(name)) && !t.deadline_passed() && !t.cut && !t.client_side.broken) co_await t.event();
        t.clear_deadline();
    }
    if (t.cut) co_return outcome{t.cut->before};
    if (!known || known->failed) co_return outcome{verdict::dns_failure};
    co_return check_all(*t.said.leave, known->addresses, own); // a reload may have renewed it meanwhile
}

} // namespace exeat::net
