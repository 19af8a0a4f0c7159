#include <net/dns/resolver.hpp>

#include <exeat/check_address.hpp>
#include <net/dns/dns_cache.hpp>
#include <net/dns/dns_channel.hpp>
#include <net/dns/dns_questions.hpp>
#include <net/loop/kept_memory.hpp>
#include <net/stage_context.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>
#include <utility>

namespace exeat::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

struct resolver::parts {
    parts(asio::io_context& i, std::span<const endpoint> servers, std::chrono::milliseconds t, counters& n)
        : count{n}, timeout{t}, io{i}, questions{t}, half_timer{i}, channel{std::make_unique<dns_channel>(i, servers, t)}
    {}

    const dns_answer* find(const std::string& name);
    boost::system::result<std::unique_ptr<dns_questions::wait>, verdict> ask(const std::string& name, tunnel&);
    void answered(const std::string& name, dns_questions::number, dns_half, dns_answer) noexcept;
    void finish(const dns_questions::ended&) noexcept;
    void keep(const std::string& name, const dns_answer&) noexcept;
    void wait_for_halves() noexcept;
    void end_late_questions() noexcept;
    void change_servers();
    void sweep();
    void stop();

    counters& count;
    const std::chrono::milliseconds timeout;
    asio::io_context& io;
    dns_cache cache;
    dns_questions questions;
    shared_kept_memory timer_memory; // its operation may outlive this object
    asio::steady_timer half_timer;   // one for all questions: the first that waits is the first that is due
    bool timer_waits = false, stopped = false;
    std::optional<std::vector<endpoint>> next_servers;
    // Last, because their open questions are answered when they are destroyed.
    std::unique_ptr<dns_channel> former; // asks the previous servers, until its questions have ended
    std::unique_ptr<dns_channel> channel;
};

const dns_answer* resolver::parts::find(const std::string& name)
{
    const auto* known = cache.find(name, steady_clock::now());
    if (known) count.dns_queries[dns_result::cached].add();
    else count.dns_cache_entries.set(cache.size());
    return known;
}

boost::system::result<std::unique_ptr<dns_questions::wait>, verdict> resolver::parts::ask(const std::string& name, tunnel& t)
{
    const auto send = [this](const std::string& asked, dns_questions::number n) {
        channel->ask(asked, [this, asked, n](dns_half half, dns_answer a) { answered(asked, n, half, std::move(a)); });
    };
    auto waits = questions.ask(name, t.who.key, t.wake, send, steady_clock::now());
    if (!waits) count.dns_queries[dns_result::overloaded].add();
    return waits;
}

void resolver::parts::answered(const std::string& name, dns_questions::number n, dns_half half, dns_answer a) noexcept
{
    if (const auto ended = questions.take(name, n, half, std::move(a), steady_clock::now())) finish(*ended);
    else wait_for_halves();
}

void resolver::parts::finish(const dns_questions::ended& q) noexcept
{
    keep(q.name, q.answer());
    count.dns_queries[q.answer().result].add();
    count.dns_duration.observe(static_cast<std::uint64_t>(q.took.count()));
}

// Without memory the answer is not cached, and the next tunnel asks again; current waiters read the question's own answer.
void resolver::parts::keep(const std::string& name, const dns_answer& a) noexcept
{
    try {
        cache.keep(name, a, steady_clock::now());
    } catch (const std::bad_alloc&) {
        count.out_of_memory.add();
    }
    count.dns_cache_entries.set(cache.size());
}

// Without memory for the timer, the sweep hands out the halves, a little later.
void resolver::parts::wait_for_halves() noexcept
{
    const auto next = questions.next_half();
    if (!next || timer_waits || stopped) return;
    timer_waits = true;
    try {
        half_timer.expires_at(*next);
        half_timer.async_wait(asio::bind_allocator(timer_memory.memory(), [this](boost::system::error_code failed) {
            if (failed) return; // stopped: this object must not be touched
            timer_waits = false;
            questions.hand_out_halves(steady_clock::now());
            wait_for_halves();
        }));
    } catch (const std::exception&) {
        timer_waits = false;
    }
}

void resolver::parts::end_late_questions() noexcept
{
    const auto now = steady_clock::now();
    while (const auto ended = questions.expire(now)) finish(*ended);
    questions.hand_out_halves(now);
    wait_for_halves();
}

// One change at a time, so that there are at most two channels: a question of the former one takes no longer than the time-out.
void resolver::parts::change_servers()
{
    if (former && former->idle()) former.reset();
    if (!next_servers || former || stopped) return;
    auto next = std::make_unique<dns_channel>(io, *next_servers, timeout);
    former = std::exchange(channel, std::move(next));
    next_servers.reset();
}

void resolver::parts::sweep()
{
    channel->sweep();
    if (former) former->sweep();
    end_late_questions();
    cache.sweep(steady_clock::now());
    count.dns_cache_entries.set(cache.size());
    change_servers();
}

void resolver::parts::stop()
{
    stopped = true;
    half_timer.cancel();
    channel->stop();
    if (former) former->stop();
}

resolver::resolver(asio::io_context& io, std::span<const endpoint> servers, std::chrono::milliseconds timeout, counters& n)
    : parts_{std::make_unique<parts>(io, servers, timeout, n)}
{}
resolver::~resolver() = default;

void resolver::use(std::vector<endpoint> servers) noexcept { parts_->next_servers = std::move(servers); }
void resolver::sweep() { parts_->sweep(); }
void resolver::stop() { parts_->stop(); }

namespace {

static_assert(limits::dns_addresses == 64, "named below");

// After SERVFAIL or REFUSED c-ares asks the next server; its final error does not distinguish these from a server that does not listen.
std::string_view sentence(dns_result r) noexcept
{
    switch (r) {
    case dns_result::no_such_name: return "DNS says that there is no such name (NXDOMAIN)";
    case dns_result::no_data: return "the name is in DNS and has no address";
    case dns_result::timed_out: return "DNS did not answer in time";
    case dns_result::refused: return "each DNS server failed (SERVFAIL), refused the question, or does not listen";
    case dns_result::too_many: return "the answer has more than 64 addresses, which is the most that exeat reads";
    default: return "what the DNS server answered cannot be read";
    }
}

refusal unresolved(dns_result r) { return refused(verdict::dns_failure, {.details = std::string{sentence(r)}, .resolved = r}); }

or_refusal<resolver::addresses> check_all(const approval& approved, std::span<const ip_address> found, const own_endpoints& own)
{
    auto checked = check_answer(approved, found, own);
    if (!checked) return refused(checked.error());
    return std::move(*checked);
}

or_refusal<resolver::addresses> check_all(const approval& approved, const dns_answer& found, const own_endpoints& own)
{
    if (found.failed) return unresolved(found.result);
    return check_all(approved, found.addresses, own);
}

} // namespace

task<or_refusal<resolver::addresses>> resolver::resolve(tunnel& t)
{
    const auto& approved = *t.decision.approval;
    const auto& own = t.home.own();
    if (const auto known = approved.known_addresses(); !known.empty()) co_return check_all(approved, known, own);

    const std::string name{approved.to().host.str()};
    if (const auto* known = parts_->find(name)) co_return check_all(approved, *known, own);
    const auto waits = parts_->ask(name, t);
    if (!waits) co_return refused(waits.error());
    t.clear_deadline(); // the question has its own deadline
    while (!(*waits)->answer() && !t.cut && !t.client_side.broken) co_await t.event();
    if (t.cut) co_return refused(t.cut->before);
    const auto* answer = (*waits)->answer();
    if (!answer) co_return unresolved(dns_result::timed_out);
    co_return check_all(*t.decision.approval, *answer, own); // a reload may have replaced the approval meanwhile
}

} // namespace exeat::net
