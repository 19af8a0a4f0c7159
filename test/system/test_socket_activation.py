"""Sockets that systemd holds: used when they are what exeat.toml says, a clear error and no start when they are not."""
import contextlib
import os
import signal
import socket
import subprocess

import pytest
from harness.client import ask_once, connect_reply, gone, http_request, open_tunnel, read_exactly
from harness.exeat import BINARY, free_port
from harness.systemd import Sockets, listening
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1", "::1"]
[[allow]]
name = "raw"
hosts = ["echo.held.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["plain.held.test"]
protocol = "http"
"""


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.held.test", "plain.held.test", v6=False)
    return lab.origin(host, 7), lab.http_origin(host)


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def held(port):
    """The two sockets of the harness's listeners."""
    made = Sockets(("proxy", listening("127.0.0.1", port)), ("proxy", listening("::1", port)))
    yield made
    made.close()


def works(exeat, host="127.0.0.1"):
    return ask_once(exeat, http_request("GET", "http://plain.held.test/"), host).status == 200


def test_held_sockets_are_served_and_stay_when_exeat_is_gone(lab, held, port):
    for _ in range(2):
        with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port) as exeat:
            assert works(exeat) and works(exeat, "::1")
        with socket.create_connection(("127.0.0.1", port), timeout=seconds(30)):
            pass  # the queue takes it though nobody serves


def test_what_was_queued_meanwhile_is_served_by_the_next(lab, held, port):
    with socket.create_connection(("127.0.0.1", port), timeout=seconds(60)) as early:
        early.sendall(http_request("GET", "http://plain.held.test/"))
        with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port):
            assert early.recv(12) == b"HTTP/1.1 200"


def test_all_workers_serve_one_held_socket(lab, held, port):
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port) as exeat:
        with contextlib.ExitStack() as tunnels:
            def each_has_one():
                tunnels.enter_context(open_tunnel(exeat, "echo.held.test:7"))
                return all(exeat.metric("worker_connections_active", worker=str(n)) > 0 for n in range(2))

            wait_until(each_has_one, 60, "each worker has a tunnel")


def test_a_socket_for_each_worker_is_served_by_each(lab, port):
    held = Sockets(*(("proxy", listening(a, port, reuse_port=True)) for a in ("127.0.0.1", "127.0.0.1", "::1", "::1")))
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port) as exeat:
        assert all(works(exeat) for _ in range(30))
    held.close()


def test_a_held_admin_socket_is_served(lab, held, port):
    admin = free_port()
    held.named.append(("admin", listening("127.0.0.1", admin)))
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port, admin_port=admin, limits={"drain_timeout": "30s"}) as exeat:
        assert exeat.fetch("/readyz")[0] == 200
        with open_tunnel(exeat, "echo.held.test:7") as s:
            exeat.signal(signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f"/proc/{exeat.pid}") or "draining" in exeat.log())
            s.sendall(b"ping")
            assert read_exactly(s, 4) == b"ping"
            with socket.create_connection(("127.0.0.1", admin), timeout=seconds(30)):
                pass  # queued for the next process


def test_sockets_of_another_process_are_left_alone(lab, port):
    others = listening("127.0.0.1", free_port())
    held = Sockets(("nonsense", others))
    with lab.exeat(ALLOWLIST, proxy_port=port, before=["env", "LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=nonsense"]) as exeat:
        assert works(exeat)
    held.close()


def test_a_name_of_its_own_is_the_name_of_the_socket(lab, port):
    more = free_port()
    held = Sockets(("pods", listening("127.0.0.1", more)), ("proxy", listening("127.0.0.1", port)), ("proxy", listening("::1", port)))
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port, listen=[{"mode": "proxy", "name": "pods", "address": f"127.0.0.1:{more}"}]) as exeat:
        with socket.create_connection(("127.0.0.1", more), timeout=seconds(30)) as s:
            s.sendall(http_request("GET", "http://plain.held.test/"))
            assert s.recv(12) == b"HTTP/1.1 200"
        assert works(exeat)
    held.close()


def test_draining_leaves_the_queue_to_others_and_tunnels_alone(lab, held, port):
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port, limits={"drain_timeout": "30s"}) as exeat:
        with open_tunnel(exeat, "echo.held.test:7") as s:
            exeat.signal(signal.SIGTERM)
            wait_until(lambda: exeat.metric("draining") == 1)
            exeat.caught_up()
            with exeat.connect() as late:
                late.sendall(http_request("GET", "http://plain.held.test/"))
                s.sendall(b"ping")
                assert read_exactly(s, 4) == b"ping"
                with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port):
                    assert late.recv(12) == b"HTTP/1.1 200"
        assert exeat.wait() == 0


def refused_with(lab, held, port, **options):
    """What exeat says when it does not start."""
    made = lab.exeat(ALLOWLIST, sockets=held, proxy_port=port, **options)
    done = subprocess.run([BINARY, "serve", "--config", str(made.config_path)], capture_output=True, text=True, timeout=seconds(60), check=False, **held.passed())
    held.close()
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "inherited sockets: " in done.stderr
    return done.stderr


def pair(port, first=None, name="proxy", **options):
    return Sockets((name, first or listening("127.0.0.1", port, **options)), ("proxy", listening("::1", port)))


@pytest.mark.parametrize("options, said", [
    ({"name": "prxy"}, "no [[listen]] is called as descriptor 3 ('prxy') is; give it the FileDescriptorName= of one of them: 'proxy'"),
    ({"name": ""}, "one has no name; give each socket its FileDescriptorName="),
    ({"name": "admin"}, "and [admin] says"),
    ({"listens": False}, "descriptor 3 ('proxy') does not listen; write Accept=no"),
    ({"kind": socket.SOCK_DGRAM, "listens": False}, "is not a stream socket; write ListenStream="),
    ({"reuse_port": True}, "one alone with SO_REUSEPORT"),
    ({"transparent": True}, "remove Transparent="),
])
def test_a_socket_that_is_not_what_the_file_says_is_an_error(lab, port, options, said):
    assert said in refused_with(lab, pair(port, **options), port)


def test_a_unix_socket_is_an_error(lab, port, tmp_path):
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    unix.listen()
    assert "is neither IPv4 nor IPv6" in refused_with(lab, pair(port, unix), port)


def test_what_is_no_socket_is_an_error(lab, port, tmp_path):
    assert "is not a socket" in refused_with(lab, pair(port, open(tmp_path / "file", "wb")), port)


def test_another_address_is_an_error(lab, port):
    other = free_port()
    assert f"listens on 127.0.0.1:{other}, where no [[listen]] of that name does" in refused_with(lab, pair(port, listening("127.0.0.1", other)), port)


def test_a_socket_of_both_families_is_an_error(lab, port):
    held = Sockets(("proxy", listening("::", port, v6_only=False)))
    made = lab.exeat(ALLOWLIST, sockets=held, listen=[{"mode": "proxy", "address": f"[::]:{port}"}])
    text = made.config_path.read_text()
    made.config_path.write_text(text[text.index("[[listen]]\n" + f'mode = "proxy"\naddress = "[::]'):])
    done = subprocess.run([BINARY, "serve", "--config", str(made.config_path)], capture_output=True, text=True, timeout=seconds(60), check=False, **held.passed())
    held.close()
    assert done.returncode == 1 and "takes IPv4 as well; write BindIPv6Only=ipv6-only" in done.stderr


def test_a_tproxy_listener_wants_a_transparent_socket(lab, port):
    more = free_port()
    held = pair(port)
    held.named.append(("transparent", listening("127.0.0.1", more)))
    said = refused_with(lab, held, port, listen=[{"mode": "transparent", "via": "tproxy", "address": f"127.0.0.1:{more}"}])
    assert "('transparent') is not for via = tproxy; write Transparent=yes" in said


def test_a_listener_without_its_socket_is_an_error(lab, port):
    held = Sockets(("proxy", listening("127.0.0.1", port)))
    assert f"[[listen]] 'proxy' ([::1]:{port}) has none, and the others have" in refused_with(lab, held, port)


def test_more_sockets_than_workers_are_an_error(lab, port):
    held = Sockets(*(("proxy", listening("127.0.0.1", port, reuse_port=True)) for _ in range(3)), ("proxy", listening("::1", port)))
    assert "has 3, and there are 2 workers to serve them" in refused_with(lab, held, port)


@pytest.mark.parametrize("environment, said", [
    ({"LISTEN_FDS": "3"}, "there are 3 and 2 names"), ({"LISTEN_FDS": "two"}, "LISTEN_FDS is 'two' and no number"), ({"LISTEN_FDS": "99999"}, "pass 1024 at most"),
    ({"LISTEN_FDNAMES": ""}, "there are 2 and 0 names"), ({"LISTEN_FDNAMES": "proxy"}, "there are 2 and 1 names"),
    ({"LISTEN_FDS": "4", "LISTEN_FDNAMES": "proxy:proxy:a:b"}, "descriptor 5 ('a') is not open")])
def test_an_environment_that_contradicts_itself_is_an_error(lab, held, port, environment, said):
    held.environment = environment
    assert said in refused_with(lab, held, port)


def test_the_variables_do_not_go_on_to_anybody(lab, held, port):
    with lab.exeat(ALLOWLIST, sockets=held, proxy_port=port) as exeat:
        assert connect_reply(exeat, "echo.held.test:7").status == 200
        with open_tunnel(exeat, "echo.held.test:7") as s:
            exeat.signal(signal.SIGTERM)
            assert gone(s)
