"""Runs agent-client.mjs against an agent and a server of its own; its TAP is ours."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.agent import Agent  # noqa: E402
from support.server import Server  # noqa: E402


def main():
    with Server() as server, Agent(server, "--no-token") as agent:
        return subprocess.run(["node", os.path.join(HERE, "agent-client.mjs"), agent.url],
                              check=False, timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
