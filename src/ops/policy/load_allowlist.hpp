// Loads allowlist.toml (with the files of allowlist.d/ and the hosts_file lists beside them) into a compiled policy. Everything is read,
// checked and compiled, and its [[expect]] tests are run, before anything is returned. Blocks; runs at start and on the loader's thread,
// never on a worker.
#pragma once

#include <exeat/address_class.hpp>
#include <exeat/policy.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/policy/approved_files.hpp>
#include <ops/policy/ignored_files.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/list_part.hpp>
#include <ops/policy/load_refusal.hpp>
#include <ops/text/problem.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

// One file of the policy, and the keys that approved it.
struct list_file {
    list_kind kind = list_kind::allowlist;
    std::string path, sha256;
    std::uint64_t serial = 0;
    std::vector<hosts_digest> hosts_files;
    std::vector<std::string> approved_by; // key ids; only when approvals are required
    wall_time expires = never;            // of the whole file
    wall_time ends = never;               // of its entries, if earlier
    bool revoked = false;
};

struct loaded_allowlist {
    std::shared_ptr<const policy> rules; // null when any problem is an error
    std::vector<problem> problems;
    std::vector<watched_file> files;          // every path that was read or should have been, for the watch; the allowlist first
    std::vector<list_file> lists;             // the allowlist first; complete when there are rules
    load_refusal why = load_refusal::invalid; // when there are no rules
    std::vector<std::string> expectations;    // its [[expect]] tests, as "10.42.3.7 to pkg.test:443: allowed"
    approval_state approvals;                 // when they are required (policy_gate.hpp)
};

// Whether warnings about likely mistakes are included (lint.hpp), besides errors.
enum class scrutiny : std::uint8_t { load, lint };

struct load_options {
    load_options(scrutiny s = scrutiny::load) : how{s} {} // NOLINT: one may stand for the other
    scrutiny how;
    site_networks site{};       // for warnings and [[expect]]
    bool site_known = false;    // from exeat.toml, so it is known what is public
    std::optional<bool> pods{}; // whether exeat.toml has [kubernetes]; nullopt: there is no exeat.toml
    // Used instead of the files on disk. Only hosts files are read, and they are parsed only after their digest has been checked.
    const approved_files* approved = nullptr;
    bool without_grants = false; // files of allowlist.d with a grant's statement are left out
    bool require_end = false;    // [policy] require_end: a file without its end mark is refused unread
    // A file of allowlist.d that does not exist yet: its path and its content.
    const std::pair<std::string, std::string>* also = nullptr;
};

// policy_settings::sha256 is over the allowlist's bytes, followed by the 32-octet SHA-256 of each file of allowlist.d in order of name
// (twice if it is revoked) and of each hosts_file in the order of the entries ([[allow]], [[private_link]], [[deny]]); without any of
// these, it is what sha256sum prints for the file.
// Slots are assigned only to a list without errors, except errors of its [[expect]] tests.
loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, const load_options& = {});

} // namespace exeat::ops
