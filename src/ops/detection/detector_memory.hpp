// What the detectors know over restarts: given to the detection from `directory`/detectors when it is made, and written there every
// limits::detector_interval and at a clean end, as state_file.hpp says. What cannot be read is told, and the detectors begin anew.
// Throws std::system_error where it cannot be written at the start.
#pragma once

#include <ops/detection/detection.hpp>
#include <ops/state/state_file.hpp>

namespace exeat::ops {

class detector_memory {
public:
    // The detection has seen nothing yet, and outlives it.
    detector_memory(const state_directory&, detection&, const event_log&);

    void begin() { file_.begin(limits::detector_interval); }
    void stop() { file_.stop(); } // when the detection has seen all

private:
    void read();

    detection& of_;
    const event_log& log_;
    state_file file_;
};

} // namespace exeat::ops
