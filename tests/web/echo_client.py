"""Runs echo-client.mjs against a live-echo of its own; its TAP is ours."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.echo import Echo  # noqa: E402


def main():
    if not os.path.isdir(os.path.join(HERE, "node_modules", "socket.io-client")):
        print("1..0 # SKIP run `npm ci` in tests/web first")
        return 0
    with Echo("--ping-interval", "1000", "--ping-timeout", "30000") as echo:
        return subprocess.run(["node", os.path.join(HERE, "echo-client.mjs"),
                               f"http://127.0.0.1:{echo.port}"],
                              check=False, timeout=240).returncode


if __name__ == "__main__":
    sys.exit(main())
