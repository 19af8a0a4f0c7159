"""Requests over which HTTP implementations are known to part ways, each with a good request behind it: some by hand, most drawn from a seed.
`base` is what a target begins with: "http://ok.test" for a proxy, nothing for an origin. A path tells which of them a request was."""
import random

LAST = b"GET %s/%d/last HTTP/1.1\r\nHost: ok.test\r\nConnection: close\r\n\r\n"
CHUNKED_HELLO, HELLO = b"5\r\nhello\r\n0\r\n\r\n", b"hello"

# fields, body
FRAMINGS = [
    (b"Content-Length: 5\r\n", HELLO),
    (b"Transfer-Encoding: chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED_HELLO),
    (b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", CHUNKED_HELLO),
    (b"Content-Length: 5\r\nContent-Length: 5\r\n", HELLO),
    (b"Content-Length: 5\r\nContent-Length: 0\r\n", HELLO),
    (b"Content-Length: 5, 5\r\n", HELLO),
    (b"Content-Length: +5\r\n", HELLO),
    (b"Content-Length: 05\r\n", HELLO),
    (b"Content-Length: 0x5\r\n", HELLO),
    (b"Content-Length: 5 \r\n", HELLO),
    (b"Content-Length : 5\r\n", HELLO),
    (b"Content-Length:\x0b5\r\n", HELLO),
    (b"Content-Length: -1\r\n", HELLO),
    (b"Content-Length: 18446744073709551621\r\n", HELLO),
    (b"Content-Length: 5\r\n Content-Length: 0\r\n", HELLO),
    (b"Content_Length: 5\r\n", b""),
    (b"Transfer-Encoding : chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding:\tchunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: \x0bchunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: xchunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: Chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: chunked, identity\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: identity, chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: gzip, chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: chunked, chunked\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", HELLO),
    (b'Transfer-Encoding: "chunked"\r\n', CHUNKED_HELLO),
    (b"Transfer-Encoding: chunked;q=1\r\n", CHUNKED_HELLO),
    (b"Transfer-Encoding:\r\n chunked\r\n", CHUNKED_HELLO),
    (b"X: y\rTransfer-Encoding: chunked\r\n", CHUNKED_HELLO),
    (b"X: y\nTransfer-Encoding: chunked\r\n", CHUNKED_HELLO),
    (b"X\0: y\r\nContent-Length: 5\r\n", HELLO),
    (b"X: y\0\r\nContent-Length: 5\r\n", HELLO),
    (b"Connection: content-length\r\nContent-Length: 5\r\n", HELLO),
    (b"Connection: close, transfer-encoding\r\nTransfer-Encoding: chunked\r\n", CHUNKED_HELLO),
    (b"Expect: 100-continue\r\nContent-Length: 5\r\n", HELLO),
    (b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n", HELLO),
    (b": x\r\nContent-Length: 5\r\n", HELLO),
    (b"Content-Length: 5\r\nno colon\r\n", HELLO),
]
CODINGS = [
    b"5;ext=1\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
    b"05\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5;\nx\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
    b"5\r\nhello\r\n0\r\n X: y\r\n\r\n", b"5\r\nhello\r\n00\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0;\x01\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n",
    b"5\r\r\nhello\r\n0\r\n\r\n", b"5\rX\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\n\n",
]
HOSTS = [b"Host: OK.test\r\n", b"Host: ok.test:80\r\n", b"Host: ok.test.\r\n", b"Host: evil.test\r\n", b"Host: ok.test\r\nHost: ok.test\r\n", b"Host: \r\n", b"",
         b"Host: ok.test\r\nHost: evil.test\r\n", b"Host : ok.test\r\n", b"Host: ok.test:8080\r\n", b"Host: user@ok.test\r\n", b"Host: ok.test, evil.test\r\n",
         b"Host: ok.test\r\n evil.test\r\n", b"Host: ok.test/x\r\n", b"X: y\r\n Host: evil.test\r\nHost: ok.test\r\n", b"hOST:ok.test\r\n", b"Host: evil.test\0.ok.test\r\n"]
LINES = [b"GET %s/%d HTTP/1.0\r\n", b"GET  %s/%d HTTP/1.1\r\n", b"GET %s/%d  HTTP/1.1\r\n", b"GET\t%s/%d HTTP/1.1\r\n", b"GET %s/%d HTTP/1.1\n", b"GET %s/%d\r\n",
         b"GET %s/%d HTTP/1.2\r\n", b"GET %s/%d HTTP/2.0\r\n", b"GET %s/%d http/1.1\r\n", b"GET %s/%d HTTP/1.1 \r\n", b"GET %s/%d#f HTTP/1.1\r\n",
         b"GET %s/%d/../x HTTP/1.1\r\n", b"GET %s/%d/%%2e%%2e/x HTTP/1.1\r\n", b"GET %s/%d\\x HTTP/1.1\r\n", b"GET %s/%d?a=\xc3\xa9 HTTP/1.1\r\n", b"\r\nGET %s/%d HTTP/1.1\r\n",
         b"OPTIONS %s/%d HTTP/1.1\r\n", b"get %s/%d HTTP/1.1\r\n", b"M-X %s/%d HTTP/1.1\r\n", b"G@T %s/%d HTTP/1.1\r\n", b"GET %s/%d//a HTTP/1.1\r\n", b"GET %s/%d?a?b&c=d HTTP/1.1\r\n",
         b"HEAD %s/%d HTTP/1.1\r\n", b"TRACE %s/%d HTTP/1.1\r\n", b"GET %s/%d HTTP/1.1\r\r\n", b"GET %s/%d\0 HTTP/1.1\r\n"]
TARGETS = [b"http://ok.test:80/%d", b"HTTP://ok.test/%d", b"http://OK.test/%d", b"http://ok.test./%d", b"http://user@ok.test/%d", b"http://ok.test@evil.test/%d",
           b"http://evil.test\\@ok.test/%d", b"http://evil.test/%d", b"http:/ok.test/%d", b"http://ok.test?%d", b"//ok.test/%d", b"/%d", b"https://ok.test/%d", b"ok.test/%d"]


def by_hand(base):
    host = b"Host: ok.test\r\n"
    for n, (fields, body) in enumerate(FRAMINGS):
        yield b"POST %s/%%d HTTP/1.1\r\n" % base + host + fields.replace(b"%", b"%%") + b"\r\n" + body
    for body in CODINGS:
        yield b"POST %s/%%d HTTP/1.1\r\n" % base + host + b"Transfer-Encoding: chunked\r\n\r\n" + body
    for fields in HOSTS:
        yield b"GET %s/%%d HTTP/1.1\r\n" % base + fields + b"\r\n"
    for line in LINES:
        yield line.replace(b"%s", base) + host + b"\r\n"
    for target in TARGETS:
        yield b"GET " + target + b" HTTP/1.1\r\n" + host + b"\r\n"
        yield b"GET " + target + b" HTTP/1.0\r\n\r\n"


def drawn(base, seed, count):
    """Two or three of the changes at once, and now and then an octet."""
    draw = random.Random(seed)

    def of(choices, usual):
        return draw.choice(choices) if draw.random() < 0.3 else usual

    for _ in range(count):
        line = of(LINES, b"POST %s/%d HTTP/1.1\r\n").replace(b"%s", base)
        if draw.random() < 0.1:
            line = b"POST " + draw.choice(TARGETS) + b" HTTP/1.1\r\n"
        fields, body = draw.choice(FRAMINGS) if draw.random() < 0.7 else (b"Transfer-Encoding: chunked\r\n", draw.choice(CODINGS))
        parts = [of(HOSTS, b"Host: ok.test\r\n"), fields.replace(b"%", b"%%")]
        draw.shuffle(parts)
        whole = bytearray(b"".join(parts) + b"\r\n" + body)
        if draw.random() < 0.4:
            at = draw.randrange(len(whole))
            change = draw.choice((b"\0", b"\t", b"\n", b"\r", b" ", b":", b";", b",", b"0", b"\x7f", b"\x80", b""))
            whole[at : at + draw.randrange(2)] = change
        yield line + bytes(whole)


def all_of(base, seed, count):
    """(number, bytes): the number stands in the paths."""
    for n, template in enumerate([*by_hand(base), *drawn(base, seed, count)], 1000):
        yield n, template.replace(b"%d", b"%d" % n).replace(b"%%", b"%") + LAST % (base, n)
