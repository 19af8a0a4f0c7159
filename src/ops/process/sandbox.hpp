// What exeat takes from itself once it has what it needs: code that gets in by a bug finds no program to run, no file to read beside the
// lists and no other process to look into. In two steps, for some of what is set up needs more than what runs.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/process/landlock.hpp>
#include <ops/process/log.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// What the process reads and writes from its start to its end.
open_paths paths_of(const config&, const std::vector<watched_file>& lists);

class sandbox {
public:
    sandbox(const config& c, const event_log& log) : wanted_{c.sandbox}, log_{log} {}

    void restrict_files(const open_paths&); // before any other thread; after the sockets are open. Throws std::runtime_error.
    void restrict_system_calls();           // before anything is accepted. Throws std::runtime_error.
    void tell() const;                      // one line on what was had, and a warning of what was not or is better otherwise

private:
    const sandbox_settings& wanted_;
    const event_log& log_;
    int landlock_ = 0; // version in force; 0: none
    net::unique_fd own_numbers_;
};

} // namespace exeat::ops
