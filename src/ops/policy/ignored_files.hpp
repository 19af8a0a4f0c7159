// Files of allowlist.d that count for nothing, and why; and what else people should know of the approvals of the policy in force. Values.
#pragma once

#include <exeat/enum_array.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// unnamed: neither the manifest nor a grant's statement is of it. grant: not approved here, or it does not fit. waiting: a grant that some
// trusted keys have signed, and not enough of them. revoked: it was taken back. revocation: no trusted key's, or not for here.
enum class ignored_why : std::uint8_t { unnamed, grant, waiting, revoked, revocation };
inline constexpr enum_array<ignored_why, std::string_view, 5> ignored_words{"unnamed", "grant", "waiting", "revoked",
                                                                            "revocation"}; // metric label

struct ignored_file {
    ignored_why why = ignored_why::unnamed;
    std::string path, text; // text: what is wrong, and how to fix it
    bool operator==(const ignored_file&) const = default;
};

struct approval_state {
    std::vector<ignored_file> ignored;
    std::size_t revoked = 0;  // digests that are remembered as revoked
    bool from_copy = false;   // what is in force is the stored copy: what lies on the disk was refused
    bool copy_stored = false; // the copy in `state` is what is in force
    std::string copy_error;   // why not, one line
};

} // namespace exeat::ops
