// The files of a policy whose bytes are known to be those that were approved: what the loader takes in place of what lies on the disk.
// Values; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace exeat::ops {

// What one file is in its policy. A part of allowlist.d that needs no approval is a part, too.
enum class list_kind : std::uint8_t { allowlist, part, grant };

struct approved_list {
    list_kind kind = list_kind::allowlist;
    std::string path, text, sha256;
    std::vector<std::string> approved_by; // ids of keys
    wall_time ends = never;               // of a grant: no entry of it lasts longer
    bool revoked = false;                 // what it allows is over; what it denies is not
};

struct approved_files {
    struct hosts_copy {
        std::string read_from, sha256; // the bytes are checked before a line is read
    };
    std::vector<approved_list> lists;              // the allowlist first, then the parts, then the grants
    std::map<std::string, hosts_copy> hosts_files; // by their path as the entries name them; no other is read
};

} // namespace exeat::ops
