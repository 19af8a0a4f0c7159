// Keeps the state of the detectors across restarts: restores it from `directory`/detectors at construction, and writes it there every
// limits::detector_interval and at a clean end, as described in state_file.hpp. An unreadable state is reported, and the detectors start
// without it. Throws std::system_error when the file cannot be written at the start.
#pragma once

#include <ops/detection/detection.hpp>
#include <ops/state/state_file.hpp>

namespace exeat::ops {

class detector_memory {
public:
    // The detection has seen no record yet and outlives this object.
    detector_memory(const state_directory&, detection&, const event_log&);

    void begin() { file_.begin(limits::detector_interval); }
    void stop() { file_.stop(); } // after the detection has seen all records

private:
    void read();

    detection& of_;
    const event_log& log_;
    state_file file_;
};

} // namespace exeat::ops
