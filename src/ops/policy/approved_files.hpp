// The files of a policy whose bytes are known to be approved; the loader reads them instead of the files on disk. Values; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace exeat::ops {

// The role of a file in its policy. A file of allowlist.d that needs no approval is a part, too.
enum class list_kind : std::uint8_t { allowlist, part, grant };

struct approved_list {
    list_kind kind = list_kind::allowlist;
    std::string path, text, sha256;
    std::vector<std::string> approved_by; // key ids
    wall_time ends = never;               // of a grant: the latest expiry of its entries
    bool revoked = false;                 // what it allows no longer applies; what it denies still does
};

struct approved_files {
    struct hosts_copy {
        std::string read_from, sha256; // the bytes are checked before a line is read
    };
    std::vector<approved_list> lists;              // the allowlist first, then the parts, then the grants
    std::map<std::string, hosts_copy> hosts_files; // by path as in the entries; no other file is read
};

} // namespace exeat::ops
