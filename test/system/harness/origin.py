"""Servers in the world that remember every byte that reached them. One thread a connection."""
import socket
import ssl
import struct
import threading

from .hello import as_server_hello

REMEMBERED = 4 << 20  # bytes of one connection; beyond, they are counted only


class Peer:
    """One accepted connection. Bytes are those on the wire: under TLS the records, not what they hold."""

    def __init__(self, sock, address):
        self.sock, self.address = sock, address
        self.received = bytearray()
        self.received_bytes = self.sent_bytes = 0
        self.ended = False  # the client has finished sending, orderly
        self.failed = None  # ... or not
        self.closed = False
        self.server_name = None

    def recv_wire(self, most=262144):
        got = self.sock.recv(most)
        self.received_bytes += len(got)
        if len(self.received) < REMEMBERED:
            self.received += got
        self.ended = self.ended or not got
        return got

    def send_wire(self, data):
        view = memoryview(data)
        while view:
            n = self.sock.send(view)
            self.sent_bytes += n
            view = view[n:]

    recv, send = recv_wire, send_wire

    def finish(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class TlsPeer(Peer):
    def __init__(self, sock, address, context):
        super().__init__(sock, address)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    def handshake(self):
        self._until_done(self._tls.do_handshake)

    def _flush(self):
        if self._out.pending:
            self.send_wire(self._out.read())

    def _until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                got = self.recv_wire()
                if got:
                    self._in.write(got)
                else:
                    self._in.write_eof()
            finally:
                self._flush()  # an alert, too

    def recv(self, most=262144):
        try:
            return self._until_done(lambda: self._tls.read(most))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def send(self, data):
        view = memoryview(data)
        while view:
            n = self._tls.write(view[:262144])
            self._flush()
            view = view[n:]


class Origin:
    """Listens in `namespace` on `host` (one address, or "::" for all) and hands each connection to serve(peer). `buffer`: octets that a connection
    takes before they are read, about."""

    def __init__(self, namespace, serve, host="::", port=443, context=None, buffer=None):
        self.peers, self._serve, self.context = [], serve, context
        self.deaf = False  # it does not notice when a connection ends
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = namespace.socket(family)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer:
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._listening.bind((host, port))
        self._listening.listen(4096)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, address = self._listening.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = TlsPeer(sock, address, self.context) if self.context else Peer(sock, address)
            self.peers.append(peer)
            threading.Thread(target=self._run, args=(peer,), daemon=True).start()

    def _run(self, peer):
        try:
            if self.context:
                peer.handshake()
            self._serve(peer)
        except (OSError, ssl.SSLError) as e:
            peer.failed = e
        finally:
            peer.closed = True
            peer.sock.close()

    @property
    def received_bytes(self):
        return sum(p.received_bytes for p in self.peers)

    @property
    def sent_bytes(self):
        return sum(p.sent_bytes for p in self.peers)

    def got(self, data):
        """Whether one of the connections has brought exactly these bytes; others may have been accepted later than they were made."""
        return any(bytes(p.received) == data for p in list(self.peers))

    def at_rest(self):
        return self.deaf or all(p.closed for p in self.peers)

    def clear(self):
        self.peers.clear()

    def close(self):
        if self._listening.fileno() < 0:
            return
        # close() alone would leave the accepting thread waiting, and the port taken
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for peer in list(self.peers):
            try:
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone already


def echo(peer):
    """Sends back what comes, and ends when the client does."""
    while got := peer.recv():
        peer.send(got)
    peer.finish()


def tls_echo(peer):
    """The same, but a ClientHello comes back as a ServerHello (hello.as_server_hello): the first that a TLS server says."""
    first = b""
    while len(first) < 6 and (got := peer.recv()):
        first += got
    if first:
        peer.send(as_server_hello(first))
    echo(peer)


def swallow(peer):
    while peer.recv():
        pass
