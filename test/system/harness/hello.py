"""ClientHellos: a genuine one from OpenSSL, taken apart and put together again with what a test wants inside."""
import os
import ssl
import struct

SERVER_NAME, SUPPORTED_GROUPS, KEY_SHARE, ECH, ESNI, GREASE = 0, 10, 51, 0xFE0D, 0xFFCE, 0x4A4A
X25519MLKEM768 = 0x11EC


def genuine(name):
    """The first flight of OpenSSL: one record that holds a ClientHello. Without a name there is no server_name extension."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    context.set_alpn_protocols(["h2", "http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def server_name(name):
    """The extension's body; `name` is bytes, so that anything can be said."""
    entry = b"\0" + struct.pack("!H", len(name)) + name
    return struct.pack("!H", len(entry)) + entry


class Hello:
    """The handshake message inside of `record`, as a list of (type, body) extensions between two fixed parts."""

    def __init__(self, record):
        message = record[5:]
        at = 4 + 2 + 32
        at += 1 + message[at]
        at += 2 + struct.unpack_from("!H", message, at)[0]
        at += 1 + message[at]
        self._before = message[4:at]
        self.extensions, at = [], at + 2
        while at < len(message):
            kind, size = struct.unpack_from("!HH", message, at)
            self.extensions.append((kind, message[at + 4 : at + 4 + size]))
            at += 4 + size

    def with_extension(self, kind, body, first=False):
        kept = [(k, b) for k, b in self.extensions if k != kind]
        self.extensions = [(kind, body), *kept] if first else [*kept, (kind, body)]
        return self

    def message(self, overlong=0):
        """`overlong`: by how much the length of the extensions is a lie."""
        extensions = b"".join(struct.pack("!HH", k, len(b)) + b for k, b in self.extensions)
        body = self._before + struct.pack("!H", len(extensions) + overlong) + extensions
        return b"\x01" + struct.pack("!I", len(body))[1:] + body


def record(payload, kind=0x16):
    return struct.pack("!BHH", kind, 0x0301, len(payload)) + payload


def records(message, size):
    """The message cut into records of `size` bytes."""
    return b"".join(record(message[i : i + size]) for i in range(0, len(message), size))


def hello(name, **extensions):
    """A record; `name` is text or None."""
    h = Hello(genuine(name))
    for kind, body in extensions.values():
        h.with_extension(kind, body)
    return record(h.message())


def named(raw):
    """A hello whose server_name is these bytes."""
    return record(Hello(genuine("placeholder.test")).with_extension(SERVER_NAME, server_name(raw), first=True).message())


def with_ech(name, kind=ECH):
    """An outer hello with an encrypted one inside; to a reader, GREASE ECH looks the same."""
    body = b"\0" + struct.pack("!HHB", 1, 1, 7) + struct.pack("!H", 32) + os.urandom(32) + struct.pack("!H", 144) + os.urandom(144)
    return hello(name, ech=(kind, body))


def post_quantum(name):
    """With a key share of X25519MLKEM768: more than one TCP segment holds."""
    share = struct.pack("!HH", X25519MLKEM768, 1216) + os.urandom(1216)
    h = Hello(genuine(name))
    shares = dict(h.extensions)[KEY_SHARE][2:]
    h.with_extension(KEY_SHARE, struct.pack("!H", len(share) + len(shares)) + share + shares)
    groups = struct.pack("!H", X25519MLKEM768) + dict(h.extensions)[SUPPORTED_GROUPS][2:]
    h.with_extension(SUPPORTED_GROUPS, struct.pack("!H", len(groups)) + groups)
    h.with_extension(GREASE, os.urandom(300))
    return record(h.message())


def alert_of(data):
    """The description of the fatal alert that `data` is, or None."""
    return data[6] if len(data) == 7 and data[:1] == b"\x15" and data[5] == 2 else None


def as_server_hello(first):
    """What begins with a record of a ClientHello, with the type of a ServerHello in its place."""
    return first[:5] + b"\x02" + first[6:] if first[:1] == b"\x16" and first[5:6] == b"\x01" else first
