// Files of allowlist.d that have no effect, and why; and other facts about the approvals of the policy in force. Values.
#pragma once

#include <exeat/enum_array.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// unnamed: neither the manifest nor a grant's statement names it. grant: not approved for this audience, or it does not fit. waiting: a
// grant that some trusted keys have signed, but not enough. revoked: it was withdrawn. revocation: not signed by a trusted key, or for
// another audience.
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
    std::size_t revoked = 0;  // digests that are known to be revoked
    bool from_copy = false;   // the stored copy is in force, because the files on disk were refused
    bool copy_stored = false; // the list in force is stored in `state`
    std::string copy_error;   // why it is not stored; one line
};

} // namespace exeat::ops
