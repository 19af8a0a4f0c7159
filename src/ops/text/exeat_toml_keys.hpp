// The keys of exeat.toml. Values.
#pragma once

#include <exeat/limits.hpp>
#include <ops/text/configuration_keys.hpp>

#include <array>

namespace exeat::ops::exeat_toml {

using namespace std::chrono_literals;

using key = configuration_key;

inline constexpr std::size_t admin_names_most = 64;

inline constexpr std::array listen{
    key{"mode", "proxy, transparent or sni", "required",
        "proxy: CONNECT, and http:// requests. transparent: traffic that the firewall redirects here, TLS by server name and HTTP by Host. "
        "sni: clients dial this address itself, for their DNS points here.",
        "\"proxy\""},
    key{"address", "address and port", "required", "Where it listens. An IPv6 address is written in brackets.", "\"127.0.0.1:3128\""},
    key{"via", "redirect or tproxy", "redirect", "Only for mode = \"transparent\": the firewall's rule that brings the traffic here.",
        "\"redirect\""},
    key{"port", "port", "443", "Only for mode = \"sni\": the destination port that it stands for.", "443", between(1, 65535)},
    key{"name", "text", "the mode", "Of the socket, where systemd holds it: its FileDescriptorName=.", "\"pods\""},
    key{"proxy_protocol_from", "list of networks", "none",
        "Load balancers. They alone are served here, and must begin with a PROXY protocol header (version 1 or 2): the client in it is the "
        "client everywhere.",
        "[\"10.0.3.0/28\"]", entries(limits::proxy_senders)},
    key{"tls", "a table", "none", "Not enforced by this version, and refused: the proxy port over TLS.", "{}"},
};

inline constexpr std::array admin{
    key{"address", "address and port", "127.0.0.1:9464",
        "Where the status page, /metrics, /healthz, /readyz and the JSON of /api are. GET only, and for those who may see who talks to "
        "whom.",
        "\"127.0.0.1:9464\""},
    key{"names", "list of host names", "none",
        "DNS names by which probes and scrapes ask here, exactly, without a port. By its IP address and as localhost the "
        "listener always answers; by any other name it answers 421, so that no web page can read it through a browser (DNS rebinding).",
        "[\"exeat-admin.egress.svc\"]", entries(admin_names_most)},
};

inline constexpr std::array policy{
    key{"allowlist", "path", "required", "Who may go where; see allowlist.toml(5). Read again when it changes, and on SIGHUP.",
        "\"/etc/exeat/allowlist.toml\""},
    key{"state", "path", "none",
        "The directory where what must outlive the process is kept: the accounts of upload budgets, the names used under wildcards, "
        "what the detectors know, and of approved lists the highest serial, what was revoked and the last good one, whole. Without it "
        "every "
        "start counts the budgets as half spent, and the detectors begin anew.",
        "\"/var/lib/exeat\""},
    key{"trusted_keys", "list of paths", "none",
        "Public keys (Ed25519, PEM). With any, an allowlist is taken only with a manifest that they signed; needs state and audience.",
        "[\"alice.pub\", \"bob.pub\"]", entries(limits::trusted_keys)},
    key{"approvals", "whole number", "1 with trusted_keys, else 0", "How many different keys must have signed.", "2",
        between(0, limits::trusted_keys)},
    key{"audience", "text", "required with trusted_keys",
        "The environment that manifests, grants and revocations must be signed for, so that what was signed for staging does not count in "
        "production: lower-case letters, digits, '-', '_' and '.'.",
        "\"production\""},
    key{"grant_for", "duration", "24h", "The longest that a signed grant may hold.", "\"24h\"",
        between(limits::grant_least, limits::grant_ahead)},
    key{"require_end", "true or false", "false",
        "Takes the allowlist and the files of allowlist.d only with end = true as their last line, and each hosts_file only with # end as "
        "its last line: a file that was copied only in part has lost it. For directories where files cannot be replaced by a rename.",
        "true"},
};

inline constexpr std::array dns{
    key{"servers", "list of addresses", "the system's",
        "\"ip\", \"ip:port\" or \"[v6]:port\". Without them those of /etc/resolv.conf, which is read again when it changes and "
        "on "
        "SIGHUP; one that names none changes nothing.",
        "[\"192.0.2.53\"]", entries(limits::dns_servers)},
    key{"timeout", "duration", "2s",
        "Of one name, at all servers together. A and AAAA are asked for side by side. Where one of them has no answer, the "
        "other one is used alone after 50ms, once all of its addresses have been checked; a late answer is checked too, and a bad address "
        "in it refuses the name from then on.",
        "\"2s\"", between(1ms, limits::dns_timeout)},
};

inline constexpr std::array network{
    key{"internal", "list of networks", "none",
        "Networks of public addresses that are the site's own all the same. No [[allow]] reaches them (addr_class); a [[private_link]] "
        "that "
        "names them may.",
        "[\"203.0.113.0/24\"]", entries(limits::internal_networks)},
    key{"nat64", "network", "none",
        "The prefix of the site's NAT64 translators (RFC 6052): 32, 40, 48, 56, 64 or 96 bits. An address in it is judged, and named in "
        "within and addresses, as the IPv4 address that it stands for. Without it such an address is one of IPv6 like any other, and one "
        "of 64:ff9b::/96 is never dialled: it is left out of an answer that has the IPv4 address as well, as DNS64 makes them, and an "
        "answer of nothing else is refused (addr_class).",
        "\"2001:db8:64::/96\""},
    key{"client_prefix", "whole number", "64",
        "How many bits of an IPv6 address a client is known by, for budgets, connections_per_source, detectors and names: a host has as "
        "many addresses as it likes in its /64. 128 where each address is a client of its own, such as a pod of Kubernetes. sources of a "
        "group always mean the whole address.",
        "64", between(limits::client_prefix_floor, 128)},
};

inline constexpr std::array kubernetes{
    key{"networks", "list of networks", "required",
        "The networks of the pods, and of nothing else. A connection from there is its pod's: budgets, names and detectors count by pod, "
        "so that a pod which is made anew under an old address inherits nothing, and by service account. Without a pod that has the "
        "address it is refused (pod_unknown).",
        "[\"10.244.0.0/16\"]", entries(limits::pod_networks)},
    key{"pods_file", "path", "required",
        "All pods, one a line, as the API server writes them, and {\"type\":\"BOOKMARK\"} behind them. exeat identities keeps it; whoever "
        "else "
        "does replaces it by a rename, and writes it again at least every stale_after, even when nothing has changed.",
        "\"/run/exeat/pods.jsonl\""},
    key{"wait", "duration", "2s",
        "How long a connection waits for its pod to become known: a new pod may dial before its address is in the file.", "\"2s\"",
        between(1ms, limits::pod_wait_most)},
    key{"stale_after", "duration", "2m", "When the file is older, or could not be read for so long, it says nothing of new connections.",
        "\"2m\"", between(limits::pods_stale_least, limits::pods_stale_most)},
    key{"when_stale", "deny or keep", "deny",
        "deny: every new connection of a pod is refused then (identity_unavailable). keep: those of pods that were known are served.",
        "\"deny\""},
    key{"server", "text", "in a pod, its cluster's",
        "The API server, always over TLS: https:// and its name or address, and its port, if that is not 443. This key and those below "
        "are for exeat identities alone; exeat serve never asks the API server.",
        "\"https://192.0.2.10:6443\""},
    key{"ca", "path", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "The authorities for the API server's certificate (PEM).",
        "\"/etc/exeat/cluster-ca.pem\""},
    key{"token", "path", "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "The token of a service account that may list and watch pods, and nothing else. Read again for each request.",
        "\"/run/credentials/exeat-identities.service/exeat.cluster.token\""},
    key{"namespaces", "list of text", "all", "The namespaces whose pods it asks for. Pods of others are then unknown.",
        "[\"training\", \"evals\"]", entries(limits::api_namespaces)},
};

inline constexpr std::array audit{
    key{"path", "path", "/var/log/exeat/audit.jsonl", "The audit log; \"stdout\" for the standard output.",
        "\"/var/log/exeat/audit.jsonl\""},
    key{"on_failure", "deny or continue", "deny",
        "When the log cannot be written: deny lets nothing out (audit_unavailable), continue lets it out unlogged.", "\"deny\""},
    key{"max_size", "size", "none",
        "Beyond this size the log is renamed to PATH.NUMBER, NUMBER being that of its last line, and a new one begins; from 1 MiB on. "
        "exeat verify --audit OLDER --audit NEWER proves the chain over both. Without it a tool outside rotates (rename, then SIGUSR1).",
        "\"100 MiB\""},
    key{"checkpoint_key", "path, pkcs11: URI or credential:NAME", "none",
        "A private key (Ed25519, exeat keygen) that signs the log's checkpoints: a line a minute, each 10,000 lines, at a rotation and at "
        "the end. A file without a passphrase, a key behind a provider of OpenSSL, or a credential of the unit (LoadCredential=). "
        "exeat verify --key PUBLIC proves the log up to the last of them. Read once, at the start, which fails without it.",
        "\"credential:exeat.audit.key\""},
    key{"keep", "whole number", "10", "With max_size: how many renamed files stay; the oldest is deleted.", "10",
        between(1, limits::audit_files)},
};

inline constexpr std::array bounds{
    key{"workers", "whole number", "0", "Threads that serve; 0 is one for each core that the CPU quota and the affinity mask allow.", "4",
        between(0, limits::workers)},
    key{"connections", "whole number", "50000", "Open at one time, of all clients. A tunnel takes two file descriptors.", "50000",
        between(1, limits::connections)},
    key{"connections_per_source", "whole number", "4096", "Open at one time, of one client.", "4096", between(1, limits::connections)},
    key{"connections_per_second", "whole number", "1000",
        "That one client opens, over all workers; what it did not do for ten seconds it may do at once. Beyond it: rate (429).", "1000",
        between(1, limits::client_rate_most)},
    key{"requests_per_second", "whole number", "2000", "The same, of its requests: tunnels, and each request of plain HTTP.", "2000",
        between(1, limits::client_rate_most)},
    key{"refusals_per_second", "whole number", "200", "The same: who was refused more often gets rate, whatever it asks for.", "200",
        between(1, limits::client_rate_most)},
    key{"log_lines_per_second", "whole number", "1000",
        "The same, of its lines in the audit log; a tunnel takes two. Beyond it its refusals and its plain-HTTP exchanges share lines, "
        "which "
        "say how many they are, and a new tunnel, or plain HTTP to a host that it has not met, gets rate.",
        "1000", between(1, limits::client_rate_most)},
    key{"head_timeout", "duration", "10s", "For a whole request head.", "\"10s\"", between(1ms, limits::setup_timeout)},
    key{"hello_timeout", "duration", "5s", "For a whole TLS ClientHello.", "\"5s\"", between(1ms, limits::setup_timeout)},
    key{"connect_timeout", "duration", "5s", "For a connection to the destination.", "\"5s\"", between(1ms, limits::setup_timeout)},
    key{"idle_timeout", "duration", "1h", "A tunnel that moves nothing for so long is closed.", "\"1h\"",
        between(1ms, limits::idle_timeout)},
    key{"drain_timeout", "duration", "30s", "What open tunnels are given at SIGTERM.", "\"30s\"", between(1ms, limits::drain_timeout)},
};

inline constexpr std::array sandbox{
    key{"system_calls", "restrict or off", "restrict",
        "restrict: only the system calls that serving needs (seccomp). off is for debuggers.", "\"restrict\""},
    key{"files", "restrict or off", "restrict",
        "restrict: only the directories of the list, the log and the state, and /etc where [dns] names no servers, if the kernel has "
        "Landlock.",
        "\"restrict\""},
    key{"read", "list of paths", "none", "More that may be read.", "[\"/srv/lists\"]", entries(limits::sandbox_paths)},
    key{"root", "warn or allow", "warn", "Whether it is meant that exeat runs as root.", "\"warn\""},
};

inline constexpr std::array detect{
    key{"action", "observe, throttle or cut", "observe",
        "observe: a metric and a line in the audit log. throttle: what the client uploads at that entry is held to rate, until an hour has "
        "passed since the last finding. cut: the client's tunnels at that entry end, and it is refused there for 15 minutes. Either is for "
        "every entry with denied_burst, and with first_seen a host that is new to a client gets threshold an hour and no more. (What a "
        "spent budget does, on_budget in the allowlist says.)",
        "\"observe\""},
    key{"rate", "size by time", "1 MiB/1m", "With action = \"throttle\": over all tunnels of the client together, 1 GiB a second at most.",
        "\"1 MiB/1m\""},
    key{"threshold", "whole number", "the detector's",
        "From where on it finds. drip, direction_flip, first_seen, name_channel: octets. beacon, long_tunnel: seconds. denied_burst: "
        "refusals "
        "within 5 minutes (four different refused hosts in a row are a finding whatever it says). fan_out: names a day. uniform_chunks: "
        "tunnels within an hour. collusion: clients.",
        "64000000", between(1, limits::detector_threshold)},
};

inline constexpr std::array tables{
    configuration_table{"[[listen]]", "", "Where clients come in; at least one.", listen},
    configuration_table{"[admin]", "", "The page for people and Prometheus.", admin},
    configuration_table{"[policy]", "", "Required.", policy},
    configuration_table{"[dns]", "", "Only names that an entry allows are looked up.", dns},
    configuration_table{"[network]", "", "What exeat cannot know of the addresses around it.", network},
    configuration_table{"[kubernetes]", "", "Which pod has an address. Without it every client is known by its address.", kubernetes},
    configuration_table{"[audit]", "", "One line of JSON for each event.", audit},
    configuration_table{"[limits]", "", "What an operator may set; every other bound is fixed.", bounds},
    configuration_table{"[detect.NAME]", "", "What a detector's findings do: drip, first_seen, beacon, denied_burst, fan_out and so on.",
                        detect},
    configuration_table{"[sandbox]", "", "Privileges that exeat drops after start-up.", sandbox},
};

inline constexpr configuration_file file{
    "exeat.toml", "how exeat serves on this machine",
    "Read once at start. An unknown key, a wrong type or a key that this version does not enforce is an error with its place, never "
    "ignored; exeat check --config exeat.toml says what is wrong.\n\n"
    "Durations are written \"250ms\", \"10s\", \"5m\", \"1h\" or \"7d\". Paths that are not absolute start at the file's directory.",
    tables};

} // namespace exeat::ops::exeat_toml
