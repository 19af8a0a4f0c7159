// The process_* metrics under the names that Prometheus client libraries give them, from proc(5).
#include <net/sockets/unique_fd.hpp>
#include <ops/metrics/metric_families.hpp>

#include <algorithm>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

// The content of a proc(5) file; bounded, and the fields that are needed come before that limit.
std::string contents(const char* path)
{
    const net::unique_fd file{::open(path, O_RDONLY | O_CLOEXEC)};
    std::string text(64 * 1024, '\0');
    std::size_t size = 0;
    ssize_t n = 0;
    while (file && size < text.size() && (n = ::read(file.value(), text.data() + size, text.size() - size)) > 0)
        size += static_cast<std::size_t>(n);
    text.resize(size);
    return text;
}

// Field `n` of /proc/self/stat, counted from 1 as in proc(5), after the name (field 2), which may contain spaces.
double stat_field(std::string_view stat, int n)
{
    const auto name_end = stat.rfind(')');
    if (name_end == stat.npos) return 0;
    stat.remove_prefix(name_end + 1);
    for (int at = 3; at < n && !stat.empty(); ++at) stat.remove_prefix(std::min(stat.find(' ', 1), stat.size()));
    stat.remove_prefix(std::min<std::size_t>(1, stat.size()));
    std::uint64_t value = 0;
    std::from_chars(stat.data(), stat.data() + stat.size(), value);
    return static_cast<double>(value);
}

double boot_time()
{
    const auto stat = contents("/proc/stat");
    const auto at = stat.find("\nbtime ");
    std::uint64_t value = 0;
    if (at != stat.npos) std::from_chars(stat.data() + at + 7, stat.data() + stat.size(), value);
    return static_cast<double>(value);
}

std::uint64_t open_fds()
{
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::opendir("/proc/self/fd"), ::closedir};
    std::uint64_t n = 0;
    while (listing && ::readdir(listing.get()) != nullptr) ++n;
    return n < 3 ? 0 : n - 3; // ".", ".." and the descriptor of the listing itself
}

void plain(families& all, const char* name, const char* help, prometheus::MetricType type, double value)
{
    auto& f = all.emplace_back(prometheus::MetricFamily{name, help, type, {}});
    add(f, value);
}

} // namespace

void collect_process(families& all)
{
    using enum prometheus::MetricType;
    const auto stat = contents("/proc/self/stat");
    static const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    static const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    static const double started = boot_time() + stat_field(stat, 22) / ticks;
    rlimit fds{};
    ::getrlimit(RLIMIT_NOFILE, &fds);
    plain(all, "process_cpu_seconds_total", "User and system CPU time spent.", Counter,
          (stat_field(stat, 14) + stat_field(stat, 15)) / ticks);
    plain(all, "process_virtual_memory_bytes", "Virtual memory size.", Gauge, stat_field(stat, 23));
    plain(all, "process_resident_memory_bytes", "Resident memory size.", Gauge, stat_field(stat, 24) * page);
    plain(all, "process_open_fds", "Open file descriptors.", Gauge, static_cast<double>(open_fds()));
    plain(all, "process_max_fds", "Maximum number of open file descriptors.", Gauge, static_cast<double>(fds.rlim_cur));
    plain(all, "process_start_time_seconds", "Start time of the process since the Unix epoch.", Gauge, started);
}

} // namespace exeat::ops
