"""Debian's ejabberd as a peer of the live bench: rooms (MUC), XMPP over WebSockets (RFC 7395), no accounts.

Its packages are unpacked below the bench's build folder and run from there: nothing is installed, no service starts.
"""
import contextlib
import glob
import os
import socket
import subprocess
import tempfile
import time

START_SECONDS, STOP_SECONDS = 120, 60
CONFIG = """
loglevel: error
hosts: [bench]
auth_method: anonymous
anonymous_protocol: sasl_anon
listen:
  - port: {port}
    ip: 127.0.0.1
    backlog: 1024
    module: ejabberd_http
    request_handlers:
      /ws: ejabberd_http_ws
modules:
  mod_muc:
    history_size: 0
    max_users: 1000
    max_users_presence: 1000
    min_message_interval: 0
"""


class Unavailable(Exception):
    pass


def command(*words, **options):
    got = subprocess.run(words, capture_output=True, text=True, **options)
    if got.returncode != 0:
        raise Unavailable(f"{words[0]} {words[1]}: {got.stderr.strip()[-300:]}")
    return got.stdout


def unpack(folder):
    """The package and what it needs that this machine has not, of the release that runs here."""
    wanted = [line.split()[1].split("_")[0] for line in
              command("apt-get", "install", "--print-uris", "-qq", "--no-install-recommends", "ejabberd").splitlines()
              if line.startswith("'")]
    with tempfile.TemporaryDirectory() as fetched:
        if wanted:
            command("apt-get", "download", "-qq", *wanted, cwd=fetched)
        for package in glob.glob(os.path.join(fetched, "*.deb")):
            command("dpkg-deb", "--extract", package, folder)


def fetch(build):
    """The folder with ejabberd; unpacked on first use."""
    folder, ready = os.path.join(build, "ejabberd"), os.path.join(build, "ejabberd", "ready")
    if not os.path.exists(ready):
        os.makedirs(folder, exist_ok=True)
        try:
            unpack(folder)
        except Unavailable:  # what is known of packages may be too old
            with contextlib.suppress(Unavailable):
                command("apt-get", "update", "-qq")
            unpack(folder)
        with open(ready, "w", encoding="ascii"):
            pass
    return folder


def first(patterns):
    found = [path for pattern in patterns for path in glob.glob(pattern)]
    if not found:
        raise Unavailable(f"nothing at {patterns[0]}")
    return found[0]


def environment(folder, run):
    """As `erl` and `ejabberdctl` would set it, for programs that lie elsewhere."""
    roots = (folder, "")
    erlexec = first(f"{root}/usr/lib/{way}erts-*/bin/erlexec" for root in roots for way in ("erlang/", "*/erlang/"))
    bin_folder = os.path.dirname(erlexec)
    applications = [path for root in roots for name in ("usr/lib/erlang/lib", "usr/lib/*-linux-gnu")
                    for path in glob.glob(f"{root}/{name}")]
    libraries = glob.glob(f"{folder}/usr/lib/*-linux-gnu")
    return erlexec, {"PATH": os.environ["PATH"], "HOME": run, "ROOTDIR": os.path.dirname(os.path.dirname(bin_folder)),
                     "BINDIR": bin_folder, "EMU": "beam", "PROGNAME": "erl", "ERL_LIBS": ":".join(applications),
                     "LD_LIBRARY_PATH": ":".join(libraries), "ERL_CRASH_DUMP": "/dev/null",
                     "EJABBERD_CONFIG_PATH": f"{run}/ejabberd.yml", "EJABBERD_LOG_PATH": f"{run}/ejabberd.log"}


def wait_for(process, port):
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise Unavailable("it did not start")


@contextlib.contextmanager
def running(bench, port):
    """Its process, on the server's core. Raises Unavailable when it cannot be had here."""
    folder = fetch(bench.BUILD)
    with tempfile.TemporaryDirectory() as run:
        with open(f"{run}/ejabberd.yml", "w", encoding="ascii") as out:
            out.write(CONFIG.format(port=port))
        erlexec, settings = environment(folder, run)
        # No scheduler turns idly: that would count as processor time.
        process = subprocess.Popen(
            ["taskset", "-c", bench.SERVER_CORE, erlexec, "-noinput", "+K", "true", "+P", "250000", "+S", "1", "+sbwt",
             "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "-mnesia", "dir", f'"{run}/db"', "-s", "ejabberd"],
            cwd=run, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(process, port)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
