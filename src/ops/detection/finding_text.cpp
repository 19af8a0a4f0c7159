#include <ops/detection/finding_text.hpp>

#include <exeat/enum_array.hpp>
#include <ops/text/volume_text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

std::string bytes(double n) { return volume_text(static_cast<std::uint64_t>(std::max(n, 0.0))); }
double percent(double share) { return 100 * share; }

std::string of_budget(const detect::finding& f)
{
    if (f.value <= 0) return "The upload budget was spent already when it asked again, so it was refused";
    return fmt::format("An upload budget was spent: the tunnel was cut after {}", bytes(f.value));
}

// For a walk the value is the odds, which each new refused host in a row multiplies by four. Otherwise it is the number of refusals within
// five minutes.
std::string of_denials(const detect::finding& f)
{
    const bool walk = f.threshold > 98 && f.threshold < 100;
    if (walk)
        return fmt::format("{:.0f} different refused hosts in a row, with hardly an allowed one between; four in a row are a finding",
                           std::ceil(std::log(std::max(f.value, 1.0)) / std::log(4.0)));
    return fmt::format("{:.0f} refusals within 5 minutes; {:.0f} are a finding", f.value, f.threshold);
}

// The value is (up - down) / (up + down); the text shows the share of uploaded bytes.
std::string of_direction(const detect::finding& f)
{
    return fmt::format("{:.0f} % of what it moved within the last hour was uploaded, and it mostly read for a week; {:.0f} % of more than "
                       "50 MiB are a finding",
                       percent((f.value + 1) / 2), percent((f.threshold + 1) / 2));
}

constexpr enum_array<detect::detector, std::string_view, detect::detectors> advice{
    "ask the owner of the entry whether this job should upload so much; raise 'upload' by a reviewed change, or quarantine the client",
    "a pull has no reason to upload: find out what it sends, and quarantine the client unless its owner can say",
    "see where its tunnels go and since when; a new job of its owner, or somebody who stays below every budget",
    "quarantine the client unless its owner can say at once what it uploads",
    "ask who needs this host; quarantine the client if nobody can say",
    "set max_age on the entry, or ask what the tunnel is held open for",
    "ask what calls this host at a regular distance; quarantine the client if nobody can say",
    "look at the refused hosts in the log: a package that phones home, a missing entry, or somebody who looks for a hole",
    "isolate the pod and keep its disk, unless it is a browser (ech = \"grease\") or plain HTTP (protocol = \"http\")",
    "look at the names in the log; name the hosts of the entry instead of the wildcard, or lower wildcard_names",
    "look at the names in the log; name the hosts of the entry instead of the wildcard, or lower wildcard_names",
    "ask what uploads pieces of one size; a split archive looks like this",
    "see what these clients have in common: several of them upload slowly to one entry",
};

} // namespace

std::string finding_text(const detect::finding& f)
{
    using enum detect::detector;
    switch (f.which) {
    case upload_budget:
    case pull_upload: return of_budget(f);
    case drip:
        return fmt::format("{} uploaded, slowly, beyond twice what is usual for this client; {} are a finding", bytes(f.value),
                           bytes(f.threshold));
    case direction_flip: return of_direction(f);
    case first_seen:
        return fmt::format("{} uploaded within an hour to a host that is new to this client; {} are a finding", bytes(f.value),
                           bytes(f.threshold));
    case long_tunnel:
        return fmt::format("A pull has been open for {:.0f} minutes; {:.0f} minutes are a finding", f.value / 60, f.threshold / 60);
    case beacon:
        return fmt::format("{:.0f} % of its calls to a host that is new to it come at the same distance; {:.0f} % are a finding",
                           percent(f.value), percent(f.threshold));
    case denied_burst: return of_denials(f);
    case name_mismatch:
        return fmt::format("{:.0f} times a server name that was wrong, missing, hidden or changed, or no TLS at all; {:.0f} is a finding",
                           f.value, f.threshold);
    case name_channel:
        return fmt::format("New names under a wildcard can have carried {} within an hour; {} are a finding", bytes(f.value),
                           bytes(f.threshold));
    case fan_out:
        return fmt::format("{:.0f} names under a wildcard within a day; more than {:.0f} are a finding for this client", f.value,
                           f.threshold);
    case uniform_chunks:
        return fmt::format("A hundred tunnels within an hour uploaded the same amount, to within {:.1f} %; {:.1f} % are a finding",
                           percent(f.value), percent(f.threshold));
    case collusion:
        return fmt::format("{:.0f} clients within a day slowly upload to this entry; {:.0f} are a finding", f.value, f.threshold);
    }
    return {};
}

std::string_view finding_advice(detect::detector d) noexcept { return advice[d]; }

} // namespace exeat::ops
