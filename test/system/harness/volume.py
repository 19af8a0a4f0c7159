"""Small volumes, to be filled."""
import contextlib
import subprocess


@contextlib.contextmanager
def small_volume(at, size):
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def fill(volume, leave=0):
    """All of it but so many bytes; returns what takes the room."""
    ballast = volume / "ballast"
    with contextlib.suppress(OSError), open(ballast, "ab", buffering=0) as f:
        while f.write(bytes(4096)):
            pass
    with open(ballast, "r+b") as f:
        f.truncate(ballast.stat().st_size - leave)
    return ballast
