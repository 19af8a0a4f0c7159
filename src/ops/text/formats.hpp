// The formats of the files in `state` and of signed statements, by name and version: the first line of each file. A reader rejects any
// other first line, except for the older formats named here; `exeat version` prints them all. Constants; any thread.
#pragma once

#include <array>
#include <string_view>

namespace exeat::ops::formats {

inline constexpr std::string_view accounts = "exeat-accounts-3", uploads = "exeat-uploads-3", names = "exeat-names-2",
                                  former_names = "exeat-names-1", detectors = "exeat-detectors-2", anchor = "exeat-anchor-1",
                                  tally = "exeat-tally-1", names_journal = "exeat-names-journal-1", init = "exeat-init-1",
                                  accepted = "accepted policy v2", former_accepted = "accepted policy v1",
                                  revoked = "exeat revoked digests v1", manifest = "exeat policy manifest v1", grant = "exeat grant v1",
                                  revocation = "exeat revocation v1", checkpoint = "exeat audit checkpoint v1";

struct format {
    std::string_view file, name, also_reads;
};
inline constexpr std::array of_state{format{"accounts", accounts, ""},
                                     format{"uploads", uploads, ""},
                                     format{"uploads.tally", tally, ""},
                                     format{"names", names, former_names},
                                     format{"names.journal", names_journal, ""},
                                     format{"detectors", detectors, ""},
                                     format{"anchor", anchor, ""},
                                     format{"init", init, ""},
                                     format{"policy.json", accepted, former_accepted},
                                     format{"revoked", revoked, ""},
                                     format{"approved/manifest", manifest, ""},
                                     format{"quarantine", "TOML", ""}};
inline constexpr std::array of_statements{manifest, grant, revocation, checkpoint};

// Each line of the audit log is JSON with the field names of the Elastic Common Schema, and exeat's own below "exeat.".
inline constexpr std::string_view audit_log = "ECS 8 JSON lines, chained by SHA-256";

} // namespace exeat::ops::formats
