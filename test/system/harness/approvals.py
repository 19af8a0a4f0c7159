"""Keys, lists and manifests, as `exeat keygen` and `exeat sign` make them."""
from .exeat import run

LAB = """
[groups.lab]
sources = ["127.0.0.1"]
"""


def allowlist(serial, *letters, expires="2099-01-01T00:00:00Z", more=""):
    entries = "".join(f'[[allow]]\nname = "{c}"\nhosts = ["{c}.approved.test"]\nports = [7]\nprotocol = "tcp"\n{more}' for c in letters)
    return f"serial = {serial}\n" + (f"expires = {expires}\n" if expires else "") + LAB + entries


def ok(*argv, **options):
    done = run(*argv, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_keys(at, *names):
    for name in names:
        ok("keygen", at / name)
    return at


def sign(path, keys, *who, audience="production"):
    for name in who:
        ok("sign", "--key", keys / f"{name}.key", "--audience", audience, path)


def manifest(path):
    return path.with_name(path.name + ".manifest")
