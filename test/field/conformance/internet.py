"""An internet in which everybody answers: whatever gets out finds somebody to talk to, so that a fence with a hole shows. And a tap on its only link
that remembers all that came, whether anybody answered or not."""
import hashlib
import socket
import struct
import threading

from harness.origin import Origin

ETH_P_ALL = 3
MARK = 0x88B5  # an Ethernet type for experiments (IEEE 802), of the tests themselves
_NEIGHBOURS = {133, 134, 135, 136, 143}  # ICMPv6 between neighbours: RFC 4861, RFC 3810
TCP_DOOR, UDP_DOOR = 7001, 7002

_DOORS = f"""
table inet everybody {{
  chain prerouting {{
    type nat hook prerouting priority dstnat
    ip daddr 93.184.216.0/24 return
    ip6 daddr 2606:2800:220:1::/64 return
    meta l4proto tcp redirect to :{TCP_DOOR}
    udp dport != 53 redirect to :{UDP_DOOR}
    udp dport 53 ip daddr != 198.51.100.53 redirect to :{UDP_DOOR}
    udp dport 53 meta nfproto ipv6 redirect to :{UDP_DOOR}
  }}
}}
"""


class Tap:
    """Everything that comes in by `link` of `namespace`: {(protocol, destination, port or None)}, neighbours' talk aside."""

    def __init__(self, namespace, link):
        self._seen, self._lock = [], threading.Lock()
        self.marked = 0  # the number of the last frame of type MARK
        self._socket = namespace.run(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind((link, ETH_P_ALL))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            frame, (_, _, direction, *_) = self._socket.recvfrom(65535)
            packet = None if direction == socket.PACKET_OUTGOING else _packet(frame)
            if frame[12:14] == struct.pack("!H", MARK):
                self.marked = struct.unpack_from("!Q", frame, 14)[0]
            elif packet:
                with self._lock:
                    self._seen.append(packet)

    def forget(self):
        with self._lock:
            self._seen.clear()

    def seen(self):
        with self._lock:
            return set(self._seen)


def _packet(frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        protocol, to, payload = frame[23], socket.inet_ntop(socket.AF_INET, frame[30:34]), 14 + (frame[14] & 15) * 4
    elif kind == 0x86DD:
        protocol, to, payload = frame[20], socket.inet_ntop(socket.AF_INET6, frame[38:54]), 54
        if protocol == 0 or (protocol == 58 and frame[54] in _NEIGHBOURS):  # hop-by-hop: multicast listener reports
            return None
    else:
        return None if kind == 0x0806 else (hex(kind), None, None)
    port = struct.unpack_from("!H", frame, payload + 2)[0] if protocol in (6, 17) else None
    return {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}.get(protocol, protocol), to, port


class Everybody:
    """Any address of `world`, any port."""

    def __init__(self, world):
        world.nft(_DOORS)
        self._tcp = Origin(world, _greet, "::", TCP_DOOR)
        self._udp = world.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._udp.bind(("::", UDP_DOOR))
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            datagram, client = self._udp.recvfrom(65535)
            try:
                self._udp.sendto(_dns(datagram) or b"you reached the internet", client)
            except OSError:
                pass  # the client is not to be reached: its loss

    def close(self):
        self._tcp.close()


def _greet(peer):
    peer.sock.settimeout(0.5)
    try:
        first = peer.recv()
    except TimeoutError:
        first = b""
    if first[:1] == b"\x16":  # a hello gets what begins like a ServerHello
        return peer.send(b"\x16\x03\x03\x00\x30\x02\x00\x00\x2c\x03\x03" + bytes(42))
    if first[:4] in (b"GET ", b"HEAD", b"POST"):
        return peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
    answer = _dns(first[2:])
    return peer.send(struct.pack("!H", len(answer)) + answer if answer else b"SSH-2.0-internet\r\n")


def _dns(packet):
    """To each name an address of its own, so that the answer tells one name from another; None if it is no question."""
    if len(packet) < 17 or packet[2] & 0xF8 or packet[4:6] != b"\0\1":
        return None
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\xc6\x33" + hashlib.sha256(packet[12 : packet.index(b"\0", 12)]).digest()[:2]
    asked = packet[12 : packet.index(b"\0", 12) + 5]  # without what EDNS puts behind it
    return packet[:2] + b"\x81\x80" + packet[4:6] + b"\0\1\0\0\0\0" + asked + record
