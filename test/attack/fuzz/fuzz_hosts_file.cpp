// A hosts_file: every line is a name, nothing, or a problem in its place; and it reads the same wherever its lines fall among the blocks.
#include "memory_file.hpp"
#include "problems.hpp"

#include <ops/policy/hosts_file.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

struct outcome {
    std::vector<std::string> hosts;
    std::vector<ops::problem> problems;
};

outcome read(std::string_view content)
{
    outcome out;
    const memory_file file{content};
    ops::diagnostics wrong{"names.txt"};
    const ops::host_taker take = [&](const host_pattern& host) {
        const auto again = host_pattern::parse(host.to_string());
        must(again.has_value() && *again == host, "a host that was taken reads as itself");
        out.hosts.push_back(host.to_string());
        return std::string{};
    };
    ops::read_hosts_file(file.path(), take, wrong);
    wrong.move_to(out.problems);
    return out;
}

// Comments in front, so that the lines lie about the end of the reader's block of 64 KiB.
std::string shifted(std::string_view content, std::size_t by)
{
    constexpr std::size_t line = 1'000;
    std::string out;
    while (by > line) {
        out += '#' + std::string(line - 2, '.') + '\n';
        by -= line;
    }
    return (out += '#' + std::string(by, '.') + '\n') += content;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const auto plain = read(in);
    check_places(in, plain.problems);
    const auto lines = static_cast<std::size_t>(std::count(in.begin(), in.end(), '\n')) + 1;
    must(plain.hosts.size() <= lines, "a line names one host at most");
    if (in.starts_with("\xef")) return 0; // a byte order mark is one only in front
    draws draw{in};
    const auto moved = read(shifted(in, 64 * 1024 - std::min<std::size_t>(draw.below(size + 3), 60'000)));
    must(moved.hosts == plain.hosts, "the hosts are the same wherever they stand");
    must(moved.problems.size() == plain.problems.size(), "and so is what is wrong with the rest");
    return 0;
}
