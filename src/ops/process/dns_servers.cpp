#include <ops/process/dns_servers.hpp>

#include <boost/asio/post.hpp>
#include <utility>

namespace exeat::ops {

namespace {

// The default of resolv.conf(5) when no server is named.
const endpoint this_machine{ip_address::v4(0x7f000001), 53};

std::string names_of(const std::vector<endpoint>& servers)
{
    std::string out;
    for (const auto& s : servers) (out += out.empty() ? "" : " ") += s.to_string();
    return out;
}

// Without the word "warning", because the event has its own severity.
std::string reason(const problem& p) { return p.file + (p.line > 0 ? ":" + std::to_string(p.line) : "") + ": " + p.text; }

} // namespace

dns_servers::dns_servers(boost::asio::io_context& io, const config& c, const event_log& log, taker take)
    : io_{io}, log_{log}, take_{std::move(take)}, now_{c.dns_servers}, named_{now_.size()}
{
    if (!now_.empty()) return;
    watch_.emplace(io, [this] { boost::asio::post(io_, [this] { read_again("file changed"); }); }); // after the watch's own check
    now_.push_back(this_machine);
    read("start");
}

void dns_servers::read_again(std::string_view cause)
{
    if (!watch_) return;
    try {
        read(cause);
    } catch (const std::bad_alloc&) {
        watch_->forget(); // so that the next poll reports the change again
        throw;
    }
}

void dns_servers::read(std::string_view cause)
{
    const watched_file seen{resolv_conf}; // before the read, so that any later change is noticed
    auto named = read_resolv_conf(resolv_conf);
    watch_->files({seen});
    take(std::move(named), cause);
}

void dns_servers::take(named_servers named, std::string_view cause)
{
    const bool known_before = named_.exchange(named.servers.size()) > 0;
    if (named.servers.empty())
        return log_.say(severity::error, "/etc/resolv.conf names no DNS server, the last known ones are asked",
                        {{"cause", std::string{cause}}, {"asked", names_of(now_)}, {"why", reason(named.problems.back())}});
    if (named.servers == now_ && known_before) return;
    if (!named.problems.empty())
        log_.say(severity::warning, "not every DNS server can be asked", {{"why", reason(named.problems.front())}});
    take_(named.servers); // may throw std::bad_alloc; now_ is unchanged then
    now_ = std::move(named.servers);
    if (cause != "start") log_.say(severity::notice, "DNS servers changed", {{"cause", std::string{cause}}, {"asked", names_of(now_)}});
}

void dns_servers::stop()
{
    if (watch_) watch_->stop();
}

} // namespace exeat::ops
