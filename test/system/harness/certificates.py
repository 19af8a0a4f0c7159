"""A certificate authority of the tests, by the openssl command."""
import ssl
import subprocess


def _openssl(*argv):
    done = subprocess.run(["openssl", *argv], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"openssl {' '.join(argv)}: {done.stderr}"


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.file = str(directory / "ca.pem")
        _openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=exeat system tests", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign", "-keyout", str(directory / "ca.key"), "-out", self.file)
        self._count = 0

    def issue(self, *names):
        """Paths of a certificate for these names and of its key."""
        self._count += 1
        base = self.directory / f"leaf{self._count}"
        key, request, leaf, extensions = (f"{base}.{end}" for end in ("key", "csr", "pem", "ext"))
        with open(extensions, "w", encoding="ascii") as f:
            f.write("subjectAltName=" + ",".join(f"DNS:{n}" for n in names))
        _openssl("req", *_KEY, "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", str(self.directory / "ca.key"), "-CAcreateserial",
                 "-days", "2", "-extfile", extensions, "-out", leaf)
        return leaf, key

    def server_context(self, *names, alpn=("http/1.1",)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(*names))
        context.set_alpn_protocols(list(alpn))
        return context

    def client_context(self, alpn=("http/1.1",)):
        context = ssl.create_default_context(cafile=self.file)
        context.set_alpn_protocols(list(alpn))
        return context
