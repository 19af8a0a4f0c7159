// The DNS servers that exeat queries: those of exeat.toml or, where it names none, those of resolv.conf(5), read at the start, whenever the
// file changes and on SIGHUP. If the file names none, the last known servers stay in use, which the log and a metric report. Lives on one
// io_context; its callbacks run there.
#pragma once

#include <exeat/config.hpp>
#include <ops/files/file_watch.hpp>
#include <ops/files/resolv_conf.hpp>
#include <ops/process/log.hpp>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace exeat::ops {

class dns_servers {
public:
    using taker = std::function<void(const std::vector<endpoint>&)>;

    dns_servers(boost::asio::io_context&, const config&, const event_log&, taker);
    const std::vector<endpoint>& now() const noexcept { return now_; }        // at least one
    const std::atomic<std::size_t>& named() const noexcept { return named_; } // any thread; 0: the file names none
    void read_again(std::string_view cause);                                  // "SIGHUP", "file changed"
    void stop();

private:
    void read(std::string_view cause);
    void take(named_servers, std::string_view cause);

    boost::asio::io_context& io_;
    const event_log& log_;
    const taker take_;
    std::vector<endpoint> now_;
    std::atomic<std::size_t> named_;
    std::optional<file_watch> watch_; // empty when exeat.toml names the servers
};

} // namespace exeat::ops
