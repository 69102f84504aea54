"""What the kernel of this machine does by itself."""


def kernel_keeps():
    """What the sockets between two ends, one after the other, may hold at most: one to read and two to write."""
    def most(name):
        with open(f"/proc/sys/net/ipv4/{name}", encoding="ascii") as limits:
            return int(limits.read().split()[2])
    return most("tcp_rmem") + 2 * most("tcp_wmem")
