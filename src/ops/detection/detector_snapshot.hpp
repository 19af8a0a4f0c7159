// The state of the detectors as bytes, which outlive the process. Numbers are little-endian; a change of what the state contains requires
// another heading. Pure except for the digest; any thread.
//
//   "exeat-detectors-2\n" | now: u64 seconds, as the events count them | seed of the hashes: u64 | the parts of the bank | SHA-256
#pragma once

#include <exeat/detect/bank.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct detector_snapshot {
    detect::moment now{0};
    std::uint64_t seed = 0;
    std::string_view parts; // a view into the bytes
};

std::string heading_of(const detector_snapshot&); // the parts and seal() follow
std::optional<detector_snapshot> open_detectors(std::string_view bytes);
// Restores the bank as if the snapshot's moment were at most `present`, so that its times follow a clock that was set back. Null when the
// parts cannot be read. Throws std::bad_alloc.
std::unique_ptr<detect::detector_bank> bank_of(const detector_snapshot&, const detect::thresholds&, detect::moment present);

} // namespace exeat::ops
