// What the detectors know as bytes, to outlive the process. Numbers are little-endian; a change of what the detectors know needs another
// heading. Pure but for the digest; any thread.
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
    std::string_view parts; // within the bytes
};

std::string heading_of(const detector_snapshot&); // then come the parts and seal()
std::optional<detector_snapshot> open_detectors(std::string_view bytes);
// The bank of it, as if the snapshot's moment were at most `present`: a clock that went back takes what is known along. Null where the
// parts are none of ours. Throws std::bad_alloc.
std::unique_ptr<detect::detector_bank> bank_of(const detector_snapshot&, const detect::thresholds&, detect::moment present);

} // namespace exeat::ops
