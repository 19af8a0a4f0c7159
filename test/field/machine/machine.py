"""A Debian with a systemd of its own, for what must be installed: systemd-nspawn boots it, without a network, from a root that debootstrap
made (kept in build/machine, since that takes a minute); what a test writes lies on top and goes with it."""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

from harness.exeat import REPOSITORY
from harness.wait import wait_until

BASES = REPOSITORY / "build/machine"
ALWAYS = ["systemd", "logrotate", "init-system-helpers"]
# In a mount namespace: the one cgroup hierarchy that systemd-nspawn wants, whatever the host has.
BOOT = """
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$NAME"
echo $$ >"/sys/fs/cgroup/$NAME/cgroup.procs"
mount -t overlay -o "lowerdir=$BASE,upperdir=$AT/upper,workdir=$AT/work" overlay "$AT/root"
exec systemd-nspawn --quiet --directory="$AT/root" --machine="$NAME" --register=no --keep-unit --private-network --console=pipe \
  --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" --boot systemd.unit=multi-user.target
"""


class CannotBoot(Exception):
    pass


def needed_by(package):
    """The packages that this one depends on, without their versions."""
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return [re.match(r"[a-z0-9.+-]+", each.strip())[0] for each in depends.split(",")]


def base_with(packages):
    """A root with these packages, made where there is none yet."""
    wanted = ",".join(sorted({*ALWAYS, *packages}))
    base = BASES / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    if base.exists():
        return base
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    if not targets:
        raise CannotBoot("apt names no mirror")
    shutil.rmtree(BASES, ignore_errors=True)
    BASES.mkdir(parents=True)
    fresh = BASES / "new"
    try:
        done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={wanted}", "bookworm", fresh, targets.split()[0]], capture_output=True, text=True,
                              timeout=300, check=False, env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"})
    except subprocess.TimeoutExpired:
        raise CannotBoot("debootstrap did not end within 300 s") from None
    if done.returncode != 0:
        raise CannotBoot(f"debootstrap has no root for it: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    fresh.rename(base)
    return base


class Machine:
    def __init__(self, package, at):
        if os.geteuid() != 0:
            raise CannotBoot("it takes root to boot a machine")
        for tool in ("systemd-nspawn", "debootstrap", "nsenter"):
            if not shutil.which(tool):
                raise CannotBoot(f"there is no {tool} here")
        base = base_with(needed_by(package))
        self.name, self.package = f"exeat-{os.getpid()}", package
        for folder in ("upper", "work", "root"):
            (at / folder).mkdir()
        self._console = at / "console"
        self._process = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "bash", "-euc", BOOT], stdin=subprocess.DEVNULL,
                                         stdout=self._console.open("wb"), stderr=subprocess.STDOUT, env={**os.environ, "NAME": self.name, "BASE": str(base), "AT": str(at)})
        try:
            self.leader = wait_until(self._leader, 60)
            wait_until(lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), 120)
        except AssertionError:
            self.close()
            raise CannotBoot(f"systemd does not boot here: {self._console.read_text(errors='replace').strip()[-300:]}") from None

    def _leader(self):
        """The first process of the machine, as we number it."""
        assert self._process.poll() is None
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return next((int(pid) for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text() == "systemd\n"), None)

    def close(self):
        with contextlib.suppress(ProcessLookupError, AttributeError):
            os.kill(self.leader, 9)  # the namespace's first process: all others end with it
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for hierarchy in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            for folder, _, _ in os.walk(f"{hierarchy}/{self.name}", topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)

    def run(self, *argv, within=120):
        """A command of the machine's own."""
        return subprocess.run(["nsenter", f"--target={self.leader}", "--all", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *map(str, argv)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False)

    def do(self, *argv):
        done = self.run(*argv)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}\n{self.journal()}"
        return done.stdout

    def journal(self):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", "exeat*").stdout[-4000:]

    def on_its_network(self, *argv):
        """What a command of ours starts with to talk to the machine's loopback."""
        return ["nsenter", f"--target={self.leader}", "--net", *map(str, argv)]

    def path(self, name):
        return pathlib.Path(f"/proc/{self.leader}/root{name}")

    def show(self, unit, name):
        return self.do("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def fetch(self, path, port=9464):
        return subprocess.run(self.on_its_network("curl", "-s", "--max-time", "60", f"http://127.0.0.1:{port}{path}"), capture_output=True, text=True, check=False).stdout

    def install(self):
        name = f"/root/{self.package.name}"
        shutil.copyfile(self.package, self.path(name))
        return self.run("dpkg", "--install", name)
