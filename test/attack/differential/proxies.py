"""HAProxy, nginx and Squid, each in front of a recorder of its own, as reverse proxies that take absolute targets as well."""
import shutil
import socket
import subprocess

from harness.wait import wait_until
from recorder import Recorder

_HAPROXY = """
defaults
  mode http
  http-reuse never
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{origin}
"""
_NGINX = """
daemon off; master_process off; worker_processes 1; pid {at}/pid; error_log {at}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_header_timeout 30s; client_body_timeout 30s;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1; proxy_request_buffering off; proxy_set_header Host $host;
    }}
  }}
}}
"""
_SQUID = """
http_port 127.0.0.1:{port}{mode}
cache_peer 127.0.0.1 parent {origin} 0 no-query originserver no-digest no-netdb-exchange name=origin
never_direct allow all
http_access allow all
cache deny all
cache_mem 0
access_log none
cache_log /dev/null
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
request_timeout 30 seconds
server_persistent_connections off
visible_hostname squid.test
dns_nameservers 127.0.0.1
"""


class Daemon:
    """Takes connections on `port`; what it forwards is in `recorder`."""

    def __init__(self, name, directory, port, mode=""):
        self.name, self.port, self.recorder = name, port, Recorder(port + 100)
        directory.mkdir()
        config = directory / "config"
        text, command = {
            "haproxy": (_HAPROXY, ["haproxy", "-db", "-f", str(config)]),
            "nginx": (_NGINX, ["nginx", "-p", str(directory), "-c", str(config)]),
            "squid": (_SQUID, ["squid", "-N", "-f", str(config)]),
        }[name]
        assert shutil.which(command[0]), f"{name} is not installed; test/attack/differential/packages.txt names its package"
        config.write_text(text.format(at=directory, port=port, origin=self.recorder.port, mode=mode))
        self._log = open(directory / "log", "wb")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        wait_until(lambda: self._listens(directory), 60, f"{name} listens")

    def _listens(self, directory):
        assert self._process.poll() is None, f"{self.name}: " + (directory / "log").read_text(errors="replace")
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._log.close()
        self.recorder.close()
