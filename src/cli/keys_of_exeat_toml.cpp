#include <cli/documented_keys.hpp>

#include <array>

namespace exeat::cli {

namespace {

using key = documented_key;

constexpr std::array listen{
    key{"mode", "proxy, transparent or sni", "required",
        "proxy: CONNECT, and http:// requests. transparent: traffic that the firewall redirects here, TLS by server name and HTTP by Host. "
        "sni: clients dial this address itself, for their DNS points here.",
        "\"proxy\""},
    key{"address", "address and port", "required", "Where it listens. An IPv6 address stands in brackets.", "\"0.0.0.0:3128\""},
    key{"via", "redirect or tproxy", "redirect", "Only for mode = \"transparent\": the firewall's rule that brings the traffic here.",
        "\"tproxy\""},
    key{"port", "1 to 65535", "443", "Only for mode = \"sni\": the destination port that it stands for.", "443"},
    key{"name", "text", "the mode", "Of the socket, where systemd holds it: its FileDescriptorName=.", "\"pods\""},
    key{"proxy_protocol_from", "list of networks", "none",
        "Load balancers. They alone are served here, and must begin with a PROXY protocol header (version 1 or 2): the client in it is the "
        "client everywhere.",
        "[\"10.0.3.0/28\"]"},
    key{"tls", "a table", "none", "Not enforced by this version, and refused: the proxy port over TLS.", "{}"},
};

constexpr std::array admin{
    key{"address", "address and port", "127.0.0.1:9464",
        "Where the status page, /metrics, /healthz, /readyz and the JSON of /api are. GET only, and for those who may see who talks to "
        "whom.",
        "\"127.0.0.1:9464\""},
};

constexpr std::array policy{
    key{"allowlist", "path", "required", "Who may go where; see allowlist.toml(5). Read again when it changes, and on SIGHUP.",
        "\"/etc/exeat/allowlist.toml\""},
    key{"state", "path", "none",
        "The directory where what must outlive the process is kept: the accounts of upload budgets, what the detectors know, and the "
        "highest "
        "serial of an approved list. Without it every start counts the budgets as half spent, and the detectors begin anew.",
        "\"/var/lib/exeat\""},
    key{"trusted_keys", "list of paths", "none",
        "Public keys (Ed25519, PEM). With any, an allowlist is taken only with signatures by them; needs state.",
        "[\"alice.pub\", \"bob.pub\"]"},
    key{"approvals", "whole number", "1 with trusted_keys, else 0", "How many different keys must have signed.", "2"},
};

constexpr std::array dns{
    key{"servers", "list of addresses", "the system's", "\"ip\", \"ip:port\" or \"[v6]:port\"; 8 at most.", "[\"192.0.2.53\"]"},
    key{"timeout", "duration", "2s", "Of one query; 1m at most.", "\"2s\""},
};

constexpr std::array audit{
    key{"path", "path", "/var/log/exeat/audit.jsonl", "The audit log; \"stdout\" for the standard output.",
        "\"/var/log/exeat/audit.jsonl\""},
    key{"on_failure", "deny or continue", "deny",
        "When the log cannot be written: deny lets nothing out (audit_unavailable), continue lets it out unlogged.", "\"deny\""},
};

constexpr std::array bounds{
    key{"workers", "whole number", "0", "Threads that serve; 0 is one for each core.", "4"},
    key{"connections", "whole number", "50000", "Open at one time, of all clients. A tunnel takes two file descriptors.", "50000"},
    key{"connections_per_source", "whole number", "4096", "Open at one time, of one client.", "4096"},
    key{"head_timeout", "duration", "10s", "For a whole request head; 5m at most.", "\"10s\""},
    key{"hello_timeout", "duration", "5s", "For a whole TLS ClientHello; 5m at most.", "\"5s\""},
    key{"connect_timeout", "duration", "5s", "For a connection to the destination; 5m at most.", "\"5s\""},
    key{"idle_timeout", "duration", "1h", "A tunnel that moves nothing for so long is closed; 7d at most.", "\"1h\""},
    key{"drain_timeout", "duration", "30s", "What open tunnels are given at SIGTERM; 1h at most.", "\"30s\""},
};

constexpr std::array sandbox{
    key{"system_calls", "restrict or off", "restrict",
        "restrict: only the system calls that serving needs (seccomp). off is for debuggers.", "\"restrict\""},
    key{"files", "restrict or off", "restrict",
        "restrict: only the directories of the list, the log and the state, where the kernel has Landlock.", "\"restrict\""},
    key{"read", "list of paths", "none", "More that may be read.", "[\"/srv/lists\"]"},
    key{"root", "warn or allow", "warn", "Whether it is meant that exeat runs as root.", "\"warn\""},
};

constexpr std::array detect{
    key{"action", "observe, throttle or cut", "observe",
        "observe: a metric and a line in the audit log. throttle: what the client uploads at that entry is held to rate, until an hour has "
        "passed since the last finding. cut: the client's tunnels at that entry end, and it is refused there for 15 minutes. Either is for "
        "every entry with denied_burst, and with first_seen a host that is new to a client gets threshold an hour and no more. (What a "
        "spent budget does, on_budget in the allowlist says.)",
        "\"observe\""},
    key{"rate", "size by time", "1 MiB/1m", "With action = \"throttle\": over all tunnels of the client together, 1 GiB a second at most.",
        "\"1 MiB/1m\""},
    key{"threshold", "whole number", "the detector's", "From where on it finds, in its unit: octets, seconds or a count.", "64000000"},
};

constexpr std::array tables{
    documented_table{"[[listen]]", "", "Where clients come in; at least one.", listen},
    documented_table{"[admin]", "", "The page for people and Prometheus.", admin},
    documented_table{"[policy]", "", "Required.", policy},
    documented_table{"[dns]", "", "Only names that an entry allows are looked up.", dns},
    documented_table{"[audit]", "", "One line of JSON for each event.", audit},
    documented_table{"[limits]", "", "What an operator may set; every other bound is fixed.", bounds},
    documented_table{"[detect.NAME]", "", "What a detector's findings do: drip, first_seen, beacon, denied_burst, fan_out and so on.",
                     detect},
    documented_table{"[sandbox]", "", "What exeat takes from itself once its sockets are open.", sandbox},
};

constexpr documented_file file{
    "exeat.toml", "how exeat serves on this machine",
    "Read once at start. An unknown key, a wrong type or a key that this version does not enforce is an error with its place, never "
    "ignored; exeat check --config exeat.toml says what is wrong.\n\n"
    "Durations are written \"250ms\", \"10s\", \"5m\", \"1h\" or \"7d\". Paths that are not absolute start at the file's directory.",
    tables};

} // namespace

const documented_file& exeat_toml() noexcept { return file; }

} // namespace exeat::cli
