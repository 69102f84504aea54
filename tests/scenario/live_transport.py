"""Engine.IO and Socket.IO by hand: polling, WebSocket, the upgrade and limits, against
live-echo with several loops, so that requests of a session come to loops that are not its own."""
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import tap  # noqa: E402
from support.echo import Echo  # noqa: E402
from support.echo_clients import CALM, WAIT, Polling, Socket, World  # noqa: E402
from support.live import Ended, WebSocket  # noqa: E402


# --- polling ---

@tap.case
def a_session_lives_on_every_loop(world):
    for _ in range(8):
        p = Polling(world.port).connect()
        tap.equal(p.hello["upgrades"], ["websocket"], "upgrades")
        for i in range(8):
            p.post(f'42["message",{i}]')
            tap.equal(p.next('42["message-back"'), f'42["message-back",{i}]', "echo")
        tap.equal(p.call("join", 5), "431[5]", "ack")


@tap.case
def several_packets_share_a_body(world):
    p = Polling(world.port).connect()
    status, said = p.post('42["message","a"]', '451-["message",{"_placeholder":true,"num":0}]',
                          "bAQID", '42["message","b"]')
    tap.equal((status, said), (200, "ok"), "post")
    tap.equal(p.next("42"), '42["message-back","a"]', "first")
    tap.equal(p.next("45"), '451-["message-back",{"_placeholder":true,"num":0}]', "second")
    tap.equal(p.next("b"), "bAQID", "its attachment")
    tap.equal(p.next("42"), '42["message-back","b"]', "third")


@tap.case
def the_stock_errors(world):
    for target, code in (("EIO=4", 0), ("EIO=4&transport=abc", 0),
                         ("EIO=4&transport=polling&sid=unknown", 1),
                         ("EIO=4&transport=polling&sid=" + "A" * 28, 1),
                         ("EIO=4&transport=polling&sid=" + "A" * 2800, 1),
                         ("EIO=4&transport=websocket", 3), ("transport=polling", 5),
                         ("EIO=3&transport=polling", 5)):
        link = http.client.HTTPConnection("127.0.0.1", world.port, timeout=WAIT)
        link.request("GET", "/socket.io/?" + target)
        answer = link.getresponse()
        said = json.loads(answer.read())
        tap.equal((answer.status, said["code"]), (400, code), target[:40])
        link.close()
    for method in ("POST", "PUT", "DELETE"):
        link = http.client.HTTPConnection("127.0.0.1", world.port, timeout=WAIT)
        link.request(method, "/socket.io/?EIO=4&transport=polling")
        tap.equal(json.loads(link.getresponse().read())["code"], 2, method)
        link.close()


@tap.case
def a_second_poll_ends_the_session(world):
    p = Polling(world.port)
    first = []
    thread = threading.Thread(target=lambda: first.append(p.poll()))
    thread.start()
    statuses = set()
    while 400 not in statuses:  # whichever poll came second
        statuses.add(p.poll()[0])
    thread.join(WAIT)
    tap.equal(sorted(statuses | {first[0][0]}), [200, 400], "one of them was told")
    tap.equal(p.poll()[0], 400, "over")


@tap.case
def what_is_too_large_is_refused(world):
    p = Polling(world.port).connect()
    tap.equal(p.request("POST", "4" * 1000001)[0], 413, "a body beyond maxPayload")
    s = Socket(world.port)
    s.say('42["message","' + "x" * 1000000 + '"]')
    tap.check(s.ended(), "a message beyond maxPayload ends the session")
    s.close()


@tap.case
def who_was_never_let_in_gets_little_room(world):
    pad = json.dumps({"pad": "x" * 20000})
    s = Socket(world.port, connect=False)
    s.say("40" + pad)
    tap.check(s.ended(), "a large message")
    p = Polling(world.port)
    tap.equal(p.post("40" + pad)[0], 413, "a large body")
    attachments = Socket(world.port, connect=False)
    attachments.say('451-["message",{"_placeholder":true,"num":0}]')
    tap.check(attachments.ended(), "attachments are not waited for")
    for connected in (Socket(world.port), Polling(world.port).connect()):
        tap.equal(connected.call("message-with-ack", "x" * 20000)[-20002:],
                  "x" * 20000 + '"]', "who was let in")
    for one in (s, attachments):
        one.close()


def raw_request(port, head, tls=None):
    link = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
    if tls is not None:
        link = tls.wrap_socket(link, server_hostname="localhost")
    link.sendall(head.replace("\n", "\r\n").encode())
    return link


@tap.case
def a_body_that_nobody_takes_is_not_waited_for(world):
    """Only its head is ever sent."""
    connected, stranger = Polling(world.port).connect(), Polling(world.port)
    for sid, length, status in (("A" * 28, 1000, 400), ("unknown", 1000, 400), (stranger.sid, 20000, 413),
                                (connected.sid, 1000001, 413)):
        for _ in range(6):  # on any loop
            link = raw_request(world.port, f"POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\n"
                                           f"Host: a\nContent-Length: {length}\n\n")
            answer = http.client.HTTPResponse(link)
            answer.begin()
            said = answer.read()
            tap.equal(answer.status, status, f"{sid}, {length}")
            if status == 400:
                tap.equal(json.loads(said)["code"], 1, "Session ID unknown")
            link.close()
    for p in (connected, stranger):
        tap.equal(p.post("3"), (200, "ok"), "the session goes on")


def check_leaving(port, tls=None):
    """Pings are a minute apart: nothing else would tell."""
    for how in ("close", "reset", "at once"):
        for _ in range(4):  # on any loop
            p = Polling(port, tls=tls).connect()
            link = raw_request(port, f"GET /socket.io/?EIO=4&transport=polling&sid={p.sid} HTTP/1.1\nHost: a\n\n",
                               tls)
            if how != "at once":  # time for it to be parked; if it is not yet, that is no matter
                tap.equal(p.post("3"), (200, "ok"), "somebody is there")
            if how == "reset":
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
            until = time.monotonic() + WAIT
            while p.post("3")[0] == 200 and time.monotonic() < until:
                time.sleep(0.01)
            tap.equal(p.post("3")[0], 400, f"the session is over: {how}")


@tap.case
def who_leaves_a_poll_has_gone(world):
    with Echo(*CALM) as echo:
        check_leaving(echo.port)


@tap.case
def bad_packets_end_the_session(world):
    for bad in ("abc", "4abc", "42{}", "42abc[]", "42[1]", '42["connect"]', "450-[]", "43[]",
                "2", "0", "5", "4" + "9" * 40, '42/nowhere,["a"]', "40", "bAQID", "7", ""):
        p = Polling(world.port).connect()
        tap.equal(p.post(bad)[0], 400, bad)
        tap.equal(p.poll()[0], 400, bad)


# --- WebSocket ---

@tap.case
def bad_frames_end_the_connection(world):
    for frame in (b"\x81\x01a", b"\xc1\x81\0\0\0\0a", b"\x83\x80\0\0\0\0", b"\x09\x80\0\0\0\0",
                  b"\x81\xfe\0\x01\0\0\0\0a", b"\x80\x80\0\0\0\0", b"\x81\x81\0\0\0\0\xff"):
        s = Socket(world.port)
        s.ws.socket.sendall(frame)
        tap.check(s.ended(), repr(frame))
        s.close()


@tap.case
def frames_in_pieces(world):
    s = Socket(world.port)
    whole = b"\x01\x84\0\0\0\0" + b'42["' + b"\x89\x81\0\0\0\0!" + b"\x80\x8c\0\0\0\0" + b'message",12]'
    for byte in whole:
        s.ws.socket.sendall(bytes([byte]))
    tap.equal(s.next('42["message-back"'), '42["message-back",12]', "echo")
    s.close()


@tap.case
def pages_of_strangers_get_no_socket(world):
    with Echo(*CALM, "--origins", "https://listed.example") as echo:
        target = "/socket.io/?EIO=4&transport=websocket"
        for origin in ("https://listed.example", f"http://127.0.0.1:{echo.port}"):
            WebSocket(echo.port, target, {"Origin": origin}).close()
        for origin in ("https://evil.example", "null", f"https://127.0.0.1:{echo.port}",
                       "https://listed.example.evil.example", ""):
            try:
                WebSocket(echo.port, target, {"Origin": origin}).close()
                tap.fail(f"taken: {origin!r}")
            except Ended as why:
                tap.check("403" in str(why), f"{origin!r}: {why}")


# --- Engine.IO alone, which the official suite of engine.io-protocol asks for ---

@tap.case
def engine_io_alone_says_back_what_is_said(world):
    p = Polling(world.port, path="/engine.io/")
    tap.equal(p.post("4hello", "4" + "x" * 20000, "bAQID"), (200, "ok"), "three messages, one of them large")
    tap.equal((p.next("4h"), p.next("4x"), p.next("b")), ("4hello", "4" + "x" * 20000, "bAQID"), "back")
    ws = WebSocket(world.port, f"/engine.io/?EIO=4&transport=websocket&sid={p.sid}", {})
    ws.send(1, b"2probe")
    tap.equal(ws.receive(), (1, b"3probe"), "probe")
    ws.send(1, b"5")
    ws.send(2, b"\x01\x02")
    tap.equal(ws.receive(), (2, b"\x01\x02"), "after the upgrade")
    ws.send(1, b"4" + b"40{}")
    tap.equal(ws.receive(), (1, b"440{}"), "no Socket.IO is read into it")
    ws.close()


# --- the upgrade ---

def upgrade(p):
    ws = WebSocket(p.port, f"/socket.io/?EIO=4&transport=websocket&sid={p.sid}", {}, tls=p.tls)
    ws.send(1, b"2probe")
    tap.equal(ws.receive(), (1, b"3probe"), "probe")
    return ws


def check_upgrades(port, tls=None):
    for _ in range(12):
        p = Polling(port, tls=tls).connect()
        ws = upgrade(p)
        p.post('42["message","by polling"]')
        ws.send(1, b"5")
        got = [p.poll()]
        while got[-1] == (200, "6"):
            got.append(p.poll())
        seen = [body for status, body in got if status == 200 and body != "6"]
        ws.send(1, b'42["message","by socket"]')
        while not seen or seen[-1] != '42["message-back","by socket"]':
            kind, data = ws.receive()
            seen.append(data.decode())
        tap.equal([s for s in seen if s != "2"],
                  ['42["message-back","by polling"]', '42["message-back","by socket"]'],
                  "nothing is lost, nothing doubled")
        ws.send(1, b'42["message","' + b"x" * 100000 + b'"]')
        tap.equal(len(ws.receive()[1]), 100000 + len('42["message-back",""]'), "and large ones")
        tap.equal(p.poll()[0], 400, "polling is over")
        ws.close()


@tap.case
def upgrades_cross_loops(world):
    check_upgrades(world.port)


@tap.case
def upgrades_cross_loops_under_tls(world):
    """A connection goes to the loop of its session together with its TLS."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = (os.path.join(folder, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                        "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with Echo(*CALM, "--tls-cert", cert, "--tls-key", key) as echo:
            check_upgrades(echo.port, ssl.create_default_context(cafile=cert))
            check_leaving(echo.port, ssl.create_default_context(cafile=cert))


@tap.case
def bad_probes_leave_the_session(world):
    for first in (b"2wrong", b"5", b"4hello", b"abc"):
        p = Polling(world.port).connect()
        ws = WebSocket(world.port, f"/socket.io/?EIO=4&transport=websocket&sid={p.sid}", {})
        ws.send(1, first)
        tap.equal(ws.receive(), None, repr(first))
        ws.close()
        p.post('42["message",1]')
        tap.equal(p.next("42"), '42["message-back",1]', "polling goes on")
        again = upgrade(p)
        again.close()


# --- limits ---

@tap.case
def floods_end(world):
    with Echo(*CALM, "--events", "5") as echo:
        s = Socket(echo.port)
        try:
            for i in range(2000):
                s.say(f'42["nothing",{i}]')
        except OSError:
            pass
        tap.check(s.ended(), "the flood was cut")
        s.close()
        s = Socket(echo.port)  # bytes count, too
        try:
            for i in range(40):
                s.say('42["nothing","' + "x" * 100000 + '"]')
        except OSError:
            pass
        tap.check(s.ended(), "the flood of bytes was cut")
        s.close()


@tap.case
def the_oldest_makes_room(world):
    with Echo(*CALM, "--per-user", "2") as echo:
        auth = json.dumps({"user": 5})
        a, b, c = (Socket(echo.port, auth) for _ in range(3))
        tap.check(a.ended(), "the oldest went")
        b.call("nothing")
        c.call("nothing")
        for s in (a, b, c):
            s.close()


@tap.case
def refusals_have_a_code(world):
    s = Socket(world.port, connect=False)
    s.say('40{"refuse":"no thanks"}')
    said = json.loads(s.next("44")[2:])
    tap.equal(said, {"message": "no thanks", "data": {"code": "REFUSED"}}, "connect_error")
    s.say("40")  # and may try again
    s.next("40{")
    s.call("nothing")
    s.close()


@tap.case
def who_never_connects_lapses(world):
    idle = Socket(world.port, connect=False)
    tap.check(idle.ended(), "a session without a CONNECT")
    idle.close()
    p = Polling(world.port)
    while p.poll()[0] == 200:
        pass
    tap.equal(p.poll()[0], 400, "by polling, too")


@tap.case
def silence_ends_a_session(world):
    for interval in ("50", "500", "5000"):  # as short as this machine can connect meanwhile
        with Echo("--ping-interval", interval, "--ping-timeout", interval) as echo:
            try:
                s = Socket(echo.port)
            except (OSError, Ended):
                continue
            while True:  # reads, but never answers a ping
                got = s.ws.receive()
                if got is None:
                    break
            p = Polling(echo.port)
            while p.poll()[0] == 200:
                pass
            s.close()
            return
    tap.fail("nobody could connect")


@tap.case
def a_pong_that_nobody_asked_for(world):
    """It sets back the timer of the session that came last."""
    with Echo(*CALM, loops=1) as echo:
        for pongs in (1, 3):
            s = Socket(echo.port, connect=False)
            for _ in range(pongs):
                s.say("3")
            s.say("40")
            s.next("40{")
            s.close()
        p = Polling(echo.port)
        tap.equal(p.post("3"), (200, "ok"), "by polling, too")
        p.connect()


@tap.case
def stopping_says_good_bye(world):
    with Echo(*CALM) as echo:
        s = Socket(echo.port)
        p = Polling(echo.port).connect()
        answer = []

        def poll():
            try:
                answer.append(p.poll())
            except OSError:
                answer.append("too late")

        thread = threading.Thread(target=poll)
        thread.start()
    thread.join(WAIT)
    late = ("too late", (400, '{"code":1,"message":"Session ID unknown"}'))
    tap.one_of(answer[0], [(200, "1"), *late], "the poll")
    tap.check(s.ended(), "the WebSocket was closed")
    s.close()


if __name__ == "__main__":
    tap.main(World)
