// allowlist.toml (with the files of allowlist.d/ and the hosts_file lists beside them) to a compiled policy. Everything is read, checked
// and compiled, and its [[expect]] tests are run, before anything is handed out. Blocks; runs at start and on the loader's thread, never on
// a worker.
#pragma once

#include <exeat/policy.hpp>
#include <ops/approval.hpp>
#include <ops/label_registry.hpp>
#include <ops/load_refusal.hpp>
#include <ops/problem.hpp>
#include <ops/watched_file.hpp>

#include <memory>
#include <string>
#include <vector>

namespace exeat::ops {

// One file of the policy, and who approved it.
struct list_file {
    std::string path;
    approval_statement statement;         // what is to be approved of it
    std::vector<std::string> approved_by; // ids of keys; only where approvals were asked for
    wall_time expires = never;            // of the whole file
};

struct loaded_allowlist {
    std::shared_ptr<const policy> rules; // null when any problem is an error
    std::vector<problem> problems;
    std::vector<watched_file> files;          // every path that was read or should have been, for the watch; the allowlist first
    std::vector<list_file> lists;             // the allowlist first; whole where there are rules
    load_refusal why = load_refusal::invalid; // of what has no rules
    std::vector<std::string> expectations;    // its [[expect]] tests, as "10.42.3.7 to pkg.test:443: allowed"
};

// Whether warnings of what is most likely not meant are wanted (lint.hpp), beside all that is wrong.
enum class scrutiny : std::uint8_t { load, lint };

struct load_options {
    load_options(scrutiny s = scrutiny::load) : how{s} {} // NOLINT: one may stand for the other
    scrutiny how;
    site_networks site{}; // that warnings and [[expect]] know of
    // With these nothing is parsed of a file before its FILE.sig has shown that as many trusted keys as are needed approved these very
    // bytes.
    const approval_rules* approvals = nullptr;
    bool require_end = false; // [policy] require_end: what lacks its last line is refused unread
    // A file of allowlist.d that is not there yet: its path, and what it will say.
    const std::pair<std::string, std::string>* also = nullptr;
};

// policy_settings::sha256 is over the allowlist's bytes, followed by the 32-octet SHA-256 of each file of allowlist.d by name and of each
// hosts_file in the order of the entries ([[allow]], [[private_link]], [[deny]]); without any, it is what sha256sum prints for the file.
// Slots are given out only to a list without errors but those of its [[expect]] tests.
loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, const load_options& = {});

} // namespace exeat::ops
