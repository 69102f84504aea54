"""Two machines on one network and nothing else: network namespaces with a cable between them, 10.77.0.1 and
10.77.0.2, on which multicast works. `enter()` is that of apart."""
import subprocess

from support.apart import NOBODY, enter, quiet  # noqa: F401

NEAR, FAR = "10.77.0.1", "10.77.0.2"


class Cable:
    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo there; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        pid = str(self.holder.pid)
        self.far = ["nsenter", "--net", f"--target={pid}"]
        quiet("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
        quiet("ip", "link", "set", "far", "netns", pid)
        for side, name, address in (([], "near", NEAR), (self.far, "far", FAR)):
            quiet(*side, "ip", "link", "set", "lo", "up")
            quiet(*side, "ip", "link", "set", name, "up", "multicast", "on")
            quiet(*side, "ip", "address", "add", f"{address}/24", "dev", name)
        return self

    def pull(self):
        """What one says to the other goes to an address that nobody has; nobody is told."""
        for side, name, other in (([], "near", FAR), (self.far, "far", NEAR)):
            quiet(*side, "ip", "neighbour", "replace", other, "lladdr", NOBODY, "dev", name, "nud", "permanent")

    def plug(self):
        for side, name, other in (([], "near", FAR), (self.far, "far", NEAR)):
            quiet(*side, "ip", "neighbour", "del", other, "dev", name)

    def __exit__(self, *what):
        self.holder.stdin.close()
        self.holder.wait()
