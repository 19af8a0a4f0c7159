"""nginx in the world: an HTTP/2 origin that is not ours."""
import subprocess

from .wait import wait_until

_CONFIG = """
daemon off; master_process off; worker_processes 1; pid {at}/pid; error_log {at}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log {at}/access.log; types {{ text/plain txt; text/html html; }} default_type application/octet-stream;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  server {{
    listen {host4}:443 ssl http2; listen [{host6}]:443 ssl http2; listen {host4}:80; listen [{host6}]:80;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    root {at}/www;
  }}
}}
"""


class Nginx:
    def __init__(self, lab, directory, *names):
        self.directory, self.root = directory, directory / "www"
        self.host4, self.host6 = lab.place(*names)
        self.root.mkdir(parents=True)
        (self.root / "hello.txt").write_text("hello from nginx\n")
        certificate, key = lab.authority.issue(*names)
        config = directory / "nginx.conf"
        config.write_text(_CONFIG.format(at=directory, host4=self.host4, host6=self.host6, certificate=certificate, key=key))
        self._process = lab.topology.world.start("nginx", "-p", str(directory), "-c", str(config), stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL)
        wait_until(lambda: self._listens(lab), 60, "nginx listens")

    def _listens(self, lab):
        assert self._process.poll() is None, (self.directory / "error.log").read_text()
        try:
            lab.topology.world.connect(self.host4, 443, 1).close()
            return True
        except OSError:
            return False

    def accesses(self):
        return (self.directory / "access.log").read_text().splitlines()

    def stop(self):
        self._process.terminate()
        self._process.wait(60)
