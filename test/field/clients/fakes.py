"""What the origins serve: a page that names its host, and to clients of a service as much of it as they ask for, with that page in it."""
import base64
import hashlib
import json
import threading

from harness.http_origin import Request, reply
from harness.origin import Peer

DATE = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"
DEBIAN = b"Package: page\nVersion: 1.0\nArchitecture: all\nMaintainer: tests <tests@clients.test>\nFilename: page.deb\nSize: 1\nDescription: %s"
COMMIT = hashlib.sha1(b"commit").hexdigest()


def page(request):
    """So that a body cannot come from another origin than the one that was asked for."""
    return f"this is {request.field('host').split(':')[0]}\n".encode()


def missing():
    return reply(b"{}", "404 Not Found", ["Content-Type: application/json"])


def ranged(request):
    """A blob of Azure's: always read by range."""
    body = page(request)
    fields = ['ETag: "1"', DATE, "x-ms-blob-type: BlockBlob", "x-ms-version: 2024-01-01", "Content-Type: text/plain"]
    if request.field("range") or request.field("x-ms-range"):
        return reply(body, "206 Partial Content", [*fields, f"Content-Range: bytes 0-{len(body) - 1}/{len(body)}"])
    return reply(body, fields=fields)


def bucket(request):
    """Google's JSON API: an object, and what is known of it."""
    body = page(request)
    if "alt=media" in request.path:
        return reply(body, fields=["Content-Type: text/plain"])
    known = {"kind": "storage#object", "name": "object", "bucket": "bucket", "size": str(len(body)), "generation": "1", "metageneration": "1", "contentType": "text/plain",
             "updated": "2026-01-01T00:00:00.000Z", "timeCreated": "2026-01-01T00:00:00.000Z", "etag": "1", "storageClass": "STANDARD",
             "md5Hash": base64.b64encode(hashlib.md5(body).digest()).decode(), "mediaLink": f"https://{request.field('host')}/download/storage/v1/b/bucket/o/object?alt=media"}
    return reply(json.dumps(known).encode(), fields=["Content-Type: application/json"])


def images(request):
    """A registry of container images (OCI distribution)."""
    if "/manifests/" not in request.path:
        return reply(b"{}", fields=["Docker-Distribution-Api-Version: registry/2.0"])
    nothing = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(), "size": 2}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": nothing, "layers": [],
                "annotations": {"page": page(request).decode().strip()}}
    body = json.dumps(manifest).encode()
    return reply(body, fields=[f"Content-Type: {manifest['mediaType']}", f"Docker-Content-Digest: sha256:{hashlib.sha256(body).hexdigest()}"])


def repository(request):
    """A git repository as a plain web server has it: git reads the list of branches."""
    branch = page(request).decode().strip().replace(" ", "-")
    if request.path.startswith("/project.git/info/refs"):
        return reply(f"{COMMIT}\trefs/heads/{branch}\n".encode(), fields=["Content-Type: text/plain"])
    return reply(b"ref: refs/heads/" + branch.encode() + b"\n") if request.path == "/project.git/HEAD" else missing()


def debian(request):
    listed = DEBIAN % page(request)
    files = {"Packages": listed, "Release": b"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n %s %d Packages\n" % (hashlib.sha256(listed).hexdigest().encode(), len(listed))}
    name = request.path.rsplit("/", 1)[1]
    return reply(files[name]) if name in files else missing()


def channel(request):
    """Of conda packages."""
    if not request.path.endswith("/noarch/repodata.json"):
        return missing()
    name = request.field("host").split(":")[0].replace(".", "_")  # a package's name
    one = {"name": name, "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch", "size": 1, "md5": "0" * 32, "sha256": "0" * 64}
    known = {"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": {f"{name}-1.0-0.conda": one}, "repodata_version": 1}
    return reply(json.dumps(known).encode(), fields=["Content-Type: application/json"])


def websocket(peer: Peer, request, reader):
    """Takes the handshake (RFC 6455 section 4.2.2), waits for a frame, and answers with the page."""
    accept = base64.b64encode(hashlib.sha1(request.field("sec-websocket-key").encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    peer.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    size = reader.exactly(2)[1] & 127
    reader.exactly(4 + size)
    text = page(request)
    peer.send(bytes([0x81, len(text)]) + text)
    while peer.recv():
        pass


RELEASED = threading.Event()  # what /wait waits for
PRECONNECTS = (b'<html><head><link rel="preconnect" href="http://preconnected-http.allowed.test/"><link rel="preconnect" href="http://preconnected-http.allowed.test/" crossorigin></head>'
               b"<body>%s<script src=/wait></script></body></html>")


def browsed(request):
    """A page that has Chromium connect to another host and say nothing, for as long as its script is on the way."""
    if request.path == "/wait":
        RELEASED.wait(120)
        return reply(b"", fields=["Content-Type: text/javascript"])
    if request.path == "/preconnects":
        return reply(PRECONNECTS % page(request), fields=["Content-Type: text/html"])
    return reply(page(request), fields=["Content-Type: text/plain"])


# What is served under which first label of a host (place.host), less the way.
SERVICES = {"azcopy": ranged, "azure-storage-blob": ranged, "gsutil": bucket, "google-cloud-storage": bucket, "skopeo": images, "git": repository, "apt": debian,
            "rattler-conda": channel, "chromium": browsed}


def converse(peer, reader, head):
    """The one route of each origin. A path that ends in "once-only" is answered only on a connection that is new."""
    request = Request(head, *reader.body_of(head))
    known = peer.__dict__.setdefault("requests", [])
    known.append(request)
    if (request.field("upgrade") or "").lower() == "websocket":
        websocket(peer, request, reader)
        return False
    if request.path.endswith("once-only") and len(known) > 1:
        return False
    service = request.field("host").split(".")[0].rpartition("-")[0]
    answer = SERVICES.get(service, lambda r: reply(page(r)))(request)
    peer.send(answer if request.method != "HEAD" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    return (request.field("connection") or "").lower() != "close"
