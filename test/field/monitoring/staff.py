"""The people of the quiet hour: each has a pod with an address of its own and a trade, and does what is usual in it with the usual clients, with
pauses between. What a client says went wrong is kept by its words."""
import collections
import json
import os
import random
import shutil
import threading
import time

import requests
import shops

PYTHON = "/usr/bin/python3"  # Debian's, which has pip
VENDOR = "https://stats.vendor.test/ping"  # a tool of theirs phones home, and is refused
TOOLS = {"pip": PYTHON, "apt": "apt-get", "git": "git", "npm": "npm", "curl": "curl"}

# Trade -> what is done in it, how often in proportion.
TRADES = {
    "trainer": {"telemetry": 8, "downloads": 3, "downloads_slowly": 0.5, "resumes": 1, "ranges": 1, "installs_wheels": 1, "artifact": 0.2},
    "evaluator": {"inference": 8, "inference_by_curl": 1, "telemetry": 2, "downloads": 1, "installs_wheels": 1},
    "developer": {"inference": 3, "pulls_and_pushes": 4, "clones": 1, "installs_npm": 1.5, "installs_wheels": 1, "retries": 1, "phones_home": 0.7},
    "builder": {"updates_apt": 2, "resolves": 0.5, "installs_wheels": 2, "clones": 2, "installs_npm": 1.5, "phones_home": 0.3},
}
ONLY_TODAY = {"evaluator": "new_inference", "trainer": "new_models"}  # hosts that the client meets for the first time


def missing():
    """Tool -> why what needs it is left out."""
    return {tool: f"{program} is not installed" for tool, program in TOOLS.items() if shutil.which(program) is None}


# What is left out without its tool.
NEEDS = {"installs_wheels": "pip", "updates_apt": "apt", "clones": "git", "pulls_and_pushes": "git", "installs_npm": "npm", "downloads": "curl"}


class Record:
    """What was done, and what went wrong, over all people."""

    def __init__(self):
        self.well, self.broken, self._lock = collections.Counter(), collections.Counter(), threading.Lock()

    def count(self, what):
        with self._lock:
            self.well[what] += 1

    def breaks(self, what, error):
        with self._lock:
            self.broken[what, f"{type(error).__name__}: {error}"[:400]] += 1


class Person:
    def __init__(self, lab, number, trade, proxy_port, directory, record):
        self.trade, self.record, self.authority = trade, record, lab.authority.file
        self.chance = random.Random(number)
        self.pod = lab.topology.new_pod(f"s{number}", f"10.50.{number}", f"fd00:50:{number}:")
        self.proxy = f"http://10.50.{number}.1:{proxy_port}"
        self.home = directory / trade
        self.home.mkdir()
        absent = missing()
        self.work = {what: weight for what, weight in TRADES[trade].items() if NEEDS.get(what) not in absent}
        self._times = 0
        self._collector = self._session()  # one connection for all telemetry, as libraries keep it

    # ---- life ----

    def each_once(self):
        every = list(self.work)
        self.chance.shuffle(every)
        for what in every:
            self.do(what)

    def day(self, over, pause):
        """All once, then by proportion until `over` is set; the pauses between are `pause` seconds in the mean."""
        if self.trade in ONLY_TODAY:
            self.work = {**self.work, ONLY_TODAY[self.trade]: 1}
        self.each_once()
        while not over.wait(self.chance.expovariate(1 / pause)):
            self.do(self.chance.choices(list(self.work), list(self.work.values()))[0])

    def do(self, what):
        try:
            getattr(self, what)()
            self.record.count(what)
        except Exception as e:  # whatever a client may say
            self.record.breaks(what, e)

    def leave(self):
        self._collector.close()

    def steals(self):
        """To prove that all this was looked at: more than 8 MiB to a host that is new to a client which is not."""
        with self._session() as session:
            self._post(session, f"https://{shops.NEW_INFERENCE}/v1/files", 9 << 20)

    # ---- the tools ----

    def run(self, *argv, fails=(), env=None, cwd=None):
        """The exit code 0, or one of `fails`. Nothing of this machine's settings reaches the client."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "https_proxy": self.proxy, "http_proxy": self.proxy,
                       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_SSL_CAINFO": self.authority, "GIT_TERMINAL_PROMPT": "0", **(env or {})}
        done = self.pod.command(*map(str, argv), env=environment, check=False, timeout=180, cwd=str(cwd or self.home))
        assert done.returncode in (0, *fails), f"{' '.join(map(str, argv))[:150]}: {(done.stderr or done.stdout)[-250:]}"
        return done

    def curl(self, *argv, **more):
        return self.run("curl", "-sS", "--fail", "--cacert", self.authority, "--max-time", "120", *argv, **more)

    def fresh(self, kind):
        self._times += 1
        at = self.home / f"{kind}{self._times}"
        at.mkdir()
        return at

    def some_packages(self):
        return [f"package{n}" for n in self.chance.sample(range(shops.PACKAGES), self.chance.randint(1, 4))]

    def _session(self):
        session = requests.Session()
        session.trust_env = False
        session.proxies, session.verify = {"https": self.proxy}, self.authority
        return session

    def _post(self, session, url, size, method="POST"):
        body = json.dumps({"prompt": "x" * size})
        answer = self.pod.run(lambda: session.request(method, url, data=body, timeout=60))
        assert answer.status_code == 200, answer.status_code

    # ---- what is done ----

    def installs_wheels(self):
        at = self.fresh("wheels")
        self.run(PYTHON, "-m", "pip", "--isolated", "install", "-q", "--no-cache-dir", "--index-url", f"https://{shops.INDEX}/simple", "--cert", self.authority,
                 "--proxy", self.proxy, "--target", at / "site", *self.some_packages())
        shutil.rmtree(at)

    def resolves(self):
        """One page of the index after the other, a tunnel and a long token for each: much is uploaded, and all of it is what pulling costs."""
        pages = [part for n in range(40) for part in ("-o", "/dev/null", f"https://{shops.INDEX}/simple/package{n % shops.PACKAGES}/")]
        self.curl("-H", "Authorization: Bearer " + "x" * 4_000, "-H", "Connection: close", *pages)

    def updates_apt(self):
        """All state of its own: nothing of this machine is read or changed."""
        at = self.fresh("apt")
        for each in ("state/lists/partial", "cache/archives/partial", "etc"):
            (at / each).mkdir(parents=True)
        (at / "status").touch()
        (at / "sources.list").write_text(f"deb [trusted=yes] http://{shops.DEBIAN}/debian ./\n")
        (at / "apt.conf").write_text(f'Dir::State "{at}/state"; Dir::State::status "{at}/status"; Dir::Cache "{at}/cache"; Dir::Etc::sourcelist "{at}/sources.list"; '
                                     f'Dir::Etc::sourceparts "-"; Dir::Etc::parts "{at}/etc"; Dir::Etc::main "-"; APT::Sandbox::User "root"; Dir::Log "{at}";'
                                     f'Acquire::http::Proxy "{self.proxy}"; Acquire::Languages "none";')
        for argv in (["update"], ["install", "-y", "--download-only", *self.some_packages()]):
            self.run("apt-get", "-q", *argv, env={"APT_CONFIG": str(at / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"})
        assert list((at / "cache/archives").glob("*.deb"))
        shutil.rmtree(at)

    def installs_npm(self):
        at = self.fresh("npm")
        self.run("npm", "install", "--silent", "--registry", f"https://{shops.NPM}/", "--cafile", self.authority, "--https-proxy", self.proxy, "--cache", at / "cache",
                 "--prefix", at, *self.some_packages(), cwd=at)
        assert list((at / "node_modules").glob("package*"))
        shutil.rmtree(at)

    def clones(self):
        at = self.fresh("clone")
        self.run("git", "clone", "-q", f"https://{shops.GIT}/project.git", at / "project")
        shutil.rmtree(at)

    def pulls_and_pushes(self):
        """Small commits, on a branch of its own."""
        work = self.home / "work"
        if not work.exists():
            self.run("git", "clone", "-q", f"https://{shops.GIT}/project.git", work)
        self.run("git", "-C", work, "fetch", "-q", "origin")
        for _ in range(self.chance.randint(1, 3)):
            file = work / f"file{self.chance.randrange(40)}.py"
            file.write_text(file.read_text() + f"value = {self.chance.random()}\n" * self.chance.randint(1, 30))
            self.run("git", "-C", work, "-c", "user.name=t", "-c", "user.email=t@quiet.test", "commit", "-q", "-a", "-m", "change")
        self.run("git", "-C", work, "push", "-q", "origin", f"HEAD:{self.trade}")

    def downloads(self):
        """Some files of a model at once."""
        host = self.chance.choice(shops.MODELS)
        files = self.chance.choices(list(shops.SIZES), k=self.chance.randint(1, 4))
        self.curl("--parallel", *[part for file in files for part in ("-o", "/dev/null", f"https://{host}/{file}")])

    def downloads_slowly(self):
        self.curl("-o", "/dev/null", "--limit-rate", "300k", f"https://{shops.FILES}/small.bin")

    def new_models(self):
        self.curl("-o", "/dev/null", f"https://{shops.NEW_MODELS}/{self.chance.choice(list(shops.SIZES))}")

    def ranges(self):
        first = self.chance.randrange(shops.SIZES["middle.bin"] // 2)
        self.curl("-o", "/dev/null", "-r", f"{first}-{first + 999_999}", f"https://{shops.FILES}/middle.bin")

    def resumes(self):
        """The line breaks, and curl goes on where it was."""
        part = self.fresh("part") / "middle.bin"
        self.curl("-o", part, "-r", f"0-{shops.SIZES['middle.bin'] // 3}", f"https://{shops.FILES}/middle.bin")
        self.curl("-o", part, "-C", "-", f"https://{shops.FILES}/middle.bin")
        assert part.stat().st_size == shops.SIZES["middle.bin"]
        shutil.rmtree(part.parent)

    def retries(self):
        self.curl("-o", "/dev/null", "--retry", "4", "--retry-delay", "1", f"https://{shops.INFERENCE}/flaky/{self.trade}-{time.monotonic_ns()}")

    def inference(self, host=shops.INFERENCE):
        with self._session() as session:
            for _ in range(self.chance.randint(2, 8)):
                self._post(session, f"https://{host}/v1/completions", int(min(100e3, self.chance.lognormvariate(8.7, 1))))

    def new_inference(self):
        self.inference(shops.NEW_INFERENCE)

    def inference_by_curl(self):
        """A connection for each call."""
        for _ in range(self.chance.randint(1, 5)):
            self.curl("-o", "/dev/null", "-d", "x" * int(min(100e3, self.chance.lognormvariate(8.7, 1))), f"https://{shops.INFERENCE}/v1/completions")

    def telemetry(self):
        self._post(self._collector, f"https://{shops.TELEMETRY}/log", int(min(50e3, self.chance.lognormvariate(8, 0.6))))

    def artifact(self):
        self._post(self._collector, f"https://{shops.TELEMETRY}/artifacts", self.chance.randrange(2_000_000, 6_000_000), "PUT")

    def phones_home(self):
        done = self.curl(VENDOR, fails=(22, 56))
        assert done.returncode != 0 and "403" in done.stderr, "it was let out"
