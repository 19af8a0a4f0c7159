// allowlist.toml (and the hosts_file lists beside it) to a compiled policy. The whole file is read, checked and compiled, and its
// [[expect]] tests are run, before anything is handed out. Blocks; runs at start and on the loader's thread, never on a worker.
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

struct loaded_allowlist {
    std::shared_ptr<const policy> rules; // null when any problem is an error
    std::vector<problem> problems;
    std::vector<watched_file> files;          // every path that was read or should have been, for the watch; the allowlist first
    load_refusal why = load_refusal::invalid; // of what has no rules
    approval_statement statement;             // what is to be approved; whole where there are rules
    std::size_t expectations = 0;             // [[expect]] tests in it
};

// Whether warnings of what is most likely not meant are wanted (lint.hpp), beside all that is wrong.
enum class scrutiny : std::uint8_t { load, lint };

// policy_settings::sha256 is over the allowlist's bytes, followed by the 32-octet SHA-256 of each hosts_file in the order of the entries
// ([[allow]], [[private_link]], [[deny]]); without any, it is what sha256sum prints for the file. Slots are given out only to a list
// without errors but those of its [[expect]] tests.
// With `approvals`, nothing is parsed before `path`.sig has shown that as many trusted keys as are needed approved these very bytes.
loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, scrutiny = scrutiny::load,
                                const approval_rules* approvals = nullptr);

} // namespace exeat::ops
