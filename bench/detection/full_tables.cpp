// full_tables: what the detectors take when every table is full and everything in it is in use: memory, bytes on the disk, and how long the
// journal's thread may have to wait while they are written.
#include <exeat/detect/bank.hpp>
#include <exeat/limits.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>

using namespace exeat;
using namespace exeat::detect;

namespace {

using clock = std::chrono::steady_clock;
constexpr moment began{1'750'000'000}, minute{60};

double milliseconds(clock::time_point since) { return std::chrono::duration<double, std::milli>{clock::now() - since}.count(); }

double resident() // MiB
{
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages >> pages;
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

class filler {
public:
    explicit filler(detector_bank& b) : bank_{b} {}

    // Every client uses one host again and again, uploads, and is refused once.
    void all_clients()
    {
        for (int i = 0; i < 33; ++i, now_ += minute)
            for (std::uint32_t n = 0; n < limits::detect_clients; ++n) {
                see(n, flow_step::open, "host.test");
                if (i == 0) see(n, flow_step::close, "host.test"), see(n, flow_step::deny, "door.test");
            }
    }
    // As many as the larger tables hold: eight days of uploads, refusals at different doors, pieces, and names of a wildcard.
    void some_clients()
    {
        for (int i = 0; i < 200; ++i, now_ += minute * (i < 130 ? 90 : 1))
            for (std::uint32_t n = 0; n < limits::detect_entries; ++n) {
                see(n, flow_step::close, "host.test");
                const auto name = "n" + std::to_string(i) + "-" + std::to_string(n) + ".w.test";
                see(n, flow_step::deny, name);
                for (int more = 0; i >= 140 && more < 8; ++more) see(n, flow_step::open, name + std::to_string(more), true);
            }
    }

private:
    void see(std::uint32_t client, flow_step step, std::string_view host, bool wildcard = false)
    {
        flow_event e;
        e.step = step;
        e.verdict = step == flow_step::deny ? verdict::sni_mismatch : verdict::allowed;
        e.at = now_;
        e.client = ip_address::v4(client);
        e.entry = {1, 1};
        e.host = host;
        e.wildcard = wildcard;
        if (step == flow_step::close) e.up = e.tunnel_up = 400'000 + client % 1'000, e.down = 1'000'000;
        found_.clear();
        bank_.see(e, found_);
    }

    detector_bank& bank_;
    findings found_;
    moment now_ = began;
};

} // namespace

int main()
{
    const auto before = resident();
    detector_bank bank{1, {}};
    filler f{bank};
    f.all_clients();
    f.some_clients();
    fmt::print("| table | entries | of |\n|---|---|---|\n");
    for (const auto& t : bank.tables()) fmt::print("| {} | {} | {} |\n", t.name, t.entries, t.capacity);
    fmt::print("\nmemory: {:.0f} MiB\n", resident() - before);
    std::string bytes;
    double longest = 0, in_all = 0;
    for (std::size_t part = 0; part < detector_bank::parts; ++part) {
        const auto from = clock::now();
        bank.write(part, bytes);
        const auto took = milliseconds(from);
        longest = std::max(longest, took);
        in_all += took;
    }
    fmt::print("file: {:.1f} MiB\nwritten in {:.0f} ms, the longest part in {:.0f} ms\n", static_cast<double>(bytes.size()) / (1 << 20),
               in_all, longest);
    detector_bank next{1, {}};
    const auto from = clock::now();
    const bool read = next.read(bytes);
    fmt::print("read in {:.0f} ms{}\n", milliseconds(from), read ? "" : ", and refused");
    return read ? 0 : 1;
}
