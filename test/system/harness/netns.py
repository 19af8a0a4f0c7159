"""Network namespaces as values. A socket belongs to the namespace of the thread that made it, for good: so origins can live in another
namespace than the test that asks them what they saw. A namespace dies with its last socket and descriptor; nothing is left behind."""
import ctypes
import os
import socket
import subprocess
import threading

_libc = ctypes.CDLL(None, use_errno=True)
_NEW_NET = 0x40000000


def _checked(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error) + " (the system tests need root)")


def enter_new():
    """Moves the calling thread, and all that it starts from now on, into a new and empty namespace."""
    _checked(_libc.unshare(_NEW_NET))


def _in_thread(work):
    outcome = []

    def run():
        try:
            outcome.append((work(), None))
        except BaseException as e:  # handed to the caller below
            outcome.append((None, e))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _own_descriptor():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


class Namespace:
    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.path = f"/proc/{os.getpid()}/fd/{descriptor}"

    @classmethod
    def current(cls):
        return cls(_own_descriptor())

    @classmethod
    def new(cls):
        def make():
            enter_new()
            return _own_descriptor()

        namespace = cls(_in_thread(make))
        namespace.ip("link set lo up")
        return namespace

    def run(self, work):
        """Calls `work` in a thread of this namespace."""

        def inside():
            _checked(_libc.setns(self.descriptor, _NEW_NET))
            return work()

        return _in_thread(inside)

    def socket(self, family, kind=socket.SOCK_STREAM):
        return self.run(lambda: socket.socket(family, kind))

    def command(self, *argv, **options):
        options = {"check": True, "capture_output": True, "text": True, "timeout": 60, **options}
        try:
            return self.run(lambda: subprocess.run(argv, **options))
        except subprocess.CalledProcessError as e:
            raise AssertionError(f"{' '.join(argv)}: {e.stderr}") from e

    def start(self, *argv, **options):
        return self.run(lambda: subprocess.Popen(argv, **options))

    def ip(self, *lines):
        for line in lines:
            self.command("ip", *line.split())

    def nft(self, rules):
        return self.command("nft", "-f", "-", input=rules)

    def sysctl(self, name, value):
        path = "/proc/sys/net/" + name

        def write():
            with open(path, "w", encoding="ascii") as f:
                f.write(str(value))

        self.run(write)

    def connect(self, host, port, timeout):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        s = self.socket(family)
        s.settimeout(timeout)
        try:
            s.connect((host, port))
        except BaseException:
            s.close()
            raise
        return s
