"""Runs live-client.mjs against a server of its own with people in it; its TAP is ours."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.client import Person  # noqa: E402
from support.server import Server  # noqa: E402


def described(person):
    return {"token": person.token, "id": person.user["id"], "username": person.username,
            "cookie": "; ".join(f"{k}={v}" for k, v in person.cookies.items())}


def main():
    if not os.path.isdir(os.path.join(HERE, "node_modules", "socket.io-client")):
        print("1..0 # SKIP run `npm ci` in tests/web first")
        return 0
    with Server() as server:
        people = {name: described(Person(server).register()) for name in ("alice", "bob", "eve")}
        said = json.dumps({"url": server.url, **people})
        return subprocess.run(["node", os.path.join(HERE, "live-client.mjs")], input=said,
                              text=True, check=False, timeout=240).returncode


if __name__ == "__main__":
    sys.exit(main())
