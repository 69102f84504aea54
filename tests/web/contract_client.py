"""Runs contract-client.mjs against a server of its own; its TAP is ours."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.server import Server  # noqa: E402


def main():
    if not os.path.isdir(os.path.join(HERE, "node_modules")):
        print("1..0 # SKIP run `npm ci` in tests/web first")
        return 0
    with Server() as server:
        return subprocess.run(["node", os.path.join(HERE, "contract-client.mjs"), server.url],
                              check=False, timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
