"""Starts tests/live-echo on a free port and ends it by closing its standard input.

Leaving the block fails unless it exits with 0 and no sanitizer spoke.
"""
import os
import re
import subprocess
import tempfile

from support.server import SANITIZER, build_folder

STOP_SECONDS = 40


class Echo:
    def __init__(self, *arguments, loops=3):
        self.arguments = [os.path.join(build_folder(), "tests", "live-echo"), "--port", "0",
                          "--loops", str(loops), *arguments]
        self.process = self.log = self.port = None

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (\d+)\n", line)
        if found is None:
            raise RuntimeError(f"live-echo did not start: {line!r}")
        self.port = int(found.group(1))
        return self

    def __exit__(self, *failure):
        self.process.stdin.close()
        status = self.process.wait(STOP_SECONDS)
        self.process.stdout.close()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        if failure[0] is None and (status != 0 or SANITIZER.search(said)):
            raise RuntimeError(f"live-echo ended with {status}: {said.decode(errors='replace')}")
        return False
