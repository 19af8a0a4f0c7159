"""Where the clients of the quiet hour go: an index of Python packages, a Debian repository and large files behind nginx; a registry of npm
packages, a git server, an inference API and a collector of telemetry behind one Python server. All of it real enough for the real clients."""
import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import threading
import zipfile

from harness.web import Nginx

PACKAGES = 12  # of each kind
INDEX, FILES, DEBIAN, NPM, GIT, INFERENCE, TELEMETRY = (f"{n}.quiet.test" for n in ("index", "files", "deb", "npm", "git", "inference", "telemetry"))
NEW_INFERENCE = "judge.quiet.test"  # nobody has used it before today
MODELS = [f"{n}.models.quiet.test" for n in ("hub", "cdn-1", "cdn-2", "cdn-3")]
NEW_MODELS = "cdn-4.models.quiet.test"
SIZES = {"small.bin": 3 << 20, "middle.bin": 12 << 20, "large.bin": 40 << 20}


def needs_of(n):
    """Which packages the n-th one needs: each third one has two others."""
    return [(n + 1) % PACKAGES, (n + 2) % PACKAGES] if n % 3 == 0 else []


def some_bytes(chance):
    return chance.randbytes(int(min(3e6, chance.lognormvariate(12, 1))))


# ---- behind nginx ----

class Files:
    def __init__(self, lab, directory):
        self.nginx = Nginx(lab, directory, INDEX, FILES, DEBIAN, *MODELS, NEW_MODELS)
        self.root, chance = self.nginx.root, random.Random(1)
        for name, size in SIZES.items():
            (self.root / name).write_bytes(os.urandom(size))
        self._wheels(chance)
        self._debian(directory / "tree", chance)

    def _wheels(self, chance):
        (self.root / "wheels").mkdir()
        for n in range(PACKAGES):
            name = f"package{n}"
            file = f"{name}-1.0-py3-none-any.whl"
            data = wheel(name, [f"package{m}" for m in needs_of(n)], some_bytes(chance))
            (self.root / "wheels" / file).write_bytes(data)
            page = self.root / "simple" / name
            page.mkdir(parents=True)
            (page / "index.html").write_text(f'<a href="https://{FILES}/wheels/{file}#sha256={hashlib.sha256(data).hexdigest()}">{file}</a>')

    def _debian(self, tree, chance):
        at = self.root / "debian"
        at.mkdir()
        for n in range(PACKAGES):
            name, needs = f"package{n}", ", ".join(f"package{m}" for m in needs_of(n))
            shutil.rmtree(tree, ignore_errors=True)
            (tree / "DEBIAN").mkdir(parents=True)
            (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: tests <tests@quiet.test>\nDescription: test\n"
                                                 + (f"Depends: {needs}\n" if needs else ""))
            (tree / "data").write_bytes(some_bytes(chance))
            done("dpkg-deb", "--build", "--root-owner-group", tree, at / f"{name}_1.0_all.deb")
        listed = done("dpkg-scanpackages", ".", cwd=at)
        packed = gzip.compress(listed, mtime=0)
        (at / "Packages").write_bytes(listed)
        (at / "Packages.gz").write_bytes(packed)
        sums = "".join(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n" for name, data in (("Packages", listed), ("Packages.gz", packed)))
        (at / "Release").write_text(f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n{sums}")


def done(*argv, **options):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, timeout=120, **options).stdout


def wheel(name, needs, data):
    info, out = f"{name}-1.0.dist-info", io.BytesIO()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(f"Requires-Dist: {n}\n" for n in needs)
    files = {f"{name}/data.bin": data, f"{info}/METADATA": metadata, f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(out, "w") as z:
        for file, content in files.items():
            z.writestr(file, content)
    return out.getvalue()


def tarball(name, needs, data):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        for file, content in (("package/package.json", json.dumps(about(name, needs)).encode()), ("package/data.bin", data)):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            t.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def about(name, needs):
    return {"name": name, "version": "1.0.0", "dependencies": {n: "^1.0.0" for n in needs}}


# ---- behind the Python server ----

class Desk:
    """npm, git, inference and telemetry on one address, told apart by Host."""

    def __init__(self, lab, directory):
        self.repositories, chance = directory, random.Random(2)
        self.npm = {f"package{n}": ([f"package{m}" for m in needs_of(n)], some_bytes(chance)) for n in range(PACKAGES)}
        self.tarballs = {name: tarball(name, *of) for name, of in self.npm.items()}
        self.flaky = {}  # key -> how often it was asked for
        names = [NPM, GIT, INFERENCE, NEW_INFERENCE, TELEMETRY]
        host, _ = lab.place(*names, v6=False)
        handler = type("Handler", (Handler,), {"desk": self})
        self.server = lab.topology.world.run(lambda: http.server.ThreadingHTTPServer((host, 443), handler))
        self.server.socket = lab.authority.server_context(*names).wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self._repository("project.git")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _repository(self, name):
        at, work = self.repositories / name, self.repositories / "first"
        done("git", "init", "-q", "--bare", "-b", "main", at)
        done("git", "-C", at, "config", "http.receivepack", "true")
        done("git", "clone", "-q", at, work)
        for n in range(40):
            (work / f"file{n}.py").write_text("".join(f"value{i} = {random.Random(n * i).random()}\n" for i in range(400)))
        done("git", "-C", work, "add", ".")
        done("git", "-C", work, "-c", "user.name=t", "-c", "user.email=t@quiet.test", "commit", "-q", "-m", "first")
        done("git", "-C", work, "push", "-q", "origin", "HEAD:main")

    def packument(self, name):
        data = self.tarballs[name]
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
        version = {**about(name, self.npm[name][0]), "dist": {"tarball": f"https://{NPM}/{name}/-/{name}-1.0.0.tgz", "integrity": integrity,
                                                             "shasum": hashlib.sha1(data).hexdigest()}}
        return json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 300
    desk = None

    def log_message(self, *_):
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return out

    def _answer(self, body=b"", status=200, kind="application/json", fields=()):
        self.send_response(status)
        for name, value in (("Content-Type", kind), *fields, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _serve(self):
        body = self._body()
        {NPM: self._npm, GIT: self._git}.get(self.headers["Host"].split(":")[0], self._api)(body)

    do_GET = do_POST = do_PUT = _serve

    def _npm(self, _):
        name, _, file = self.path.strip("/").partition("/-/")
        if name not in self.desk.npm:
            self._answer(b"{}", 404)
        elif file:
            self._answer(self.desk.tarballs[name], kind="application/octet-stream")
        else:
            self._answer(self.desk.packument(name))

    def _git(self, body):
        path, _, query = self.path.partition("?")
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, timeout=120, check=True, env={
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.desk.repositories), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "somebody", "REMOTE_ADDR": self.client_address[0], "HOME": "/nonexistent"})
        head, _, out = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in head.decode().split("\r\n")]
        status = int(dict(fields).get("Status", "200").split()[0])
        self._answer(out, status, dict(fields)["Content-Type"], [f for f in fields if f[0] not in ("Status", "Content-Type")])

    def _api(self, body):
        if self.path.startswith("/flaky/"):  # the third time is the charm
            asked = self.desk.flaky[self.path] = self.desk.flaky.get(self.path, 0) + 1
            return self._answer(b"{}", 200 if asked > 2 else 503)
        answers = len(body) * 2 if self.path == "/v1/completions" else 20
        return self._answer(json.dumps({"text": "x" * answers}).encode())
