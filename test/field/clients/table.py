"""The clients, each with its ways in and what its error shows of a refusal. test_matrix.py asserts every cell, and that test/README.md holds them."""
import json
import re
from dataclasses import dataclass

import registries

NODE, PYTHON, JAVA, GO = "node", "python", "java", "go"  # sets of the registries
REASON, STATUS, NOTHING = "the reason", "the status", "nothing"  # what an error shows of a refusal
SHOWS = {REASON: r"not_allowed", STATUS: r"403|Forbidden", NOTHING: r""}
ABSOLUTE, TUNNEL = "absolute", "CONNECT :80"  # how http:// is asked for


@dataclass
class Client:
    name: str
    argv: object  # def argv(place, url) -> command line
    https: str = STATUS  # what its error shows of a refused CONNECT; None: it has no such way, or it is not tried
    http: str = REASON  # the same of a refused http://
    form: str = ABSOLUTE
    needs: tuple = ()
    environment: tuple = ()
    page: str = "this is {}"  # what it prints of an allowed host
    version: str = "Debian 12"

    @property
    def slug(self):
        return re.sub("[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def ways(self):
        return [way for way in ("https", "http") if getattr(self, way)]

    def first_line(self, way, host):
        """What stands on the wire when it asks for the host this way."""
        if way == "https" or self.form == TUNNEL:
            return f"CONNECT {host}:{443 if way == 'https' else 80}"
        return f" http://{host}/"


def locked():
    """Package -> version, by all locks."""
    packages = json.loads((registries.LOCKS / "package.json").read_text())["dependencies"]
    found = {name: version.rpartition("@")[2] for name, version in packages.items()}
    for lock, pattern in (("python.txt", r"^(\S+)==(\S+)"), ("gsutil.txt", r"^(gsutil)==(\S+)"), ("pom.xml", r"<artifactId>(\w+)</artifactId><version>([\d.]+)"),
                          ("crates/Cargo.toml", r'^(\S+) = .*version = "=([\d.]+)"')):
        found.update(re.findall(pattern, (registries.LOCKS / lock).read_text(), re.M))
    return found


LOCKED = locked()


def program(*argv):
    return lambda place, url: [*argv, url]


def node(name, version, how, package=None, **more):
    argv = [registries.CACHE / f"node/node_modules/node{version}/bin/node", registries.PROGRAMS / "fetch.js", how]
    return Client(name, program(*argv), needs=(NODE,), version=LOCKED.get(package or how, LOCKED[f"node{version}"]), **more)


def python(name, how=None, package=None, **more):
    return Client(name, program(registries.PYTHON, registries.PROGRAMS / "fetch.py", how or name), needs=(PYTHON,), version=LOCKED.get(package or name, "Debian 12"), **more)


def java(name, how, **more):
    def argv(place, url):
        return [registries.JDK / "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", *place.java_properties(), "-cp",
                f"{registries.CACHE}/java/classes:{registries.CACHE}/java/jars/*", "Fetch", how, url]
    return Client(name, argv, needs=(JAVA,), version=LOCKED.get(how, "OpenJDK 17"), **more)


def rust(name, how, **more):
    return Client(name, program(registries.CACHE / "rust/fetch", how), needs=("rust",), version=LOCKED[how], **more)


def debian(name, *argv, **more):
    return Client(name, program(*argv), needs=(argv[0],), **more)


# ---- those whose command line takes more than a URL ----

def host_of(url):
    return url.split("/")[2]


def wget(place, url):
    return ["wget", "-nv", "-O", "-", "--content-on-error", "--tries=1", "--timeout=40", f"--ca-certificate={place.authority}", url]


def proxytunnel(place, url):
    """It relays its input, which must stay open until the answer is there."""
    host, secure, pipe = host_of(url), url.startswith("https:"), place.fresh("proxytunnel") / "in"
    tls = f"-e -C {place.authority}" if secure else ""
    request = rf"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return ["sh", "-ec", f"mkfifo {pipe}; exec 3<>{pipe}; printf '{request}' >&3; exec proxytunnel -v -p {place.proxy[7:]} -d {host}:{443 if secure else 80} {tls} <&3"]


def git(place, url):
    return ["git", "ls-remote", f"{url}project.git"]


def apt(place, url):
    """All state of its own: nothing of this machine is read or changed."""
    at = place.fresh("apt")
    for each in ("state/lists/partial", "cache/archives/partial", "etc"):
        (at / each).mkdir(parents=True)
    (at / "status").touch()
    (at / "sources.list").write_text(f"deb [trusted=yes] {url}debian ./\n")
    (at / "apt.conf").write_text(f'Dir::State "{at}/state"; Dir::State::status "{at}/status"; Dir::Cache "{at}/cache"; Dir::Etc::sourcelist "{at}/sources.list"; '
                                 f'Dir::Etc::sourceparts "-"; Dir::Etc::parts "{at}/etc"; Dir::Etc::main "-"; APT::Sandbox::User "root"; Dir::Log "{at}"; '
                                 f'Acquire::http::Proxy "{place.proxy}"; Acquire::https::Proxy "{place.proxy}"; Acquire::https::CaInfo "{place.authority}"; '
                                 'Acquire::Languages "none"; Acquire::Retries "0"; APT::Update::Error-Mode "any";')
    return ["env", f"APT_CONFIG={at}/apt.conf", "sh", "-ec", "apt-get -q update && apt-cache show page"]


def skopeo(place, url):
    return ["skopeo", "inspect", "--raw", f"docker://{host_of(url)}/image:tag"]


def azcopy(place, url):
    """It tries a refused host again for many minutes. What it would say in the end stands in its log at once."""
    at = place.fresh("azcopy")
    copy = f"{registries.CACHE}/node/{registries.AZCOPY} copy '{url}container/blob?sv=2024-01-01&sig=x' {at}/blob --from-to BlobLocal --skip-version-check"
    return ["env", f"AZCOPY_LOG_LOCATION={at}", f"AZCOPY_JOB_PLAN_LOCATION={at}", "AZCOPY_DISABLE_SYSLOG=true", "sh", "-c",
            f"{copy} & while kill -0 $! 2>/dev/null && ! grep -qs Forbidden {at}/*.log; do sleep 0.1; done; kill -9 $! 2>/dev/null; wait $!; cat {at}/blob || {{ cat {at}/*.log; exit 1; }}"]


def gsutil(place, url):
    at = place.fresh("gsutil")
    (at / "boto").write_text(f"[Credentials]\ngs_json_host = {host_of(url)}\ngs_json_port = 443\n[Boto]\nca_certificates_file = {place.authority}\nnum_retries = 0\n"
                             f"[GSUtil]\nstate_dir = {at}\nprefer_api = json\nsoftware_update_check_period = 0\n")
    return ["env", f"BOTO_CONFIG={at}/boto", f"PYTHONPATH={registries.CACHE}/gsutil/site", registries.PYTHON, "-c", "import sys; from gslib.__main__ import main; sys.exit(main())",
            "cat", "gs://bucket/object"]


ENV_PROXY = (("NODE_USE_ENV_PROXY", "1"),)
CURL = ("curl", "-sS", "--fail-with-body", "--max-time", "40")

CLIENTS = [
    debian("curl", *CURL),
    debian("curl -p", *CURL, "-p", http=STATUS, form=TUNNEL),
    debian("curl --http2", *CURL, "--http2"),
    Client("wget", wget, needs=("wget",)),
    Client("proxytunnel", proxytunnel, https=REASON, form=TUNNEL, needs=("proxytunnel",)),
    Client("git", git, needs=("git",), page="refs/heads/this-is-{}"),
    Client("apt", apt, https=REASON, http=STATUS, needs=("apt-get",)),
    Client("skopeo", skopeo, http=None, needs=("skopeo",)),
    Client("azcopy", azcopy, needs=(NODE,), version=LOCKED["@azure-tools/azcopy-linux"]),
    Client("gsutil", gsutil, http=None, needs=("gsutil",), version=LOCKED["gsutil"]),
    Client("Go net/http", program(registries.CACHE / "go/fetch"), needs=(GO,)),
    rust("Rust ureq 2", "ureq2", https=NOTHING),
    rust("Rust ureq 3", "ureq3", http=STATUS, form=TUNNEL),
    python("Python urllib", "urllib"),
    python("urllib3"),
    python("requests"),
    python("httpx"),
    python("aiohttp"),
    python("httplib2", http=STATUS, form=TUNNEL),
    python("boto3", http=STATUS),
    python("azure-storage-blob", "azure"),
    python("google-cloud-storage", "google"),
    python("rattler (conda)", "rattler", "py-rattler", https=NOTHING, http=STATUS, page="{}"),
    node("undici 5", 20, "undici5", http=STATUS, form=TUNNEL),
    node("undici 6", 20, "undici6", http=STATUS, form=TUNNEL),
    node("undici 7", 22, "undici7", http=STATUS, form=TUNNEL),
    node("Node 22 fetch", 22, "fetch", http=STATUS, form=TUNNEL, environment=ENV_PROXY),
    node("Node 24 fetch", 24, "fetch", http=STATUS, form=TUNNEL, environment=ENV_PROXY),
    node("Node 22 http", 22, "http", environment=ENV_PROXY),
    node("Node 24 http", 24, "http", environment=ENV_PROXY),
    node("hpagent", 22, "hpagent", http=STATUS, form=TUNNEL),
    node("https-proxy-agent", 22, "https-proxy-agent", https=REASON, form=TUNNEL),
    node("http-proxy-agent", 22, "http-proxy-agent", https=None),
    node("@actions/http-client", 22, "actions", "@actions/http-client", http=STATUS, form=TUNNEL),
    node("axios", 22, "axios", https=REASON),
    java("Apache HttpClient 5", "httpclient5", https=REASON),
    java("OkHttp 4", "okhttp"),
    java("java.net.http", "jdk"),
    java("HttpURLConnection", "urlconnection"),
]

# The same table for WebSockets: `http` is ws://, which exeat refuses whatever the host is.
SOCKETS = [
    node("ws", 22, "ws", http=REASON),
    python("websockets", http=STATUS),
    java("java.net.http WebSocket", "websocket", http=STATUS),
]


def markdown(cell=lambda client, way, text: text):
    """The table as test/README.md has it; `cell` may say something else of a client's way."""
    rows = [["client", "version", "`https://`", "`http://`", "refused `https://` shows at least", "refused `http://` shows at least"], ["-"] * 6]
    for c in CLIENTS:
        goes = [cell(c, way, text) if getattr(c, way) else "not tried" for way, text in (("https", "CONNECT"), ("http", c.form))]
        rows.append([c.name, c.version, *goes, c.https or "", c.http or ""])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)
