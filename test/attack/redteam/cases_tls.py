"""F: what a client says inside, or at once on a redirected connection. A row: case, severity, what, first bytes, verdict inside CONNECT to ok.test,
verdict where the hello alone names the host."""
import os
import struct

from harness import hello as tls

OK, EVIL = "ok.test", "evil.test"


def message(name):
    return tls.Hello(tls.genuine(name)).message()


def two_extensions():
    h = tls.Hello(tls.genuine(OK))
    h.extensions.append((tls.SERVER_NAME, tls.server_name(b"evil.test")))
    return tls.record(h.message())


def server_name_list(*entries):
    body = b"".join(bytes([kind]) + struct.pack("!H", len(name)) + name for kind, name in entries)
    return tls.record(tls.Hello(tls.genuine("x.test")).with_extension(tls.SERVER_NAME, struct.pack("!H", len(body)) + body, first=True).message())


def with_psk(name):
    identity = struct.pack("!H", 32) + os.urandom(32) + b"\0\0\0\1"
    binder = bytes([32]) + os.urandom(32)
    h = tls.Hello(tls.genuine(name))
    h.with_extension(41, struct.pack("!H", len(identity)) + identity + struct.pack("!H", len(binder)) + binder)
    return tls.record(h.message())


REFUSED = [
    ("F1", "C", "another name", tls.genuine(EVIL), "sni_mismatch", "not_allowed"),
    ("F1", "C", "another allowed name", tls.genuine("one.w.test"), "sni_mismatch", None),
    ("F1", "C", "a name below", tls.genuine("a.ok.test"), "sni_mismatch", "not_allowed"),
    ("F3", "C", "no name", tls.genuine(None), "sni_missing", "sni_missing"),
    ("F3", "C", "an empty list", server_name_list(), "tls_malformed", "tls_malformed"),
    ("F3", "C", "an empty name", tls.named(b""), "tls_malformed", "tls_malformed"),
    ("F4", "C", "another name in 1-byte records", tls.records(message(EVIL), 1), "sni_mismatch", "not_allowed"),
    ("F4", "C", "another name in 3-byte records", tls.records(message(EVIL), 3), "sni_mismatch", "not_allowed"),
    ("F7", "H", "a message of 16 MiB", tls.record(b"\x01\xff\xff\xff" + b"\0" * 40), "tls_malformed", "tls_malformed"),
    ("F7", "H", "an empty record first", tls.record(b"") + tls.genuine(OK), "tls_malformed", "tls_malformed"),
    ("F7", "H", "an oversize record", b"\x16\x03\x01\xff\xff" + message(OK), "tls_malformed", "tls_malformed"),
    ("F7", "H", "extensions longer than the hello", tls.record(tls.Hello(tls.genuine(OK)).message(overlong=9)), "tls_malformed", "tls_malformed"),
    ("F7", "H", "two server_name extensions", two_extensions(), "tls_malformed", "tls_malformed"),
    ("F7", "H", "two names in one list", server_name_list((0, b"ok.test"), (0, b"evil.test")), "tls_malformed", "tls_malformed"),
    ("F7", "H", "a name of an unknown type", server_name_list((7, b"ok.test")), "tls_malformed", "tls_malformed"),
    ("F7", "H", "not a ClientHello", tls.record(b"\x02\x00\x00\x10" + b"\0" * 16), "tls_malformed", "tls_malformed"),
    ("F7", "H", "an alert between two parts", tls.record(message(OK)[:50]) + tls.record(b"\x02\x28", 0x15) + tls.record(message(OK)[50:]), "tls_malformed", "tls_malformed"),
    ("F9", "H", "an address", tls.named(b"93.184.216.34"), "host_syntax", "host_syntax"),
    ("F9", "H", "a NUL", tls.named(b"ok.test\0"), "host_syntax", "host_syntax"),
    ("F9", "H", "a wildcard", tls.named(b"*.w.test"), "host_syntax", "host_syntax"),
    ("F9", "H", "300 octets", tls.named(b"a" * 300), "host_syntax", "host_syntax"),
    ("F11", "C", "ECH", tls.with_ech(OK), "ech", "ech"),
    ("F12", "M", "ESNI", tls.with_ech(OK, tls.ESNI), "ech", "ech"),
    ("F14", "H", "a resumption without a name", with_psk(None), "sni_missing", "sni_missing"),
    ("F16", "C", "SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", "not_tls", None),
    ("F16", "C", "SSLv2", b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + b"\0" * 40, "not_tls", "not_tls"),
    ("F16", "C", "application data", b"\x17\x03\x03\x00\x05hello", "not_tls", "not_tls"),
    ("F16", "C", "zeros", b"\0" * 100, "not_tls", "not_tls"),
    ("F16", "C", "DNS over TCP", b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04evil\x04test\x00\x00\x01\x00\x01", "not_tls", "not_tls"),
]
ACCEPTED = [
    ("M1", "in other case", lambda: [tls.genuine("OK.Test")]),
    ("F4", "in 1-byte records", lambda: [tls.records(message(OK), 1)]),
    ("F5", "in 1-byte segments", lambda: [bytes([b]) for b in tls.genuine(OK)]),
    ("F6", "1.6 KB of post-quantum keys", lambda: [tls.post_quantum(OK)]),
    ("F10", "GREASE and unknown extensions", lambda: [tls.hello(OK, grease=(tls.GREASE, b"\0"), unknown=(0x1234, b"x" * 50))]),
    ("F14", "a resumption that says the name", lambda: [with_psk(OK)]),
]
