"""Where things are:

    pod ──p0──┐
              ├── inside (exeat, its clients, the DNS server) ──w0── world (origins, on public addresses)
    pod2 ─q0──┘

No namespace has a way to the real network, so the public addresses are as good as ours. A watch in `inside` remembers every address that
anything there tried to reach in the world: what left the machine, whatever the reply said."""
import json

from .netns import Namespace

WORLD4 = "93.184.216.0/24"
WORLD6 = "2606:2800:220:1::/64"
PRIVATE4 = "10.20.0.0/16"
PRIVATE6 = "fd00:20::/32"

_WATCH = """
table inet watch {
  set dialled4 { type ipv4_addr . inet_service; flags dynamic; size 65535; }
  set dialled6 { type ipv6_addr . inet_service; flags dynamic; size 65535; }
  chain leaving {
    oifname != "w0" return
    tcp flags & (syn | ack) == syn add @dialled4 { ip daddr . tcp dport }
    tcp flags & (syn | ack) == syn add @dialled6 { ip6 daddr . tcp dport }
    meta l4proto udp add @dialled4 { ip daddr . udp dport }
    meta l4proto udp add @dialled6 { ip6 daddr . udp dport }
  }
  chain output { type filter hook output priority 0; jump leaving; }
  chain forward { type filter hook forward priority 0; jump leaving; }
}
"""


def public4(n):
    return f"93.184.216.{n}"


def public6(n):
    return f"2606:2800:220:1::{n:x}"


class Topology:
    def __init__(self):
        self.inside = Namespace.current()
        self.world = Namespace.new()
        self.inside.ip("link set lo up")
        self._join(self.inside, "w0", self.world, "e0", "10.200.0", "fd00:200:")
        self.inside.ip("route add default via 10.200.0.2", "-6 route add default via fd00:200::2")
        for net in (WORLD4, PRIVATE4):
            self.world.ip(f"route add local {net} dev lo")
        for net in (WORLD6, PRIVATE6):
            self.world.ip(f"-6 route add local {net} dev lo")
        self.world.sysctl("ipv6/ip_nonlocal_bind", 1)
        for namespace in (self.inside, self.world):
            namespace.sysctl("ipv4/ip_local_port_range", "10240 65000")
            namespace.sysctl("core/somaxconn", 8192)
        self.inside.nft(_WATCH)
        self.pod = self.new_pod("p0", "10.42.0", "fd00:42:")
        self.pod2 = self.new_pod("q0", "10.43.0", "fd00:43:")

    @staticmethod
    def _join(here, here_name, there, there_name, net4, net6):
        here.ip(f"link add {here_name} type veth peer name {there_name} netns {there.path}")
        for namespace, name, n in ((here, here_name, 1), (there, there_name, 2)):
            namespace.ip(f"addr add {net4}.{n}/24 dev {name}", f"-6 addr add {net6}:{n}/64 dev {name} nodad", f"link set {name} up")

    def new_pod(self, link, net4, net6):
        """One more namespace behind `inside`, at net4.2 and net6:2; it knows no other way than through it."""
        pod = Namespace.new()
        self._join(self.inside, link, pod, "eth0", net4, net6)
        pod.ip(f"route add default via {net4}.1", f"-6 route add default via {net6}:1")
        return pod

    def redirect(self, port):
        """All TCP from `pod` goes to exeat's transparent listener, as a node's REDIRECT rule has it."""
        self.inside.nft(f"""
table inet pod_redirect
delete table inet pod_redirect
table inet pod_redirect {{
  chain prerouting {{ type nat hook prerouting priority dstnat; iifname "p0" meta l4proto tcp redirect to :{port}; }}
}}""")

    def tproxy(self, port):
        """The same for `pod2` by TPROXY."""
        self.inside.nft(f"""
table inet pod_tproxy
delete table inet pod_tproxy
table inet pod_tproxy {{
  chain prerouting {{ type filter hook prerouting priority mangle; iifname "q0" meta l4proto tcp tproxy to :{port} meta mark set 1 accept; }}
}}""")
        for family in ("-4", "-6"):
            if "fwmark" not in self.inside.command("ip", family, "rule").stdout:
                self.inside.ip(f"{family} rule add fwmark 1 lookup 100", f"{family} route add local default dev lo table 100")

    def blackhole(self, address):
        """The world stays silent at this address from now on."""
        family = "ip6" if ":" in address else "ip"
        self.world.nft(f"""
table inet silence {{
  chain prerouting {{
    type filter hook prerouting priority -300
    {family} daddr {address} drop
  }}
}}""")

    def forget_dialled(self):
        self.inside.nft("flush set inet watch dialled4\nflush set inet watch dialled6")

    def dialled(self):
        """Every address and port that `inside` sent a SYN or a datagram to since the last forget_dialled()."""
        out = set()
        for name in ("dialled4", "dialled6"):
            listing = json.loads(self.inside.command("nft", "-j", "list", "set", "inet", "watch", name).stdout)
            for element in next(item["set"] for item in listing["nftables"] if "set" in item).get("elem", []):
                value = element.get("elem", {}).get("val", element) if "elem" in element else element
                address, port = value["concat"]
                out.add((address, port))
        return out
