"""The figures of live events, for tools/bench: tacitd beside a stock socket.io server, and ejabberd, on the same core.

Each takes the bench (its row(), tool(), server(), limit() and settings) and prints rows.
"""
import contextlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from bench.peers import ejabberd

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers")
IDLE = 20000
RATES = (200, 500)  # messages a second, to 100 people each
RATE_SECONDS = 15
WATCH_SECONDS = 25  # the interval of heartbeats
HISTORIES = [int(float(n)) for n in os.environ.get("BENCH_HISTORIES", "1e3,1e4,1e5,1e6,1e7").split(",")]


@contextlib.contextmanager
def tacitd(bench, people, members, *arguments, messages=0, **limits):
    """A server, and the file of the people that are in its store."""
    settings = {"RATE_ADDRESS": 0, "RATE_ACCOUNT": 0, "CONNECTIONS_PER_ACCOUNT": 0, **limits}
    arguments = ("--max-connections", "200000", "--access-log=no", *arguments)
    with tempfile.TemporaryDirectory() as folder:
        running = bench.server(data=folder, **settings)
        with running:
            pass  # makes the store
        known = os.path.join(folder, "people")
        with open(known, "wb") as out:
            out.write(bench.tool("people", f"sqlite://{running.database()}", str(people), str(members),
                                 str(messages)))
        running.arguments += arguments
        running.start(wait="--tls-cert" not in arguments)
        try:
            if "--tls-cert" in arguments:
                bench.until_listens(running.port)
            yield running, known
        finally:
            running.stop()


@contextlib.contextmanager
def socketio(bench):
    """The peer, installed on first use: its process and its port."""
    if not os.path.exists(os.path.join(PEERS, "node_modules", ".package-lock.json")):
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=PEERS, check=True)
    peer = subprocess.Popen(["taskset", "-c", bench.SERVER_CORE, "node", os.path.join(PEERS, "socketio.mjs")],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            env={**os.environ, "NODE_ENV": "production"})
    try:
        yield peer, int(peer.stdout.readline())
    finally:
        peer.stdin.close()
        peer.wait()


def xmpp(bench, process, port, people, members):
    """The same as `live full`, of XMPP's rooms."""
    got = subprocess.run(["taskset", "-c", bench.LOAD_CORE, sys.executable, os.path.join(PEERS, "xmpp.py"), str(port),
                          str(process.pid), str(people), str(members), "5"], check=True, stdout=subprocess.PIPE)
    return json.loads(got.stdout)


def processor_ticks():
    """What the hypervisor gave to others meanwhile, and all (proc_stat(5))."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def live(bench, mode, port, pid, people, **options):
    words = [f"{name}={value}" for name, value in options.items()]
    stolen, all_of_it = processor_ticks()
    result = json.loads(bench.tool("live", mode, str(port), str(pid), people, *words))
    stolen_since, all_since = processor_ticks()
    return {**result, "stolen": (stolen_since - stolen) / max(all_since - all_of_it, 1)}


def per_core(result, what="deliveries"):
    return result[what] / result["cpu"]


def middle(results, key):
    return statistics.median(r[key] for r in results)


@contextlib.contextmanager
def xmpp_server(bench):
    """ejabberd: measures it once, when called; gives nothing where it cannot be had, and says why."""
    with contextlib.ExitStack() as stack:
        port = bench.free_port()
        try:
            process = stack.enter_context(ejabberd.running(bench, port))
        except ejabberd.Unavailable as why:
            print(f"  without ejabberd: {why}", flush=True)
            yield lambda: None
        else:
            yield lambda: xmpp(bench, process, port, 1000, 100)


def fanout(bench):
    """Rooms of 100, 1,000 people: deliveries per second of a core, and p99 at moderate rates."""
    full, theirs, others = [], [], []
    calm, their_calm = {rate: [] for rate in RATES}, {rate: [] for rate in RATES}
    with tacitd(bench, 1000, 100) as (ours, people), socketio(bench) as (peer, port):
        with xmpp_server(bench) as measure_xmpp:
            for _ in range(bench.ROUNDS):
                full.append(per_core(live(bench, "full", ours.port, ours.pid, people)))
                theirs.append(per_core(live(bench, "full", port, peer.pid, people)))
                others.append(measure_xmpp())
        # Without ejabberd, whose clean-up of a round takes a sixth of the core for seconds; in turns.
        turns = [(ours.port, ours.pid, calm), (port, peer.pid, their_calm)]
        for _ in range(bench.ROUNDS):
            for rate, (at, pid, results) in itertools.product(RATES, turns):
                results[rate].append(live(bench, "rate", at, pid, people, rate=rate, seconds=RATE_SECONDS))
            turns.reverse()
    how = "20 senders with 16 messages each under way, 256 bytes, all of them stored"
    bench.row("deliveries per second and core", statistics.median(full), statistics.median(theirs), "1/s",
              12, f"{how}; against socket.io in memory")
    if others[0] is not None:
        bench.row("the same", statistics.median(full), statistics.median(per_core(r) for r in others), "1/s", 12,
                  f"against ejabberd's rooms over WebSockets, in memory; it uses {others[0]['kib']:.0f} KiB for a "
                  "connection, with its place in a room of 100")
    for rate in RATES:
        a, b = calm[rate], their_calm[rate]
        bench.row(f"p99 at {100 * rate:,} deliveries a second", middle(a, "p99_ms"), middle(b, "p99_ms"), "ms", 1,
                  f"in the middle {middle(a, 'p50_ms'):.2f} and {middle(b, 'p50_ms'):.2f} ms; the hypervisor took "
                  f"{100 * middle(a, 'stolen'):.1f} and {100 * middle(b, 'stolen'):.1f} % of the time (lower is better)")
        bench.row("processor time at that rate", middle(a, "cpu"), middle(b, "cpu"), "s", 1,
                  f"the same {RATE_SECONDS} seconds (lower is better)")


def durable(bench):
    """64 senders, one room each, acknowledged when the message is on disk."""
    with tacitd(bench, 64, 1) as (ours, people), tacitd(bench, 64, 1, *bench.ONE_SYNC_EACH) as (each, others), \
            tacitd(bench, 64, 1) as (theirs, strangers):
        windowed, singly, unshared, unshared_singly, scattered, fsyncs = [], [], [], [], [], []
        for _ in range(bench.ROUNDS):
            for server, known, sixteen, one in ((ours, people, windowed, singly),
                                                (each, others, unshared, unshared_singly)):
                sixteen.append(live(bench, "acks", server.port, server.pid, known, senders=1))
                one.append(live(bench, "acks", server.port, server.pid, known, senders=1, window=1))
            scattered.append(live(bench, "acks", theirs.port, theirs.pid, strangers, senders=1, scattered=1))
            fsyncs.append(float(bench.tool("limits", "fsync", ours.folder)))

    def rate(results):
        return statistics.median(r["acks"] / r["seconds"] for r in results)
    store = statistics.median(r["writer_cpu"] / r["cpu"] for r in windowed)
    bench.row("durable messages per second", rate(windowed), rate(unshared), "1/s", 20,
              f"64 senders, one room each, 16 messages each under way; {100 * store:.0f}% of the processor's time is "
              "the store's thread; against one fsync per message: the same with --commit-batch 1")
    bench.row("the same", rate(windowed), statistics.median(fsyncs), "1/s", None,
              "beside one append and fdatasync per message, without a server")
    bench.row("client_ids in no order", rate(scattered), rate(windowed), "1/s", None,
              "as other people's clients may have them; beside ids in the order of sending, as tacit's have")
    bench.row("one under way each", rate(singly), rate(unshared_singly), "1/s", None,
              "64 messages under way; beside the same with --commit-batch 1")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def hold_idle(bench, port, pid, people, count, **options):
    """KiB of each idle connection, and the share of the core that they take."""
    before = resident_kib(pid)
    words = [f"{name}={value}" for name, value in options.items()]
    holder = subprocess.Popen(["taskset", "-c", bench.LOAD_CORE,
                               os.path.join(bench.BUILD, "tests", "bench", "live"), "idle", str(port),
                               str(pid), people, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if holder.stdout.readline() != b"ready\n":
            raise SystemExit("bench: idle connections did not come about")
        time.sleep(3)
        size = (resident_kib(pid) - before) / count
        began = bench.cpu_seconds(pid)
        time.sleep(WATCH_SECONDS)
        return size, (bench.cpu_seconds(pid) - began) / WATCH_SECONDS
    finally:
        holder.stdin.close()
        holder.wait()


def idle(bench):
    """20,000 people who say nothing, each in a room of 100."""
    with contextlib.suppress(ValueError):  # root may raise it
        resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 1000, IDLE + 1000))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(IDLE, hard // 100 * 100 - 100)
    with tempfile.TemporaryDirectory() as folder:
        cert, key = bench.certificate(folder)
        with tacitd(bench, count, 100) as (ours, people):
            size, busy = hold_idle(bench, ours.port, ours.pid, people, count)
            with socketio(bench) as (peer, port):
                their_size, their_busy = hold_idle(bench, port, peer.pid, people, count)
        with tacitd(bench, count, 100, "--tls-cert", cert, "--tls-key", key) as (ours, people):
            tls_size, tls_busy = hold_idle(bench, ours.port, ours.pid, people, count, tls=1)
    bench.row("memory of an idle connection", size, 4, "KiB", 1,
              f"{count:,} of them, resident memory; socket.io {their_size:.1f} (lower is better)")
    bench.row("the same under TLS", tls_size, 20, "KiB", 1, "(lower is better)")
    bench.row("processor time of idle ones", 100 * busy, 100 * their_busy, "%", 1,
              f"a heartbeat every 25 s each; under TLS {100 * tls_busy:.1f}%; against socket.io "
              "(lower is better)")


def slow(bench):
    """The p99 of a moderate rate beside thousands who are slow or do not read, and without them."""
    with tacitd(bench, 1000, 100, RATE_ACCOUNT=50) as (ours, people), \
            tempfile.NamedTemporaryFile("wb") as ordinary:
        with open(people, "rb") as lines:  # the last hundred are the pests, in a room of ours
            ordinary.write(b"".join(lines.readlines()[:900]))
            ordinary.flush()
        calm, beside = [], []
        for _ in range(bench.ROUNDS):
            calm.append(live(bench, "rate", ours.port, ours.pid, ordinary.name)["p99_ms"])
            pests = subprocess.Popen(["taskset", "-c", bench.LOAD_CORE, sys.executable,
                                      os.path.join(HERE, "pests.py"), str(ours.port), people],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                if pests.stdout.readline() != b"ready\n":
                    raise SystemExit("bench: the slow ones did not come about")
                beside.append(live(bench, "rate", ours.port, ours.pid, ordinary.name)["p99_ms"])
            finally:
                pests.stdin.close()
                pests.wait()
    bench.row("p99 beside slow peers", statistics.median(beside), statistics.median(calm), "ms", 1.5,
              "1,000 half-open upgrades, 1,000 heads of a byte a second, 1,000 sessions that never "
              "connect, 20 members who never read, 4 who flood (lower is better)")


def scale(bench):
    """What a delivery costs as rooms grow, and as the history behind a room grows."""
    base = None
    for members, sockets in ((10, 1), (100, 1), (1000, 4), (10000, 40)):
        with tacitd(bench, 10000 // sockets, members // sockets) as (ours, people):
            window = min(16, members // 10)  # the store takes so many at once
            got = [live(bench, "full", ours.port, ours.pid, people, sockets=sockets, seconds=3, window=window)
                   for _ in range(bench.ROUNDS)]
        cost = 1e9 / statistics.median(per_core(r) for r in got)
        base = base or cost
        bench.row(f"a delivery, rooms of {members}", cost, base, "ns", 1,
                  f"10,000 connections, {sockets} for each person; a message with all of its deliveries, "
                  f"its way into the store among them: "
                  f"{statistics.median(1e6 * r['cpu'] / r['acks'] for r in got):.0f} us (lower is better)")
    base = None
    for messages in HISTORIES:
        with tacitd(bench, 100, 100, messages=messages) as (ours, people):
            got = [live(bench, "full", ours.port, ours.pid, people, seconds=3) for _ in range(bench.ROUNDS)]
        cost = 1e9 / statistics.median(per_core(r) for r in got)
        join = 1e4 * statistics.mean(r["join_cpu"] for r in got)  # 100 people, in us
        base = base or cost
        bench.row(f"a delivery, {messages:.0e} messages stored", cost, base, "ns", 1,
                  f"one room of 100; connecting and joining with a page of 50: about {join:.0f} us each "
                  "(lower is better)")


FIGURES = {"live-fanout": fanout, "live-durable": durable, "live-idle": idle, "live-slow": slow,
           "live-scale": scale}
