// Privileges that exeat drops after start-up: an attacker who exploits a bug finds no program to run, no file to read apart from the lists,
// and no other process to inspect. They are dropped in two steps, because parts of the set-up need more than the running process.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/process/landlock.hpp>
#include <ops/process/log.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace exeat::ops {

// The paths that the process reads and writes while it runs.
open_paths paths_of(const config&, const std::vector<watched_file>& lists);

// Adds the directory of the path and, for each symbolic link on the way, the directories of the link and of its target: replacing any of
// them changes what the path leads to.
void add_ways_to(const std::filesystem::path&, std::vector<std::string>& to);

class sandbox {
public:
    sandbox(const config& c, const event_log& log) : wanted_{c.sandbox}, log_{log} {}

    void restrict_files(const open_paths&); // before any other thread starts and after the sockets are open. Throws std::runtime_error.
    void restrict_system_calls();           // before any connection is accepted. Throws std::runtime_error.
    void tell() const;                      // logs what is in force, and a warning when exeat runs as root without need

private:
    const sandbox_settings& wanted_;
    const event_log& log_;
    int landlock_ = 0; // version in force; 0: none
    net::unique_fd own_numbers_;
};

} // namespace exeat::ops
