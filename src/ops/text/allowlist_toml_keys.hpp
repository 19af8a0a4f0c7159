// The keys of allowlist.toml. Values.
#pragma once

#include <exeat/limits.hpp>
#include <ops/text/configuration_keys.hpp>

#include <array>

namespace exeat::ops::allowlist_toml {

using namespace std::chrono_literals;

using key = configuration_key;

inline constexpr std::string_view name_meaning =
    "Unique; the metric label and the audit field. Lower-case letters, digits, '.', '_' and '-', a letter or digit first, 64 at most.";
inline constexpr std::string_view hosts_meaning =
    "\"a.b.c\" exactly, \"*.b.c\" one label, \"**.b.c\" any depth; neither wildcard takes b.c itself. ASCII only: an international "
    "name as its A-label. hosts or hosts_file must be there. At most 256 entries may name the same host.";
inline constexpr std::string_view denied_meaning =
    "Hosts as in [[allow]], addresses, and networks. An address or a network is closed under every name: an answer that has one such "
    "address is refused as a whole, also where it stands behind NAT64 or is pinned, and open tunnels to it are cut. hosts or hosts_file "
    "must be there.";
inline constexpr std::string_view file_meaning = "A file beside the allowlist, one name a line, '#' comments; made for a million names.";

inline constexpr std::array top{
    key{"serial", "whole number", "0", "Raise it with every change; a list that needs approvals is taken only if it is higher.", "7",
        between(0, INT64_MAX)},
    key{"expires", "date and time", "never", "From then on everything is denied. A list that is signed must have one.",
        "2027-01-01T00:00:00Z"},
    key{"mode", "enforce or report", "enforce",
        "report lets pass, and logs, what only the lists would refuse: not_allowed, port_not_allowed, protocol_not_allowed and budget.",
        "\"enforce\""},
    key{"report_until", "date and time", "required by report", "When report mode ends, here and in groups; 14 days ahead at most.",
        "2026-12-24T00:00:00Z"},
    key{"end", "true", "none",
        "The mark of a whole list: end = true as its very last line, whatever table is above it, here and in the files of allowlist.d; in "
        "a hosts_file it is the line # end. With [policy] require_end of exeat.toml no list is taken without it.",
        "true"},
    key{"deny_help", "text", "none", "What a refusal says about how to ask for access.", "\"Ask in #egress\""},
};

inline constexpr std::array defaults{
    key{"upload", "budget, or a list of them", "by purpose", "The upload budget of entries that say none.", "\"10 GiB/24h\""},
};

inline constexpr std::array groups{
    key{"sources", "list of networks", "required, unless the group is of pods",
        "The addresses of its clients. A client may be in several groups. With service_accounts or namespaces, both must hold.",
        "[\"10.42.0.0/16\"]", entries(limits::sources_per_group)},
    key{"service_accounts", "list of \"namespace/name\"", "any client",
        "Only pods of one of these service accounts are in the group. It needs [kubernetes] of exeat.toml.", "[\"training/trainer\"]",
        entries(limits::workloads_per_group)},
    key{"namespaces", "list of namespaces", "any client",
        "Only pods of one of these namespaces are in the group. Whoever may create pods in one of them is in the group.", "[\"training\"]",
        entries(limits::workloads_per_group)},
    key{"instances", "whole number", "16",
        "How many pods a service account has here at a time. All of them together may upload what so many of them may upload each, and use "
        "as many names under a wildcard; a refusal by that says so. Of several groups of pods that an account is in, wherever its pods "
        "are, "
        "the largest counts.",
        "16", between(1, limits::instances_ceiling)},
    key{"mode", "enforce or report", "enforce", "report: report mode for this group's clients alone; needs report_until at the top.",
        "\"report\""},
    key{"identities", "list of text", "none", "Not enforced by this version, and refused unless it is empty.", "[]",
        entries(limits::sources_per_group)},
};

inline constexpr std::array allow{
    key{"name", "text", "required", name_meaning, "\"python-packages\""},
    key{"hosts", "list of hosts", "none", hosts_meaning, "[\"pkg.test\"]", entries(limits::names)},
    key{"hosts_file", "path", "none", file_meaning, "\"names.txt\""},
    key{"ports", "list of ports", "[443]; [80] for http", "Required for protocol = \"tcp\".", "[443, 8443]"},
    key{"groups", "list of groups", "every group", "Whom it lets out.", "[\"training\"]", entries(limits::groups)},
    key{"protocol", "tls, http or tcp", "tls",
        "tls: the server name must be the one that was asked for. http: plain HTTP, each request is decided, also inside a CONNECT tunnel. "
        "tcp: anything, exact hosts only.",
        "\"tls\""},
    key{"purpose", "pull, api, telemetry or push", "pull",
        "Brings upload budgets for each client. push has none of its own: it needs upload, owner, reason and expires.", "\"pull\""},
    key{"upload", "budget, or a list of them", "by purpose", "Of each client at this entry, in windows of 1h, 24h or 7d.", "\"50 MiB/1h\""},
    key{"upload_identity", "budget, or a list of them", "upload, times instances",
        "Of all pods of one service account together, whatever pods those are. Needs upload.", "\"500 MiB/1h\""},
    key{"upload_total", "budget, or a list of them", "none", "Of all clients together.", "\"5 GiB/24h\""},
    key{"account", "text", "its own",
        "Entries of the same account share their upload budgets: what a client uploads by one counts for all of them. They need the same "
        "upload, upload_identity and upload_total.",
        "\"uploads\""},
    key{"on_budget", "cut, throttle or alert", "cut",
        "When a budget is spent: cut ends the tunnel, throttle waits until the window slides on, alert only reports.", "\"cut\""},
    key{"names", "whole number", "100", "Different names under its wildcards that a client may use within 24 hours; then name_budget.",
        "100", between(1, limits::wildcard_names_ceiling)},
    key{"max_age", "duration", "4h for a pull, none otherwise", "No tunnel lives longer.", "\"4h\"",
        between(limits::max_age_least, limits::max_age_ceiling)},
    key{"shared_suffix", "text", "none", "Why a wildcard above a public or shared suffix is meant; without it such a wildcard is an error.",
        "\"our own accounts only, see NET-1432\""},
    key{"ech", "deny, grease or allow", "deny",
        "Encrypted ClientHellos (ECH, RFC 9849) at this entry. Browsers always send something that looks like one: GREASE, in which "
        "nothing is hidden, made so that nobody on the way can tell it from a real one. grease lets pass what may be GREASE; it refuses "
        "ESNI, and what only a real one sends after a HelloRetryRequest. allow lets pass all of them. Under each the server name in the "
        "open must be the target; so what a real one can hide is another name at the server of that target, where the server has keys for "
        "it (its public_name is the target). Use it for hosts of one owner, not in front of a CDN. Only for protocol = \"tls\".",
        "\"deny\""},
    key{"expires", "date and time", "never", "Then it closes, and its open tunnels with it.", "2026-12-24T00:00:00Z"},
    key{"owner", "text", "none", "Who answers for it.", "\"ml-platform\""},
    key{"reason", "text", "none", "What it is for.", "\"pip install\""},
    key{"ticket", "text", "none", "Where it was asked for.", "\"NET-1432\""},
};

inline constexpr std::array private_link{
    key{"within", "list of networks", "none",
        "Every address of the answer must lie in one of them, or it is refused. within or addresses "
        "must be there.",
        "[\"10.20.8.0/24\"]", entries(limits::addresses_per_rule)},
    key{"addresses", "list of addresses", "none", "Pinned: DNS is not asked.", "[\"10.20.8.4\"]", entries(limits::addresses_per_rule)},
};

inline constexpr std::array deny{
    key{"name", "text", "required", name_meaning, "\"no-uploads\""},
    key{"hosts", "list of hosts and networks", "none", denied_meaning, "[\"upload.pkg.test\", \"93.184.216.0/24\"]"},
    key{"hosts_file", "path", "none", "A file beside the allowlist, one host or network a line, '#' comments.", "\"closed.txt\""},
    key{"ports", "list of ports", "every port", "What it closes.", "[443]"},
    key{"groups", "list of groups", "every group", "For whom it is closed.", "[\"training\"]"},
    key{"owner", "text", "none", "Who answers for it.", "\"ml-platform\""},
    key{"reason", "text", "none", "What it is for.", "\"packages are published elsewhere\""},
    key{"ticket", "text", "none", "Where it was asked for.", "\"NET-1432\""},
};

inline constexpr std::array expect{
    key{"client", "address", "required", "Who asks.", "\"10.42.3.7\""},
    key{"service_account", "\"namespace/name\"", "none", "The client is a pod of this service account.", "\"training/trainer\""},
    key{"target", "text", "required", "\"host:port\" for CONNECT and TLS, \"http://host[:port]\" for plain HTTP.", "\"pkg.test:443\""},
    key{"verdict", "allow or a reason", "required",
        "allow, not_allowed, port_not_allowed, denied_by_rule, source_not_allowed, and so on. No name is looked up: addresses are judged "
        "where "
        "the target is one or a private_link pins them.",
        "\"allow\""},
};

inline constexpr std::array tables{
    configuration_table{"", "", "Of the whole list.", top},
    configuration_table{"[defaults]", "", "What holds for entries that say nothing else.", defaults},
    configuration_table{"[groups.NAME]", "", "Who asks. A client that is in no group is refused before a byte of it is parsed.", groups},
    configuration_table{"[[allow]]", "", "What is open, for public destinations.", allow},
    configuration_table{"[[private_link]]", "[[allow]]",
                        "What is open inside: a private endpoint. It never falls back to a public address.", private_link},
    configuration_table{"[[deny]]", "", "What is closed. It wins over every allow, in any order.", deny},
    configuration_table{"[[expect]]", "",
                        "The list's own tests, run by exeat check and before every reload: a list that fails one does not take effect.",
                        expect},
};

inline constexpr configuration_file file{
    "allowlist.toml", "who may go where through exeat",
    "What is not named here is denied. The file is read again when it changes, and on SIGHUP; one that has an error changes nothing. "
    "One that is written in place is read when its writer has closed it, or has been silent for a minute. Where it is then no more than "
    "the beginning of what it was, it is taken after half a minute, or at once by SIGHUP. "
    "exeat check allowlist.toml says what is wrong with it, exeat explain what it decides.\n\n"
    "An unknown key, a wrong type or a key that this version does not enforce is an error with its place, never ignored. A budget is "
    "written \"50 MiB/1h\", a moment 2026-12-24T00:00:00Z.\n\n"
    "Every file that ends in .toml in the directory allowlist.d beside it is part of the same policy. It has serial, expires, and entries "
    "of "
    "its own ([[allow]], [[private_link]], [[deny]]); all else belongs in the allowlist itself.",
    tables};

} // namespace exeat::ops::allowlist_toml
