"""A DNS server on loopback that answers from a table and remembers every question. Names it does not know do not exist (NXDOMAIN)."""
import ipaddress
import socket
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
TYPES = {A: "A", AAAA: "AAAA", CNAME: "CNAME"}
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
SO_RCVBUFFORCE = 33
HELD = object()


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".") if label) + b"\0"


def question_of(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    kind = struct.unpack_from("!H", packet, at + 1)[0]
    return ".".join(labels), kind, packet[12 : at + 5]


class Answer:
    """What one name resolves to. `behave`: None, "servfail", "refused", "silent", "held" (over UDP, until release()), "truncate" (over UDP),
    "garbage", "lower" (over UDP: the question comes back in lower case); `types`: the questions that it behaves so at, or all."""

    def __init__(self, addresses, ttl, cname, behave, types):
        self.addresses, self.ttl, self.cname, self.behave, self.types = addresses, ttl, cname, behave, types

    def behaves_at(self, kind):
        return self.behave if self.types is None or TYPES.get(kind) in self.types else None


class DnsServer:
    def __init__(self, host="127.0.0.1"):
        self.table = {}
        self.queries = []  # (name, type, "udp" or "tcp"), as they came
        self.senders = []  # (name, source port) of each question over UDP, as they came; the name as it was written
        self.forge = lambda packet, reply: []  # what goes before the reply: (socket or None for the server's own, datagram)
        self._held = []
        self._lock = threading.Lock()
        self._udp, self._tcp = self._bind(host)
        self.address = "%s:%d" % self._udp.getsockname()
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    @staticmethod
    def _bind(host):
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((host, 0))
        tcp.listen(128)
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)  # the kernel's own bound is thousands of questions too low for a slow moment
        udp.bind(tcp.getsockname())
        return udp, tcp

    def set(self, name, *addresses, ttl=60, cname=None, behave=None, types=None):
        """`addresses` may hold one callable that is asked anew for each question: def f(type) -> list of addresses."""
        self.table[name] = Answer(addresses, ttl, cname, behave, types)

    def asked(self, name=None, since=0):
        return [q for q in self.queries[since:] if name is None or q[0] == name]

    def mark(self):
        return len(self.queries)

    def _serve_udp(self):
        while True:
            packet, client = self._udp.recvfrom(4096)
            self.senders.append((question_of(packet)[0], client[1]))
            reply = self._reply(packet, "udp")
            if reply is HELD:
                self._held.append((packet, client))
                continue
            for sender, forged in self.forge(packet, reply):
                (sender or self._udp).sendto(forged, client)
            if reply:
                self._udp.sendto(reply, client)

    def release(self):
        """Answers what was held, by what is set now."""
        held, self._held = self._held, []
        for packet, client in held:
            self._udp.sendto(self._reply(packet, "udp"), client)

    def _serve_tcp(self):
        while True:
            client, _ = self._tcp.accept()
            threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def _serve_one(self, client):
        with client, client.makefile("rb") as incoming:
            while size := incoming.read(2):
                reply = self._reply(incoming.read(struct.unpack("!H", size)[0]), "tcp")
                if reply:
                    client.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, packet, transport):
        name, kind, question = question_of(packet)
        with self._lock:
            self.queries.append((name.lower(), TYPES.get(kind, str(kind)), transport))
        known = self.table.get(name.lower())
        behave = known.behaves_at(kind) if known else None
        if behave == "silent":
            return None
        if behave == "held":
            return HELD
        if behave == "garbage":
            return packet[:2] + b"\xff" * 40
        if behave == "lower" and transport == "udp":
            question = encode_name(name.lower()) + question[-4:]
        truncated = behave == "truncate" and transport == "udp"
        records = [] if known is None or behave in ("servfail", "refused") or truncated else self._records(name.lower(), kind)
        code = {"servfail": SERVFAIL, "refused": REFUSED}.get(behave, NXDOMAIN if known is None else NOERROR)
        flags = 0x8180 | code | (0x0200 if truncated else 0)
        return packet[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)

    def _records(self, name, kind):
        out = []
        for _ in range(16):
            known = self.table.get(name)
            if known is None:
                return out
            if known.cname is None:
                return out + [self._record(name, kind, known.ttl, a) for a in self._addresses(known, kind)]
            out.append(self._raw(name, CNAME, known.ttl, encode_name(known.cname)))
            name = known.cname
        return out

    @staticmethod
    def _addresses(known, kind):
        every = known.addresses[0](TYPES.get(kind)) if known.addresses and callable(known.addresses[0]) else known.addresses
        version = {A: 4, AAAA: 6}.get(kind)
        return [a for a in map(ipaddress.ip_address, every) if a.version == version]

    def _record(self, name, kind, ttl, address):
        return self._raw(name, kind, ttl, address.packed)

    @staticmethod
    def _raw(name, kind, ttl, data):
        return encode_name(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
