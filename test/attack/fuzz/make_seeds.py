"""Where the fuzzers begin: a few good and a few bad inputs for each. The hellos are those of real clients (test/unit/core/data/hellos)."""
import json
import pathlib
import struct
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
HELLOS = TOP / "test/unit/core/data/hellos"
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def record(fragment, kind=22):
    return struct.pack("!BHH", kind, 0x0301, len(fragment)) + fragment


def hellos():
    whole = [f.read_bytes() for f in sorted(HELLOS.glob("*.bin"))]
    split = [b"".join(record(h[5:][i : i + size]) for i in range(0, len(h) - 5, size)) for h, size in zip(whole, (1, 7, 100, 255))]
    return whole + split


def retries():
    """Chunks of both directions, as fuzz_hello_retry.cpp reads them."""
    def client(data):
        return struct.pack("!H", 0x8000 | len(data)) + data

    def server(data):
        return struct.pack("!H", len(data)) + data

    def hello(name, *extensions):
        listed = b"\0" + struct.pack("!H", len(name)) + name
        all_of_them = [(0, struct.pack("!H", len(listed)) + listed), (43, b"\x02\x03\x04"), *extensions]
        block = b"".join(struct.pack("!HH", kind, len(body)) + body for kind, body in all_of_them)
        body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack("!H", len(block)) + block
        return record(b"\1" + struct.pack("!I", len(body))[1:] + body)

    def answer(random):
        return record(b"\x02" + struct.pack("!I", 70)[1:] + b"\x03\x03" + random + bytes(36))

    ok, evil, offers = hello(b"ok.test"), hello(b"evil.test"), hello(b"ok.test", (42, b""))
    retry, other, ccs, warning, fatal, early = answer(RETRY_RANDOM), answer(bytes(32)), record(b"\1", 20), record(b"\1\x5a", 21), record(b"\2\x28", 21), record(bytes(40), 23)
    begun = client(ok) + server(retry)
    return [begun + client(ccs + ok) + server(ccs + other), begun + client(warning + evil), begun + client(evil), client(ok + evil), client(ok) + server(warning + retry) + client(evil),
            client(offers + ccs + early) + server(retry) + client(early + ok) + server(other) + client(b"all"), begun + server(fatal) + client(ok), client(ok) + server(b"HTTP/1.1 400\r\n") + client(evil),
            begun + client(ok) + server(retry), client(ok) + server(other) + client(evil), client(offers + early[:20]) + client(early[20:]) + server(retry[:20]) + server(retry[20:])]


def requests():
    return [
        b"CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\nUser-Agent: a/1\r\nProxy-Connection: keep-alive\r\n\r\n",
        b"CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\n",
        b"GET http://ok.test/a?b=c HTTP/1.1\r\nHost: ok.test\r\nAccept: application/json\r\nConnection: close, x\r\nX: y\r\n\r\n",
        b"POST http://ok.test:8080/ HTTP/1.1\r\nHost: ok.test:8080\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        b"OPTIONS * HTTP/1.1\r\nhost: OK.test.\r\n\r\n", b"GET / HTTP/1.0\r\nHost: ok.test:80\r\nConnection: keep-alive\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: ok.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: ok.test\r\n folded\r\n\r\n", b"GET / HTTP/1.1\nHost: ok.test\n\n",
        b"GET http://user@ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n",
    ]


def responses():
    return [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\nContent-Type: text/plain\r\n\r\n", b"HTTP/1.1 204 \r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ]


def proxy_headers():
    def v2(command, family, block):
        return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(block)) + block

    ports = struct.pack("!HH", 54321, 3128)
    four, six = bytes([10, 42, 3, 7, 10, 0, 0, 1]) + ports, bytes.fromhex("fd000042" + "00" * 11 + "07") * 2 + ports
    return [b"PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128\r\n", b"PROXY TCP6 fd00:42::7 fd00::1 54321 3128\r\nCONNECT ok.test:443 HTTP/1.1\r\n",
            b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::f ffff::f 65535 65535\r\n", v2(0x21, 0x11, four), v2(0x21, 0x21, six), v2(0x20, 0, b""),
            v2(0x21, 0x11, four + b"\xea\x00\x05\x01vpce"), v2(0x21, 0x12, four), v2(0x21, 0x31, bytes(216)), v2(0x31, 0x11, four),
            b"PROXY TCP4 10.42.3.07 10.0.0.1 1 2\r\n", b"GET / HTTP/1.1\r\n"]


def chunks():
    return [b"5\r\nhello\r\n0\r\n\r\n", b"A;ext=1\r\n0123456789\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\nGET /", b"fffffffffffffff\r\n", b"0\r\n\r\n", b"5\nhello"]


def names():
    return [b"ok.test", b"A.B.c.TEST.", b"192.0.2.1", b"[2001:db8::1]:443", b"ok.test:65535", b"**.a.test", b"*.b.test:1", b"10.0.0.0/8", b"fd00::/8",
            b"::ffff:10.0.0.1", b"xn--a.test", b"a.0x7f", b"r3---sn-a.test", b"[::ffff:1.2.3.4]"]


def allowlists():
    return [(TOP / "conf" / n).read_bytes() for n in ("allowlist.toml", "quickstart-allowlist.toml")] + [
        b'serial = 1\n[groups.a]\nsources = ["10.42.0.0/16"]\n[[allow]]\nname = "n"\nhosts = ["*.ok.test", "**.b.test"]\nports = [443, 80]\nprotocol = "http"\n'
        b'groups = ["a"]\nexpires = 2027-01-01T00:00:00Z\nowner = "o"\nreason = "r"\nticket = "t"\npurpose = "push"\nech = "allow"\n',
        b'mode = "report"\nreport_until = 2026-06-10T00:00:00Z\n[groups.a]\nsources = ["10.42.0.0/16"]\n[[private_link]]\nname = "p"\nhosts = ["p.test"]\n'
        b'within = ["10.20.0.0/16"]\n[[deny]]\nname = "d"\nhosts = ["d.test"]\n[[expect]]\nclient = "10.42.0.1"\ntarget = "d.test:443"\nverdict = "denied_by_rule"\n',
        b'serial = 1\nserial = 2\n', b'[[allow]]\nname = "a"\nhosts_file = "names.txt"\n', b'x = """\n',
    ]


def configs():
    return [(TOP / "conf" / n).read_bytes() for n in ("exeat.toml", "quickstart.toml")] + [
        b'[[listen]]\nmode = "sni"\naddress = "[::]:443"\nport = 443\n[admin]\naddress = "127.0.0.1:9464"\n[policy]\nallowlist = "a"\n[dns]\nservers = ["::1"]\n'
        b'timeout = "2s"\n[audit]\npath = "stdout"\non_failure = "continue"\n[limits]\nworkers = 0\nidle_timeout = "1h"\n']


def statements():
    digest, signature = b"0123456789abcdef" * 4, b"signed 0123456789abcdef " + b"A" * 86 + b"==\n"
    manifest = (b"exeat policy manifest v1\naudience production\nserial 42\nlist " + digest + b" allowlist.toml\npart " + digest + b" allowlist.d/a.toml\nhosts_file "
                + digest + b" names.txt\nrevoked " + digest + b" 2026-12-24T00:00:00Z\n")
    grant = b"exeat grant v1\naudience production\nbase 42\nmade 2026-12-24T00:00:00Z\nnot_after 2026-12-24T01:00:00Z\nfile " + digest + b" a.toml\n"
    revocation = b"exeat revocation v1\naudience production\nrevoked " + digest + b" 2026-12-24T00:00:00Z\nreason why\n"
    return [manifest, grant, revocation, *(s + b"\n" + signature for s in (manifest, grant, revocation)), b"exeat revoked digests v1\n" + digest + b" 2026-12-24T00:00:00Z\n"]


def hosts_files():
    return [b"# names\r\n\xe2\x80\xa6\nok.test\r\n  *.a.test # x\n**.b.test\nbad host\n\n192.0.2.1", b"\xef\xbb\xbfa.test\nb.test\n", b"a.b\0c\n" + b"x" * 300]


def other_lists():
    acl = b"version: v1\nx-hosts: &h [a.test, '*.b.test']\nservices:\n- {name: training, project: ml, action: enforce, allowed_domains: *h}\n" \
          b"- name: Web Hooks\n  action: report\n  allowed_domains:\n  - c.test\n  allowed_external_proxies: [p.test]\n" \
          b"- {<<: {action: open}, name: b}\ndefault: {action: enforce, allowed_domains: [d.test]}\n" \
          b"global_allow_list: ['*.wide.test']\nglobal_deny_list: [x.wide.test, a.test]\n"
    domains = b"# ours\r\n.a.test\nb.test # x\n\"c.test\"\n-i\n*.d.test\n/etc/more\nacl x dstdomain .e.test\n.com\nf g\n"
    return [b"\0" + acl, b"\1" + domains, b"\2" + domains, b"\0version: v1\nservices: [" + b"[" * 40, b"\0a: &a {<<: [*a, *a]}\n"]


def dns_answers():
    def resource(kind, data, ttl=60, name=b"\xc0\x0c"):
        return name + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data

    def reply(*resources, flags=0x8180):
        return struct.pack("!HHHHH", flags, 1, len(resources), 0, 0) + b"".join(resources)

    def both(a, aaaa):
        return struct.pack("!H", len(a)) + a + aaaa

    a, aaaa = resource(1, bytes([93, 184, 216, 1])), resource(28, bytes.fromhex("26062800022000010000000000000001"))
    alias = resource(5, b"\x05other\x04test\0", ttl=5)
    behind = resource(1, bytes([93, 184, 216, 2]), name=b"\x05other\x04test\0")
    return [both(reply(a), reply(aaaa)), both(reply(alias, behind), reply()), both(reply(a, resource(1, bytes([169, 254, 169, 254]))), reply(aaaa)),
            both(reply(*[resource(1, bytes([93, 184, 216, n])) for n in range(33)]), reply()), both(reply(flags=0x8183), reply(flags=0x8182)),
            both(reply(flags=0x8380), reply(a)), both(reply(resource(1, b"\1\2\3")), reply(resource(28, bytes(16), ttl=0xFFFFFFFF)))]


def admin_answers():
    sys.path.append(str(TOP / "test/system"))
    from harness import fake_admin as said
    full = said.status(clients=[said.client("training/10.42.0.7", 5, denied=1, score=20.5, last_cut="2026-11-25T03:29:00Z")], entries=[said.entry("judge-models", upload=3)],
                       budgets=[said.budget("10.42.0.7", None, 0.93)], denied=[{"reason": "not_allowed", "total": 17}], warnings=["report mode"],
                       anomalies={"total": 1, "recent": [said.finding("drip", "critical", "10.42.0.7")]})
    page = said.page_of([said.tunnel(1, upload=5), said.tunnel(2, host="\x1b[2J", throttled=True)], "")
    return [kind + json.dumps(each).encode() for kind in (b"\0", b"\1") for each in (full, dict(full, policy=None, ready=False, reasons=["\u6f22\u0416"]), page, {**full, **page})]


def audit_logs():
    line = b'{"@timestamp":"2026-06-01T00:00:00.000Z","event.sequence":%d,"exeat.audit.previous":"%s","event.action":"open"}\n'
    return [line % (1, b"0" * 64), line % (1, b"0" * 64) + line % (2, b"1" * 64), b'{"@timestamp":"2026-\n', b"ok.test", b"\n", b"{}\n", b"\xff\xfe\"\\\n" * 9]


def detector_states():
    """Each table of the bank empty, and with one entry; test/unit/core/detect writes longer ones."""
    key, guard = bytes(10) + b"\xff\xff\x0a\0\0\1" + struct.pack("<Q", 1), struct.pack("<q?", 1_700_000_000, True)
    at = struct.pack("<q", 1_700_000_000)
    some = bytes([1]) + bytes(11) + struct.pack("<Q", 5_000_000)  # the first of 94 steps
    entries = [
        struct.pack("<dddd", 6e7, 1e5, 2e5, 0) + at * 2 + b"\1\1", (key[:16] + at + b"\1") + bytes(25) * 7 + guard,
        (struct.pack("<q", 28_333_333) + some) * 2 + guard,
        at * 4 + struct.pack("<Q", 9_000_000) + b"\3\0\0\0" + struct.pack("<II", 60, 61) + struct.pack("<Q??", 2, True, True) + guard * 2, at * 2 + b"\1",
        struct.pack("<d", 64) + b"\1" + bytes(7) + struct.pack("<QQ", 12_345, 1) + at + struct.pack("<IQ", 3, 1) + guard * 3,
        (b"\1" + bytes(31) + b"\5") * 2 + struct.pack("<dI", 60, 1) + at * 2 + b"\1" + struct.pack("<fQ?", 4, 1, True) + guard * 2,
        b"\1" + bytes(15) + struct.pack("<I", 512_000) + b"\1" + bytes(15) + at + struct.pack("<Q", 1) + guard,
        struct.pack("<d", 20) + at + guard * 2,
    ]
    tables = [[struct.pack("<I", 0), struct.pack("<I", 1) + key + e] for e in entries]
    return [b"".join(t[0] for t in tables), b"".join(t[1] for t in tables)] + \
        [b"".join(t[n == only] for n, t in enumerate(tables)) for only in range(len(tables))]


def name_states():
    """Nothing; and two names with one account, of a process that had forgotten."""
    def state(forgot, names, accounts):
        return struct.pack("<QBBBQI", 29_000_000, 17, forgot, 1, 77, len(names)) + b"".join(names) + struct.pack("<I", len(accounts)) + b"".join(accounts)
    return [state(0, [], []), state(3, [struct.pack("<IQB", place, 5, 1) for place in (3, 4)], [struct.pack("<QQBBHBH", 9, 1, 2, 0, 1, 24, 7)])]


def pods():
    def pod(n, address="10.244.0.7", **more):
        return {"metadata": {"uid": f"7c1e2b9a-{n}", "namespace": "training", "name": f"trainer-{n}"}, "spec": {"serviceAccountName": "trainer", **more},
                "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}, {"ip": "fd00:244::7"}]}}

    def lines(*all_of_them):
        return b"".join(json.dumps(each).encode() + b"\n" for each in all_of_them)

    events = [{"type": kind, "object": pod(n)} for n, kind in enumerate(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"])]
    mark = {"type": "BOOKMARK"}
    return [lines(pod(1), pod(2, "10.244.0.8", hostNetwork=True), mark), lines(pod(1), *events[:4]), lines(mark, *events[:3], mark, pod(9)), lines(mark, events[4]), lines(pod(1)),
            b'{"metadata":{"uid":"a","uid":"b"}}\n', lines({"kind": "PodList", "items": []})]


SEEDS = {"admin_answer": admin_answers, "allowlist": allowlists, "chunked_body": chunks, "client_hello": hellos, "config": configs, "detector_snapshot": detector_states, "dns_answer": dns_answers,
         "hello_beside_openssl": hellos, "hello_retry": retries, "hostname": names,
         "hosts_file": hosts_files, "import": other_lists, "manifest": statements, "name_snapshot": name_states, "pods": pods, "proxy_header": proxy_headers, "request_head": requests, "response_head": responses, "verify_audit": audit_logs}


def write(fuzzer, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(SEEDS[fuzzer]()):
        (directory / f"seed{n:02}").write_bytes(seed)
