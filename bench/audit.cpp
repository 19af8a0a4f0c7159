// What a line of the audit log costs its thread, and a checkpoint: its line, its signature, fdatasync(2) of the log and the anchor in
// state. The directory is the first argument: a disk's, for the last two wait for it.
#include <ops/audit/audit_checkpoints.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <string>

using namespace exeat;
using namespace exeat::ops;
using steady = std::chrono::steady_clock;

namespace {

struct desk {
    label_registry labels;
    policy_status status;
    audit_line line{labels, status};
    audit_chain chain;
    std::string text;
};

double microseconds(steady::duration d, std::size_t n)
{
    return std::chrono::duration<double, std::micro>(d).count() / static_cast<double>(n);
}

double of_lines(desk& d, std::size_t n)
{
    net::audit_record r;
    r.host = net::bounded_text{"files.pkg-hosting.test"};
    r.server_name = r.host;
    r.at = std::chrono::system_clock::now();
    const auto begin = steady::now();
    for (std::size_t i = 0; i < n; ++i) {
        if (i % 400 == 0) d.text.clear();
        d.line.append(d.text, r, d.chain);
    }
    return microseconds(steady::now() - begin, n);
}

double of_checkpoint_lines(desk& d, audit_checkpoints& points, std::size_t n)
{
    const auto begin = steady::now();
    for (std::size_t i = 0; i < n; ++i) {
        if (i % 400 == 0) d.text.clear();
        d.line.append(d.text, points.event(checkpoint_reason::time), d.chain);
    }
    return microseconds(steady::now() - begin, n);
}

// Each after 64 KiB of lines, some hundred, as it is on the way.
double of_disk(desk& d, audit_checkpoints& points, const std::string& path, std::size_t n)
{
    audit_file file{path};
    if (const auto failed = file.open()) {
        fmt::print(stderr, "{}: {}\n", path, failed.message());
        std::exit(1);
    }
    const std::string lines(64 * 1024, 'x');
    steady::duration all{};
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t written = 0;
        if (file.write_some(lines, written)) std::exit(1);
        const auto begin = steady::now();
        points.added(i + 1, d.chain.previous(), begin);
        if (points.settle(file)) std::exit(1);
        all += steady::now() - begin;
    }
    return microseconds(all, n);
}

} // namespace

int main(int argc, char** argv)
{
    const std::filesystem::path at{argc > 1 ? argv[1] : "."};
    const auto path = (at / "audit-bench.jsonl").string();
    const event_log log{log_format::people};
    audit_checkpoints plain{path, {}, {}, log}, with_key{path, {}, std::move(*private_key::generate()), log},
        with_state{path, {at.string()}, {}, log};
    desk d;
    fmt::print("a line                                {:8.2f} µs\n", of_lines(d, 500'000));
    fmt::print("a checkpoint's line                   {:8.2f} µs\n", of_checkpoint_lines(d, plain, 100'000));
    fmt::print("the same, signed                      {:8.2f} µs\n", of_checkpoint_lines(d, with_key, 5'000));
    fmt::print("fdatasync of the log                  {:8.0f} µs\n", of_disk(d, plain, path, 200));
    fmt::print("the same, with the anchor in state    {:8.0f} µs\n", of_disk(d, with_state, path, 200));
    std::filesystem::remove(path);
    std::filesystem::remove(at / anchor_name(path));
    std::filesystem::remove(at / (anchor_name(path) + ".lock"));
}
