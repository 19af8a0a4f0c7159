"""What the registries have: each set of clients at the versions of its lock, installed once below build/clients and nowhere else. A set is whole
or not there, and then its reason is kept for those who need it."""
import concurrent.futures
import hashlib
import inspect
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LOCKS, PROGRAMS = HERE / "locks", HERE / "programs"
CACHE = HERE.parents[2] / "build" / "clients"
PYTHON = "/usr/bin/python3"  # Debian's, which has pip
GO = "/usr/lib/go/bin/go"  # Debian's, whatever else is on the PATH
JDK = next(iter(sorted(pathlib.Path("/usr/lib/jvm").glob("java-17-openjdk-*"))), pathlib.Path("/usr/lib/jvm/java-17-openjdk")) / "bin"  # Debian's, too
AZCOPY = "node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64"  # in the set "node"
PATIENCE = 600  # seconds for one step


class Unreachable(Exception):
    pass


def _complaint(text):
    """The first line that says what is wrong, without colours."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines() if line.strip()]
    return next((line for line in lines if re.search("error|could not", line, re.I)), (lines or ["no word"])[-1])[:200]


def _run(*argv, cwd, **environment):
    """Its output is kept, for the reason when it fails."""
    if not shutil.which(argv[0]):
        raise Unreachable(f"{argv[0]} is not installed")
    try:
        done = subprocess.run([str(a) for a in argv], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, **environment})
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{argv[0]} took longer than {PATIENCE} s") from None
    if done.returncode:
        raise Unreachable(f"{argv[0]}: {_complaint(done.stderr + done.stdout)}")


def _pip(at, lock, *more):
    _run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--require-hashes", "--no-deps", "--target", at / "site",
         *more, "-r", LOCKS / lock, cwd=at)


def _python(at):
    _pip(at, "python.txt", "--only-binary", ":all:")


def _gsutil(at):
    _pip(at, "gsutil.txt")


def _node(at):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name, at)
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--cache", at / "cache", cwd=at)
    shutil.rmtree(at / "cache", ignore_errors=True)
    (at / AZCOPY).chmod(0o755)  # the package's own script would do that


def _java(at):
    shutil.copy(LOCKS / "pom.xml", at)
    _run("mvn", "-q", "-B", f"-Dmaven.repo.local={at}/repository", "dependency:copy-dependencies", f"-DoutputDirectory={at}/jars", cwd=at)
    shutil.rmtree(at / "repository")
    _run(str(JDK / "javac"), "-cp", f"{at}/jars/*", "-d", at / "classes", PROGRAMS / "Fetch.java", cwd=at)


def _go(at):
    _run(GO, "build", "-o", at / "fetch", PROGRAMS / "fetch.go", cwd=at, GOFLAGS="", GO111MODULE="off", GOCACHE=str(at / "cache"), GOPATH=str(at / "path"))
    shutil.rmtree(at / "cache")


def _rust(at):
    """Cargo.lock is kept without the address of the registry, which the cargo of this machine knows."""
    for file in (LOCKS / "crates/Cargo.toml", PROGRAMS / "fetch.rs"):
        shutil.copy(file, at)
    settings = {"CARGO_TARGET_DIR": str(at / "target"), "CARGO_NET_RETRY": "1"}
    _run("cargo", "generate-lockfile", cwd=at, **settings)
    registry = re.search(r'^source = ".*"$', (at / "Cargo.lock").read_text(), re.M)[0]
    (at / "Cargo.lock").write_text((LOCKS / "crates/Cargo.lock").read_text().replace('source = "registry"', registry))
    _run("cargo", "build", "--quiet", "--locked", cwd=at, **settings)
    (at / "target/debug/fetch").rename(at / "fetch")
    shutil.rmtree(at / "target")


# Set -> how it is installed, and the files that it is made from.
SETS = {
    "python": (_python, [LOCKS / "python.txt"]),
    "gsutil": (_gsutil, [LOCKS / "gsutil.txt"]),
    "node": (_node, [LOCKS / "package.json", LOCKS / "package-lock.json"]),
    "java": (_java, [LOCKS / "pom.xml", PROGRAMS / "Fetch.java"]),
    "go": (_go, [PROGRAMS / "fetch.go"]),
    "rust": (_rust, [LOCKS / "crates/Cargo.toml", LOCKS / "crates/Cargo.lock", PROGRAMS / "fetch.rs"]),
}


def _installed(name):
    """None, or why it is not there."""
    install, files = SETS[name]
    where = CACHE / name
    wanted = hashlib.sha256(b"".join([inspect.getsource(install).encode(), *(f.read_bytes() for f in files)])).hexdigest()
    stamp = where / "made-from.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    unfinished = where.with_name(f"{name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        install(unfinished)
    except Unreachable as e:
        return str(e)
    else:
        (unfinished / stamp.name).write_text(wanted)
        shutil.rmtree(where, ignore_errors=True)
        unfinished.rename(where)
        return None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def install():
    """Set -> why it is missing, for those that are. Called before the tests enter a namespace that knows no registry."""
    with concurrent.futures.ThreadPoolExecutor(len(SETS)) as at_once:
        return {name: reason for name, reason in zip(SETS, at_once.map(_installed, SETS)) if reason}
