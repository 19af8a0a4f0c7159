#include <ops/settings/read_detectors.hpp>

#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/quantity.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

using detect::detector;

// Sets the detector's threshold, the one number that an operator may change, in the detector's unit.
void set_threshold(detect::thresholds& t, detector which, std::int64_t value)
{
    const auto n = static_cast<std::uint64_t>(value);
    switch (which) {
    case detector::drip: t.drip_bytes = static_cast<double>(value); break;
    case detector::direction_flip: t.flip_bytes = n; break;
    case detector::first_seen: t.first_seen_bytes = n; break;
    case detector::long_tunnel: t.long_tunnel_seconds = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, UINT32_MAX)); break;
    case detector::beacon: t.beacon_gap_seconds = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, UINT32_MAX)); break;
    case detector::denied_burst: t.denied_burst = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, UINT32_MAX)); break;
    case detector::name_channel: t.name_channel_bytes = static_cast<double>(value); break;
    case detector::fan_out: t.fan_out_least = static_cast<double>(value); break;
    case detector::uniform_chunks: t.chunks = n; break;
    case detector::collusion: t.collusion_clients = n; break;
    case detector::upload_budget:
    case detector::pull_upload:
    case detector::name_mismatch: break;
    }
}

bool has_threshold(detector d) noexcept
{
    return d != detector::upload_budget && d != detector::pull_upload && d != detector::name_mismatch;
}

constexpr toml_key action = key_of(exeat_toml::detect, "action"), threshold = key_of(exeat_toml::detect, "threshold"),
                   rate = key_of(exeat_toml::detect, "rate");

void read_rate(section& s, upload_rate& out)
{
    const auto written = s.text(rate);
    if (!written) return;
    const auto budget = parse_budget(*written);
    const auto refuse = [&](std::string_view why, std::string_view fix) {
        s.reject(rate.name, fmt::format("{} {}; {}", as_shown(*written), why, fix));
    };
    const auto example = fmt::format("write it like {}", rate.example);
    if (!budget) return refuse("is not a rate", example);
    const upload_rate r{budget->bytes, budget->per};
    if (r.bytes == 0) return refuse("lets nothing through", "write action = \"cut\" for that");
    if (r.per > limits::throttle_window)
        return refuse("is for too long a time", fmt::format("write one of {} at most", to_text(limits::throttle_window)));
    if (slower({limits::throttle_ceiling, std::chrono::seconds{1}}, r))
        return refuse("is more than 1 GiB a second, which holds nobody back", example);
    out = r;
}

void read_one(section& s, detector which, detector_settings& out)
{
    if (const auto a = s.word(action, detector_action_words)) out.actions[which] = static_cast<detector_action>(*a);
    const auto value = s.integer(threshold);
    if (value && has_threshold(which)) set_threshold(out.than, which, *value);
    else if (value) s.reject(threshold.name, "this detector has no threshold; remove it");
    const bool by_budget = which == detector::upload_budget || which == detector::pull_upload;
    if (by_budget && s.has(action.name))
        s.reject(action.name, "what a spent budget does, 'on_budget' in the allowlist says; remove it here");
    if (which == detector::uniform_chunks && out.than.chunks > limits::chunk_sizes)
        s.reject(threshold.name, fmt::format("at most {} tunnels are looked at; write fewer", limits::chunk_sizes));
    read_rate(s, out.rates[which]);
    if (s.has(rate.name) && out.actions[which] != detector_action::throttle)
        s.reject(rate.name, "a rate is for action = \"throttle\"; write that or remove it");
    s.done();
}

} // namespace

void read_detectors(section& root, detector_settings& out)
{
    const auto* all = root.table({"detect", "{}"});
    if (all == nullptr) return;
    section s{*all, "[detect]", root.wrong()};
    for (std::size_t i = 0; i < detect::detectors; ++i) {
        const auto* t = s.table({detect::facts[i].name, "{ action = \"cut\" }"});
        if (t == nullptr) continue;
        section one{*t, fmt::format("[detect.{}]", detect::facts[i].name), root.wrong()};
        read_one(one, static_cast<detector>(i), out);
    }
    s.done();
}

} // namespace exeat::ops
