"""A network between this process and a server, which can be cut: two network namespaces and a veth pair.

`enter()` starts this program anew in a namespace of its own. There 127.0.0.1 is not this side's
loopback but the far end of the wire, where the server runs: both sides take each other for local, so plain
HTTP is fine, and everything written for 127.0.0.1 works as it is. A cut is silent, as when a cable is
pulled far away: frames go to an address that nobody has.
"""
import os
import shutil
import subprocess
import sys

MARK = "TACIT_TEST_APART"
NOBODY = "02:00:00:00:00:99"
PORT = 5000  # the namespace is ours alone


def quiet(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def enter():
    """None within the namespace. Outside it does not return, or gives the reason why there can be none."""
    if os.environ.get(MARK):
        return None
    missing = [p for p in ("ip", "unshare", "nsenter", "sysctl") if shutil.which(p) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    way = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    probe = subprocess.run([*way, "sh", "-c", "ip link add near type veth peer name far && "
                            "sysctl -q -w net.ipv4.conf.all.route_localnet=1"], capture_output=True, text=True)
    if probe.returncode != 0:
        return f"no network namespaces here: {probe.stderr.strip()}"
    os.environ[MARK] = "1"
    os.execvp(way[0], [*way, sys.executable, *sys.argv])


class Wire:
    """This side: near (127.0.0.2); the server's: far (127.0.0.1)."""

    def __enter__(self):
        # Holds the far namespace, until its input ends.
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo there; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        pid = str(self.holder.pid)
        self.far = ["nsenter", "--net", f"--target={pid}"]
        quiet("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
        quiet("ip", "link", "set", "far", "netns", pid)
        for side, name, address in (([], "near", "127.0.0.2/8"), (self.far, "far", "127.0.0.1/8")):
            quiet(*side, "sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1")
            if side:  # its own loopback stays, but for the address that the wire has
                quiet(*side, "ip", "link", "set", "lo", "up")
                quiet(*side, "ip", "address", "del", "127.0.0.1/8", "dev", "lo")
            quiet(*side, "ip", "link", "set", name, "up")
            quiet(*side, "ip", "address", "add", address, "dev", name)
        return self

    def cut(self):
        quiet("ip", "neighbour", "replace", "127.0.0.1", "lladdr", NOBODY, "dev", "near", "nud", "permanent")
        quiet(*self.far, "ip", "neighbour", "replace", "127.0.0.2", "lladdr", NOBODY, "dev", "far", "nud",
              "permanent")

    def mend(self):
        quiet("ip", "neighbour", "del", "127.0.0.1", "dev", "near")
        quiet(*self.far, "ip", "neighbour", "del", "127.0.0.2", "dev", "far")

    def __exit__(self, *what):
        self.holder.stdin.close()
        self.holder.wait()
