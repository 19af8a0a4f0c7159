#include <ops/metrics/history.hpp>

#include <ops/metrics/traffic_totals.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <map>

namespace exeat::ops {

void history::look()
{
    const auto& from = numbers_->sources();
    const auto clients = numbers_->clients();
    for (const auto& c : clients.named) clients_.note(c.name, c.s.shown.sum(upload));
    clients_.note({}, clients.other.sum(upload));
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> by_name; // an entry may have slots for several purposes
    for (const auto& e : entry_totals(from)) by_name[e.entry].first += e.upload, by_name[e.entry].second += e.download;
    for (const auto& [name, bytes] : by_name) entries_.note(name, bytes.first), download_.note(name, bytes.second);
    for (const auto& r : reason_totals(from)) denied_.note(to_string(r.reason), r.denied);
}

void history::next()
{
    look();
    for (auto* tracks : {&clients_, &entries_, &denied_, &download_}) tracks->next();
    began_ = std::chrono::steady_clock::now();
}

history_timer::history_timer(boost::asio::io_context& io, history& of) : of_{of}, timer_{io} { again(); }

void history_timer::again()
{
    timer_.expires_after(limits::history_interval);
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (failed) return;
        again(); // before next(), which may throw
        of_.next();
    }));
}

} // namespace exeat::ops
