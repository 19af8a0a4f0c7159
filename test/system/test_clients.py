"""Clients that people really use."""
import asyncio
import json
import os
import shutil
import ssl
import subprocess
import urllib.parse
import urllib.request

import pytest
import requests
import websockets
from harness.client import command, curl, open_tunnel, read_exactly
from harness.exeat import free_port
from harness.wait import seconds, wait_until
from harness.web import Nginx

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "sites"
hosts = ["web.client.test", "git.client.test"]
[[allow]]
name = "sockets"
hosts = ["ws.client.test"]
[[allow]]
name = "plain"
hosts = ["web.client.test"]
protocol = "http"
[[allow]]
name = "raw"
hosts = ["raw.client.test"]
ports = [7]
protocol = "tcp"
"""


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module")
def web(lab, tmp_path_factory):
    nginx = Nginx(lab, tmp_path_factory.mktemp("nginx"), "web.client.test", "git.client.test")
    (nginx.root / "large.bin").write_bytes(os.urandom(5_000_000))
    yield nginx
    nginx.stop()


@pytest.fixture(scope="module")
def environment(lab, exeat):
    return {**os.environ, "https_proxy": exeat.url, "http_proxy": exeat.url, "SSL_CERT_FILE": lab.authority.file}


def test_curl_by_environment(lab, environment, web):
    done = command("curl", "-sS", "--cacert", lab.authority.file, "https://web.client.test/hello.txt", "http://web.client.test/hello.txt", env=environment)
    assert done.stdout == b"hello from nginx\n" * 2, done.stderr


def test_curl_shows_why_it_was_refused(lab, exeat, web):
    done = curl("--proxy", exeat.url, "http://evil.client.test/")
    assert b"not_allowed" in done.stdout and b"evil.client.test:80" in done.stdout
    done = curl("--proxy", exeat.url, "-v", "https://evil.client.test/")
    assert done.returncode == 56 and b"not_allowed" in done.stderr and b"403" in done.stderr


def test_wget(lab, environment, web):
    for scheme in ("https", "http"):
        done = command("wget", "-q", "-O", "-", "--ca-certificate", lab.authority.file, f"{scheme}://web.client.test/large.bin", env=environment)
        assert done.stdout == (web.root / "large.bin").read_bytes(), done.stderr
    assert command("wget", "-O", "-", "https://evil.client.test/", "--tries=1", env=environment).returncode != 0


def test_git_clone_over_https(lab, environment, web, tmp_path):
    settings = {**environment, "GIT_SSL_CAINFO": lab.authority.file, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "HOME": str(tmp_path)}
    origin, served = tmp_path / "origin", web.root / "project.git"

    def git(*argv):
        done = command("git", "-c", "user.name=t", "-c", "user.email=t@test", *argv, env=settings)
        assert done.returncode == 0, done.stderr

    git("init", "-q", str(origin))
    (origin / "file").write_text("content of the repository\n")
    git("-C", str(origin), "add", "file")
    git("-C", str(origin), "commit", "-q", "-m", "first")
    git("clone", "-q", "--bare", str(origin), str(served))
    git("-C", str(served), "update-server-info")
    git("clone", "-q", "https://git.client.test/project.git", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "file").read_text() == "content of the repository\n"


def test_python_requests(lab, exeat, web):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": exeat.url, "http": exeat.url}
        session.verify = lab.authority.file
        assert session.get("https://web.client.test/hello.txt", timeout=20).text == "hello from nginx\n"
        assert session.get("http://web.client.test/hello.txt", timeout=20).text == "hello from nginx\n"
        assert session.get("http://web.client.test/nothing", timeout=20).status_code == 404
        refused = session.get("http://evil.client.test/", timeout=20)
        assert (refused.status_code, refused.headers["X-Exeat-Reason"]) == (403, "not_allowed")
        with pytest.raises(requests.exceptions.ProxyError):
            session.get("https://evil.client.test/", timeout=20)


def test_python_urllib(lab, exeat, web):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": exeat.url}),
                                         urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=lab.authority.file)))
    assert opener.open("https://web.client.test/hello.txt", timeout=20).read() == b"hello from nginx\n"


def test_openssl_s_client(lab, exeat, web):
    done = subprocess.run(["openssl", "s_client", "-proxy", exeat.url[7:], "-connect", "web.client.test:443", "-servername", "web.client.test", "-CAfile", lab.authority.file,
                           "-verify_return_error", "-quiet", "-ign_eof"], input=b"GET /hello.txt HTTP/1.0\r\nHost: web.client.test\r\n\r\n", capture_output=True, timeout=seconds(20),
                          check=False)
    assert b"hello from nginx" in done.stdout, done.stderr
    done = subprocess.run(["openssl", "s_client", "-proxy", exeat.url[7:], "-connect", "web.client.test:443", "-noservername"], input=b"", capture_output=True, timeout=seconds(20),
                          check=False)
    assert done.returncode != 0 and b"unrecognized name" in done.stderr + done.stdout


# undici's own ProxyAgent of this version writes the proxy's address into the Host field of CONNECT, which exeat does not believe.
NODE = """
const { fetch, ProxyAgent } = require('/usr/share/nodejs/undici');
const fs = require('fs');
const [proxy, ca, ...urls] = process.argv.slice(2);
const dispatcher = new ProxyAgent({ uri: proxy, requestTls: { ca: fs.readFileSync(ca) } });
(async () => {
  for (const url of urls) {
    try { const r = await fetch(url, { dispatcher }); console.log(r.status, (await r.text()).trim()); }
    catch (e) { console.log('refused'); } // it does not say why
  }
  process.exit(0);
})();
"""


def test_node_fetch_through_connect(lab, exeat, web, tmp_path):
    script = tmp_path / "fetch.js"
    script.write_text(NODE)
    done = command("node", script, exeat.url, lab.authority.file, "https://web.client.test/hello.txt", "https://evil.client.test/",
                   env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    assert done.stdout.decode().splitlines() == ["200 hello from nginx", "refused"], done.stderr


def test_a_websocket_over_connect(lab, exeat):
    host, _ = lab.place("ws.client.test", v6=False)
    context = lab.authority.server_context("ws.client.test")
    listening = lab.topology.world.socket(2)
    listening.bind((host, 443))
    listening.listen()

    async def answer(socket, path=None):
        async for message in socket:
            await socket.send(message[::-1])

    async def talk():
        async with websockets.serve(answer, sock=listening, ssl=context):
            tunnel = open_tunnel(exeat, "ws.client.test:443")
            tunnel.setblocking(False)
            async with websockets.connect("wss://ws.client.test/", sock=tunnel, ssl=lab.authority.client_context(), server_hostname="ws.client.test") as socket:
                for message in ("hello", b"\0\1\2" * 100_000):
                    await socket.send(message)
                    assert await socket.recv() == message[::-1]

    asyncio.run(asyncio.wait_for(talk(), seconds(30)))


@pytest.fixture
def prometheus(exeat, tmp_path):
    config, port = tmp_path / "prometheus.yml", free_port()
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"},
                                  "scrape_configs": [{"job_name": "exeat", "static_configs": [{"targets": [f"127.0.0.1:{exeat.admin_port}"]}]}]}))
    log = open(tmp_path / "prometheus.log", "wb")
    process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}"],
                               stdout=log, stderr=log)

    def query(expression):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
                return [(r["metric"], float(r["value"][1])) for r in json.load(answer)["data"]["result"]]
        except OSError:
            assert process.poll() is None, (tmp_path / "prometheus.log").read_text()
            return []

    yield query
    process.terminate()
    process.wait(seconds(60))
    log.close()
    shutil.rmtree(tmp_path / "data", ignore_errors=True)


def test_a_real_prometheus_scrapes_and_answers_with_the_right_bytes(lab, exeat, prometheus):
    host, _ = lab.place("raw.client.test", v6=False)
    lab.origin(host, 7)
    wait_until(lambda: prometheus('up{job="exeat"} == 1'), 60, "prometheus scrapes exeat")
    wait_until(lambda: prometheus('exeat_bytes_total{entry="raw"} == 0'), what="series exist at 0 before the first byte")
    with open_tunnel(exeat, "raw.client.test:7") as s:
        s.sendall(bytes(123_457))
        assert len(read_exactly(s, 123_457)) == 123_457
        for direction in ("upload", "download"):
            wait_until(lambda: [v for _, v in prometheus(f'exeat_bytes_total{{entry="raw",direction="{direction}"}}')] == [123_457.0])  # noqa: B023
        s.sendall(b"ping")
        assert read_exactly(s, 4) == b"ping", "while the tunnel is still open"
    wait_until(lambda: prometheus("sum(scrape_samples_scraped) > 100"))
    wait_until(lambda: prometheus('exeat_policy_info{serial="7",mode="enforce"} == 1'))
