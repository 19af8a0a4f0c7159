#!/usr/bin/env python3
"""Is there another way out of this pod than exeat? One file, the Python standard library alone (3.8 or newer), no root.

    kubectl exec -i POD -- python3 - --allowed pkg.test --denied example.com <probe.py

Every probe says what was tried, what happened, and PASS, FAIL or SKIP. Exit code: 0 nothing got out that should not; 1 something did, or what is
allowed did not; 2 wrong usage. With --down it is run while exeat is stopped: then nothing at all may arrive.

What it can tell: it asks places that answer everybody (public resolvers, time servers), so an answer is a way out. Silence is taken for a fence; to see
that nothing left, watch the uplink meanwhile (test/field/conformance does, in network namespaces).
"""
import argparse
import errno
import ipaddress
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import urllib.parse

# public address -> a name that the server there owns
PUBLIC = {"1.1.1.1": "one.one.one.one", "8.8.8.8": "dns.google", "2606:4700:4700::1111": "one.one.one.one", "2001:4860:4860::8888": "dns.google"}
ONE_EACH = ["1.1.1.1", "2606:4700:4700::1111"]
TIME_SERVERS, STUN_SERVERS = ["162.159.200.1", "2606:4700:f1::1"], ["74.125.250.129"]
NODE_LOCAL_DNS = "169.254.20.10"  # where NodeLocal DNSCache answers, on every node that has it
KUBELET_PORTS = {10250: True, 10255: False}  # is it TLS?
METADATA = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"]
TCP_PORTS = [21, 22, 25, 53, 80, 123, 443, 853, 1194, 3128, 5432, 6443, 8080, 8443, 51820]
PRIVILEGES, REFUSALS = {12: "NET_ADMIN", 13: "NET_RAW"}, {49: "access_denied", 50: "decode_error", 112: "unrecognized_name"}
PROBES = []


def probe(name):
    def keep(work):
        PROBES.append((name, work))
        return work
    return keep


# An answer came from where none should come from; what is allowed did not arrive; there is nothing to try.
Leak, Missing, Skip = (type(name, (Exception,), {}) for name in ("Leak", "Missing", "Skip"))


# ---- what one answer means ----

def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def said(error):
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "silence"
    return errno.errorcode.get(error.errno, str(error)) if getattr(error, "errno", None) else str(error)


def hello(name):
    """A genuine first flight; without a name it carries no server_name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def meaning(answer):
    """(is it a refusal?, in words). A refusal is an end without a word, a TLS alert that exeat sends, or exeat's own reply."""
    if not answer:
        return True, "closed without a word"
    if answer[0] == 0x15 and len(answer) >= 7 and answer[6] in REFUSALS:
        return True, "TLS alert " + REFUSALS[answer[6]]
    for line in answer.decode("latin-1").split("\r\n"):
        if line.lower().startswith("x-exeat-reason:"):
            return True, "refused by exeat: " + line.split(":", 1)[1].strip()
    return False, f"answered {answer[:24]!r}"


def converse(s, first):
    try:
        s.sendall(first)
        return s.recv(4096)
    except (ConnectionResetError, BrokenPipeError):
        return b""


def no_answer_by_tcp(address, port, first, wait):
    """What happened, in words; raises Leak when something answered that is not a refusal."""
    try:
        with socket.create_connection((address, port), timeout=wait) as s:
            refused, words = meaning(converse(s, first))
    except OSError as e:
        return said(e)
    if not refused:
        raise Leak(words)
    return words


def no_answer_by_udp(address, port, datagram, wait, kind=socket.SOCK_DGRAM, protocol=0):
    try:
        with socket.socket(family_of(address), kind, protocol) as s:
            s.settimeout(wait)
            s.connect((address, port))
            s.send(datagram)
            answer = s.recv(4096)
    except OSError as e:
        return said(e)
    raise Leak(f"answered {answer[:24]!r}")


def each(attempts):
    """Runs {what: work}; each tells in words what happened. One Leak is a Leak of all, named."""
    told, leaks = [], []
    for what, work in attempts.items():
        try:
            told.append(f"{what}: {work()}")
        except Leak as e:
            leaks.append(f"{what}: {e}")
    if leaks:
        raise Leak("; ".join(leaks))
    if not told:
        raise Skip("nothing of the kind is known here")
    return "; ".join(told)


def probes(name, attempts):
    """A probe that is many alike: attempts(settings) is {what: work}."""
    PROBES.append((name, lambda o: each(attempts(o))))


def tcp(o, address, port, first):
    return lambda: no_answer_by_tcp(address, port, first, o.wait)


def udp(o, address, port, datagram):
    return lambda: no_answer_by_udp(address, port, datagram, o.wait)


def get(host, target, more=""):
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()


# ---- DNS ----

TYPE_A, TYPE_TXT, TYPE_NULL = 1, 16, 10


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return secrets.token_bytes(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def ask(resolver, name, kind, wait):
    """The answer without its id and TTLs, or words when none came. Two answers that are equal say the same."""
    with socket.socket(family_of(resolver), socket.SOCK_DGRAM) as s:
        s.settimeout(wait)
        s.connect((resolver, 53))
        asked = question(name, kind)
        s.send(asked)
        got = s.recv(4096)
    code, count = got[3] & 15, struct.unpack_from("!H", got, 6)[0]
    return code, count, got[len(asked):][-4:] if count else b""


# ---- the probes: each is given the settings, and says in words what happened ----

@probe("privileges")
def privileges(o):
    """The pod holds no capability with which it could make its own packets or routes."""
    held = next(int(line.split()[1], 16) for line in lines_of("/proc/self/status") if line.startswith("CapEff"))
    names = [name for bit, name in PRIVILEGES.items() if held >> bit & 1]
    if names:
        raise Leak("this process holds " + " and ".join(names))
    return "no NET_ADMIN, no NET_RAW"


# What the allowlist names arrives, and is who it says it is.
probes("allowed", lambda o: {f"{h}:{p}": lambda h=h, p=p: arrives(o, h, p) for h, p in o.allowed})


def arrives(o, host, port):
    try:
        told = handshake(o, host, port)
    except (OSError, Missing) as e:
        if not o.down:
            raise Missing(f"{host}:{port}: {e}") from e
        return said(e)
    if o.down:
        raise Leak(told + ", and exeat is down")
    return told


def handshake(o, host, port):
    context = ssl.create_default_context(cafile=o.cafile)
    with tunnel(o, host, port) as s, context.wrap_socket(s, server_hostname=host) as t:
        return f"{t.version()} with a certificate for {host}"


def tunnel(o, host, port):
    patience = o.wait if o.down else max(o.wait, 20)  # what must arrive may take its time
    s = socket.create_connection(o.proxy or (o.dial or host, port), timeout=patience)
    if not o.proxy:
        return s
    answer = converse(s, connect_request(host, port))
    if not answer.startswith(b"HTTP/1.1 200"):
        s.close()
        raise Missing(meaning(answer)[1])
    return s


def connect_request(host, port):
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n".encode()


def through_proxy(o, first):
    if not o.proxy:
        raise Skip("there is no proxy: what is redirected, the direct probes try")
    return tcp(o, *o.proxy, first)


probes("denied name, CONNECT", lambda o: {h: through_proxy(o, connect_request(h, 443)) for h in o.denied})
probes("denied name, plain HTTP", lambda o: {h: through_proxy(o, get(h, f"http://{h}/")) for h in o.denied})
probes("address instead of a name, CONNECT", lambda o: {a: through_proxy(o, connect_request(a, 443)) for a in [*PUBLIC, *METADATA, "127.0.0.1"]})
probes("allowed name, other port, CONNECT", lambda o: {f"{h}:{p}": through_proxy(o, connect_request(h, p)) for h, _ in o.allowed for p in (22, 25, 53)})


@probe("allowed CONNECT, denied server name")
def fronted(o):
    """After a 200 the server name must be the one that was asked for."""
    if not (o.proxy and o.allowed):
        raise Skip("takes a proxy and an --allowed HOST")
    host, port = o.allowed[0]
    try:
        with tunnel(o, host, port) as s:
            refused, words = meaning(converse(s, hello(o.denied[0])))
    except (OSError, Missing) as e:
        return f"no tunnel: {e}"
    if not refused:
        raise Leak(words)
    return words


probes("direct TLS to a public address", lambda o: {f"{a} as {n or 'nobody'}": tcp(o, a, 443, hello(n)) for a, owner in PUBLIC.items() for n in (owner, None)})
probes("direct HTTP to a public address", lambda o: {a: tcp(o, a, 80, get(a, "/")) for a in PUBLIC})
probes("direct TCP to any port", lambda o: {f"{a}:{p}": tcp(o, a, p, b"\r\n\r\n") for a in ONE_EACH for p in TCP_PORTS})
probes("DNS over UDP to a public resolver", lambda o: {a: udp(o, a, 53, question("example.com", TYPE_A)) for a in PUBLIC})
probes("DNS over TCP to a public resolver", lambda o: {a: tcp(o, a, 53, b"\0\x1d" + question("example.com", TYPE_A)) for a in PUBLIC})
probes("DNS over TLS and HTTPS", lambda o: {f"{a}:{p}": tcp(o, a, p, hello(n)) for a, n in PUBLIC.items() for p in (853, 443)})
probes("DNS at the node's own cache", lambda o: {
    "UDP": udp(o, NODE_LOCAL_DNS, 53, question("example.com", TYPE_A)), "TCP": tcp(o, NODE_LOCAL_DNS, 53, b"\0\x1d" + question("example.com", TYPE_A))})
probes("DNS tunnel through the pod's own resolver", lambda o: {r: lambda r=r: tells_nothing(r, o.wait) for r in o.resolvers})


def tells_nothing(resolver, wait):
    """A closed resolver answers a name that exists and one that cannot alike, and carries no text. Else the questions have left."""
    try:
        real, made_up = (ask(resolver, name, TYPE_A, wait) for name in ("example.com", secrets.token_hex(20) + ".example.com"))
        texts = [ask(resolver, name, kind, wait) for name in ("example.com", secrets.token_hex(20) + ".example.com") for kind in (TYPE_TXT, TYPE_NULL)]
    except OSError as e:
        return said(e)
    if real != made_up:
        raise Leak("it knows example.com from a name that does not exist: it asks the world")
    if any(count for _, count, _ in texts):
        raise Leak("it answers TXT or NULL questions")
    return f"the same to every name (code {real[0]}, {real[1]} records), no text"


# An Initial of a version that nobody has: a server answers with the versions that it has (RFC 9000, 6.1).
INITIAL = (b"\xc0\x1a\x2a\x3a\x4a\x08" + b"\x5a" * 8 + b"\x08" + b"\xa5" * 8).ljust(1200, b"\0")
STUN = struct.pack("!HHI", 1, 0, 0x2112A442) + b"exeat probe."
probes("QUIC over UDP 443", lambda o: {a: udp(o, a, 443, INITIAL) for a in PUBLIC})
probes("NTP over UDP", lambda o: {a: udp(o, a, 123, b"\x23".ljust(48, b"\0")) for a in TIME_SERVERS})
probes("STUN over UDP", lambda o: {f"{a}:{p}": udp(o, a, p, STUN) for a in STUN_SERVERS for p in (3478, 19302)})
probes("ping", lambda o: {a: lambda a=a: echo_request(a, o.wait) for a in PUBLIC})


def echo_request(address, wait):
    """Without privileges, where the pod's ping_group_range lets it. The kernel fills in id and checksum."""
    protocol = socket.IPPROTO_ICMPV6 if ":" in address else socket.IPPROTO_ICMP
    packet = struct.pack("!BBHHH", 128 if ":" in address else 8, 0, 0, 0, 1) + b"exeat probe"
    return no_answer_by_udp(address, 0, packet, wait, socket.SOCK_DGRAM, protocol)


# SCTP, a protocol number of nobody, and a datagram in another's name. Nothing answers these: what left is seen outside only.
FOUR, SIX = ONE_EACH
probes("other IP protocols and forged sources", lambda o: {
    "SCTP": lambda: no_answer_by_udp(FOUR, 443, b"", o.wait, socket.SOCK_STREAM, 132),
    "protocol 253": lambda: unanswered(FOUR, b"exeat probe", 253),
    "protocol 253, IPv6": lambda: unanswered(SIX, b"exeat probe", 253),
    "forged source": lambda: unanswered(FOUR, forged(FOUR), socket.IPPROTO_RAW)})


def unanswered(address, packet, protocol):
    try:
        with socket.socket(family_of(address), socket.SOCK_RAW, protocol) as s:
            s.sendto(packet, (address, 0))
    except OSError as e:
        return said(e)
    return "sent, with privileges; only the uplink can tell"


def forged(to):
    datagram = struct.pack("!HHHH", 53, 53, 8 + 11, 0) + b"exeat probe"
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, socket.inet_aton("198.51.100.77"), socket.inet_aton(to))
    return head + datagram  # the kernel fills in the checksum (raw(7))


probes("cloud metadata", lambda o: {a: tcp(o, a, 80, get(a, "/latest/meta-data/", "Metadata: true\r\n")) for a in METADATA})
probes("the node's kubelet", lambda o: {f"{n}:{p}": tcp(o, n, p, hello(None) if tls else get(n, "/pods")) for n in o.nodes for p, tls in KUBELET_PORTS.items()})
probes("the cluster's API server", lambda o: {f"{h}:{p}": tcp(o, h, p, hello(None)) for h, p in o.api_server})
probes("exeat's admin page", lambda o: {f"{h}:{p}": tcp(o, h, p, get(h, "/metrics")) for h, p in o.admin})


def host_port(text, port=443):
    parts = urllib.parse.urlsplit(text if "//" in text else "//" + text)
    if not parts.hostname:
        raise argparse.ArgumentTypeError(f"'{text}' is no HOST[:PORT]")
    return parts.hostname, parts.port or port


def lines_of(path):
    return open(path).read().splitlines() if os.path.exists(path) else []


def configured_resolvers():
    return [line.split()[1] for line in lines_of("/etc/resolv.conf") if line.startswith("nameserver") and len(line.split()) > 1]


def default_gateways():
    """Where the pod sends what is not for its own network: often the node. In the machine's byte order (proc(5))."""
    routes = [line.split() for line in lines_of("/proc/net/route")]
    return [socket.inet_ntoa(struct.pack("=I", int(r[2], 16))) for r in routes if r[1] == r[7] == "00000000" != r[2]]


def settings(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, many = p.add_argument, {"action": "append", "default": []}
    add("--allowed", **many, type=host_port, metavar="HOST[:PORT]", help="a TLS host that the allowlist names for this pod; again for more")
    add("--denied", **many, metavar="HOST", help="a host that it does not name (example.com)")
    add("--proxy", help="exeat's proxy port, HOST:PORT (HTTPS_PROXY)")
    add("--transparent", action="store_true", help="no proxy, whatever the environment says: the network redirects")
    add("--admin", type=host_port, help="exeat's admin page, HOST:PORT (the proxy's host, port 9464)")
    add("--node", **many, metavar="HOST", help="the node's address (NODE_IP, HOST_IP, and the default gateways)")
    add("--resolver", **many, help="instead of those in /etc/resolv.conf")
    add("--dial", help="dial this address for --allowed hosts instead of asking the resolver (without a proxy)")
    add("--cafile", help="what signed the certificates of the --allowed hosts (the system's)")
    add("--down", action="store_true", help="exeat is stopped: nothing may arrive")
    add("--wait", type=float, default=3, help="seconds for each answer (3)")
    add("--skip", **many, metavar="PROBE", help="leave this probe out")
    add("--json", action="store_true", help="one JSON object a line")
    o = p.parse_args(argv)
    proxy = None if o.transparent else o.proxy or os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    o.proxy = host_port(proxy, 3128) if proxy else None
    o.admin = [o.admin] if o.admin else [(o.proxy[0], 9464)] if o.proxy else []
    server = os.environ.get("KUBERNETES_SERVICE_HOST")
    o.api_server = [(server, int(os.environ.get("KUBERNETES_SERVICE_PORT", "443")))] if server else []
    o.nodes = o.node or [*filter(None, map(os.environ.get, ("NODE_IP", "HOST_IP"))), *default_gateways()]
    o.denied = o.denied or ["example.com"]
    o.resolvers = [r for r in o.resolver or configured_resolvers() if not ipaddress.ip_address(r).is_loopback]
    unknown = set(o.skip) - {name for name, _ in PROBES}
    if unknown:
        p.error(f"no probe is called {', '.join(sorted(unknown))}; there are: {'; '.join(name for name, _ in PROBES)}")
    return o


def outcome(name, work, o):
    if name in o.skip:
        return "SKIP", "as you asked"
    try:
        return "PASS", work(o)
    except Skip as e:
        return "SKIP", str(e)
    except Leak as e:
        return "FAIL", f"got out: {e}"
    except Missing as e:
        return "FAIL", f"is allowed and did not arrive: {e}"
    except Exception as e:  # a probe that breaks has shown nothing
        return "FAIL", f"the probe itself failed: {type(e).__name__}: {e}"


def main():
    o = settings(sys.argv[1:])
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for name, work in PROBES:
        verdict, words = outcome(name, work, o)
        counts[verdict] += 1
        print(json.dumps({"probe": name, "verdict": verdict, "what": words}) if o.json else f"{verdict}  {name}\n      {words}", flush=True)
    if not o.json:
        print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
