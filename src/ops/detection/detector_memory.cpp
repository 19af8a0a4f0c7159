#include <ops/detection/detector_memory.hpp>

#include <net/wall_clock.hpp>

namespace exeat::ops {

namespace {

constexpr state_file::words told{"detectors", "what the detectors know", "each of the two learns for itself",
                                 "after a restart they would begin anew"};

} // namespace

detector_memory::detector_memory(const state_directory& directory, detection& of, const event_log& log)
    : of_{of}, log_{log}, file_{directory, told, log}
{
    if (file_.is_there()) read();
    file_.claim([this](bool) { return of_.written(); });
}

void detector_memory::read()
{
    const auto bytes = file_.read(limits::detector_bytes);
    if (bytes && of_.begin_with(*bytes, detection::moment_of(net::wall_now()))) return;
    log_.say(severity::warning, "what the detectors know cannot be read, so they begin anew",
             {{"file", file_.path()}, {"why", bytes ? "it is damaged, or of another version" : bytes.error()}});
}

} // namespace exeat::ops
