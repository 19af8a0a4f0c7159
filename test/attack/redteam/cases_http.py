"""D and E: requests as they stand on the wire. A row: case, severity, bytes, verdict. Every request is for ok.test, which is allowed, unless it
is what the case is about."""

def connect(*fields, target="ok.test:443", version="HTTP/1.1", host=None, behind=b""):
    lines = [f"CONNECT {target} {version}", *([f"Host: {host or target}"] if host != "" else []), *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + behind


def get(*fields, url="http://ok.test/", version="HTTP/1.1", host="ok.test", method="GET", body=b""):
    lines = [f"{method} {url} {version}", *([f"Host: {host}"] if host is not None else []), *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


POST = "Content-Length: 5"
CHUNKED = "Transfer-Encoding: chunked"
ALL = b"5\r\nhello\r\n0\r\n\r\n"

REQUESTS = [
    # A CONNECT's Host is neither believed nor forwarded: real clients name the proxy there. What is dialled, and held to the name inside, is the target.
    ("D1", "C", connect(target="evil.test:443", host="ok.test:443"), "not_allowed"),
    ("D1", "C", connect(target="ok.test:8443", host="ok.test:443"), "port_not_allowed"),
    ("D1", "C", connect("Host: evil.test:443"), "header"),
    ("D1", "C", connect("Host: ok.test:443"), "header"),
    ("D1", "C", connect(host="ok.test, evil.test"), "host_syntax"),
    ("D1", "C", connect(host="evil.test@ok.test"), "host_syntax"),
    ("D1", "C", connect(host=" "), "host_syntax"),
    ("D4", "H", connect("Content-Length: 5", behind=b"hello"), "connect_body"),
    ("D4", "H", connect("Transfer-Encoding: chunked", behind=ALL), "connect_body"),
    ("D4", "H", connect("Content-Length: 0", "Content-Length: 0"), "connect_body"),
    ("D4", "H", connect("Content-Length: 0", "Transfer-Encoding: chunked", behind=ALL), "connect_body"),
    ("D4", "H", connect("Content-Length: 00"), "connect_body"),
    ("D5", "H", connect(target="evil.test:443", behind=b"\x16\x03\x01\x02\x00weights"), "not_allowed"),
    ("D6", "H", connect(target="evil.test:443", behind=get()), "not_allowed"),
    ("D7", "H", connect("X-Weights: " + "w" * 2_000_000), "head_too_large"),
    ("D7", "H", connect("X-Weights: " + "w" * 17_000), "head_too_large"),
    ("D8", "C", connect("X-Upstream-Https-Proxy: evil.test:443", target="evil.test:443"), "not_allowed"),
    ("D10", "H", b"PROXY TCP4 10.42.0.9 93.184.216.34 1 443\r\n" + connect(), "request_line"),
    ("D10", "H", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\0" * 12 + connect(), "request_line"),
    ("E1", "C", get(host="evil.test"), "host_mismatch"),
    ("E1", "C", get("Host: evil.test"), "header"),
    ("E1", "C", get(host="ok.test:8080"), "host_mismatch"),
    ("E4", "C", get(POST, CHUNKED, method="POST", body=ALL), "framing"),
    ("E4", "C", get(CHUNKED, POST, method="POST", body=ALL), "framing"),
    ("E5", "C", get("Content-Length: ", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: +5", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: 5,6", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: 5, 5", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: -1", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: 0x5", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get("Content-Length: 99999999999999999999", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get(POST, "Content-Length: 6", method="POST", body=b"hello"), "framing"),
    ("E5", "C", get(POST, POST, method="POST", body=b"hello"), "framing"),
    ("E6", "C", get("Transfer-Encoding: xchunked", method="POST", body=ALL), "framing"),
    ("E6", "C", get("Transfer-Encoding: chunked;x", method="POST", body=ALL), "framing"),
    ("E6", "C", get("Transfer-Encoding: chunked, identity", method="POST", body=ALL), "framing"),
    ("E6", "C", get("Transfer-Encoding: identity, chunked", method="POST", body=ALL), "framing"),
    ("E6", "C", get("Transfer-Encoding: gzip, chunked", method="POST", body=ALL), "framing"),
    ("E6", "C", get("Transfer-Encoding: chunked", CHUNKED, method="POST", body=ALL), "framing"),
    ("E6", "C", get(CHUNKED, method="POST", version="HTTP/1.0", body=ALL), "framing"),
    ("E10", "H", get(url="https://ok.test/"), "scheme"),
    ("E10", "H", get(url="ftp://ok.test/"), "scheme"),
    ("E10", "H", get(url="urn:ok.test"), "scheme"),
    ("E10", "H", get(url="http:ok.test"), "scheme"),
    # Any other Upgrade is an offer that is taken out of the request (RFC 9110 section 7.8), which then is one like any other: test_http.py.
    ("E12", "H", get("Upgrade: websocket", "Connection: Upgrade"), "upgrade"),
    ("E12", "H", get("Upgrade: h2c, WebSocket/13", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"), "upgrade"),
    ("E12", "H", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "request_line"),
    ("E15", "H", get(url="/metrics", host="127.0.0.1"), "target_form"),
    ("E15", "H", get(url="*", method="OPTIONS"), "target_form"),
]
CHUNKS = [b"7fffffffffffffff\r\nhello", b"ffffffffffffffff\r\nhello", b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
          b"0x5\r\nhello\r\n0\r\n\r\n", b"5;\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
          b"5 \r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b"g\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\n\r\n", b"5;" + b"e" * 300 + b"\r\nhello\r\n0\r\n\r\n",
          b"5\r\nhello\r\n0\r\n" + b"T: " + b"t" * 9000 + b"\r\n\r\n"]
# What an origin may say, and exeat must not pass on: 502 upstream_malformed.
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + ALL,
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\r\nBad Field: x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"ICY 200 OK\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 40 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
]
