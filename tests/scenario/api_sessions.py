"""Sessions, tokens and signatures over HTTP (docs/openapi.yaml)."""
import base64
import concurrent.futures
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, dumps, sign_text, signed_body  # noqa: E402
from support.server import Server, program  # noqa: E402

# The order of the group that Ed25519 works in (RFC 8032 5.1).
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


class World:
    def __init__(self, server):
        self.server = server
        self.alice = Person(server).register()
        self.bob = Person(server).register()

    def newcomer(self):
        return Person(self.server)


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


# --- sessions ---

@tap.case
def me_shows_the_owner_everything_that_others_do_not_see(w):
    got = w.alice.signed("/api/me", {}, auth="bearer")
    tap.equal(got.status, 200, "me")
    me = got.json.get("user", got.json)
    tap.equal((me["username"], me["email"]), (w.alice.username, w.alice.email), "name and address")
    tap.equal(w.alice.post("/api/me").status, 200, "me, unsigned with bearer")
    seen = w.bob.must(w.bob.get(f"/api/users/{w.alice.username}"))
    tap.check("email" not in seen, "no address for others")
    tap.check(w.alice.email not in dumps(seen), "no address anywhere")


@tap.case
def a_signed_request_needs_no_session_when_it_names_its_user(w):
    tap.equal(w.alice.signed("/api/me", {"n": 1}, username=w.alice.username).status, 200, "named")
    got = w.alice.signed("/api/me", {"n": 2})
    tap.equal(got.status, 401, "not named")
    got = w.alice.signed("/api/me", {"n": 3}, username=w.bob.username)
    tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), "another's name")
    got = w.alice.signed("/api/me", {"n": 4}, username="nobody-here")
    tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), "an unknown name sounds the same")


@tap.case
def another_key_does_not_sign_within_a_session(w):
    got = w.bob.call("POST", "/api/me", signed_body(w.alice.key, {"n": 5}), auth="bearer")
    tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), "alice's key in bob's session")


@tap.case
def logout_ends_that_session_and_no_other(w):
    p = w.newcomer().register()
    q = p.another_session()
    tap.equal(p.signed("/api/logout", {}, auth="cookie").status, 200, "logout")
    tap.equal(p.get("/api/conversations").status, 401, "bearer")
    tap.equal(q.get("/api/conversations").status, 200, "the other session")
    got = p.post("/api/token/refresh", {"refresh_token": p.refresh}, auth=None)
    tap.equal(got.status, 401, "refresh token")


@tap.case
def an_end_holds_at_once_however_many_ask(w):
    """Sessions are looked for together for calls that are taken together, and never before they were made."""
    over = threading.Event()

    def keep_asking():
        while not over.is_set():
            tap.equal(w.bob.get("/api/conversations").status, 200, "somebody else")

    people = [w.newcomer().register() for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(keep_asking) for _ in range(8)]
        try:
            for p in people[:3]:
                tap.equal(p.signed("/api/me", {}, auth="bearer").status, 200, "before")
                tap.equal(p.post("/api/logout").status, 200, "logout")
                tap.equal(p.signed("/api/me", {"n": 1}, auth="bearer").status, 401, "signed, behind it")
                tap.equal(p.get("/api/conversations").status, 401, "bearer, behind it")
            for p in people[3:]:
                subprocess.run([program("tacitd"), "admin", "--data", w.server.data, "disable", p.username],
                               check=True, stdout=subprocess.DEVNULL, timeout=60)
                tap.one_of(p.signed("/api/me", {}, auth="bearer").status, (401, 403), "signed, disabled")
                tap.one_of(p.get("/api/conversations").status, (401, 403), "bearer, disabled")
        finally:
            over.set()
        for one in asking:
            one.result()


@tap.case
def logout_ends_the_cookie(w):
    p = w.newcomer().register()
    jar = dict(p.cookies)
    got = p.signed("/api/logout", {}, auth="bearer")
    tap.equal(got.status, 200, "logout by bearer")
    p.cookies = jar
    tap.equal(p.get("/api/conversations", auth="cookie-only").status, 401, "cookie")
    tap.equal(p.signed("/api/logout", {"n": 2}, auth="cookie").status, 401, "logout again")


@tap.case
def a_session_survives_a_restart(w):
    with Server() as server:
        p = Person(server).register()
        server.restart()
        tap.equal(p.get("/api/conversations").status, 200, "bearer")
        tap.equal(p.get("/api/conversations", auth="cookie-only").status, 200, "cookie")


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def forged_tokens(token):
    head, claims, signature = token.split(".")
    other = json.loads(unbase64url(claims))
    for name, value in other.items():
        if isinstance(value, int):
            other[name] = value + 1
    none = base64url(b'{"alg":"none","typ":"JWT"}')
    hs = base64url(b'{"alg":"HS384","typ":"JWT"}')
    flipped = bytearray(unbase64url(signature))
    flipped[0] ^= 1
    return {
        "empty": "", "garbage": "garbage", "dots": "..", "no signature": f"{head}.{claims}.",
        "alg none": f"{none}.{claims}.", "alg none, old signature": f"{none}.{claims}.{signature}",
        "alg HS384": f"{hs}.{claims}.{signature}",
        "other claims": f"{head}.{base64url(dumps(other).encode())}.{signature}",
        "flipped": f"{head}.{claims}.{base64url(bytes(flipped))}",
        "four parts": f"{token}.x", "padded": f"{token}=", "huge": "a" * 9000,
    }


@tap.case
def forged_bearer_tokens_are_refused(w):
    for name, token in forged_tokens(w.alice.token).items():
        got = w.alice.get("/api/conversations", auth=None,
                          headers={"Authorization": f"Bearer {token}"})
        tap.equal(got.status, 401, name)
    got = w.alice.get("/api/conversations", auth=None,
                      headers={"Authorization": f"Basic {base64.b64encode(b'a:b').decode()}"})
    tap.equal(got.status, 401, "Basic")
    got = w.alice.get("/api/conversations", auth=None, headers={"Cookie": "tacit_session=garbage"})
    tap.equal(got.status, 401, "a garbage cookie")


@tap.case
def a_refresh_token_rotates(w):
    p = w.newcomer().register()
    got = p.post("/api/token/refresh", {"refresh_token": p.refresh}, auth=None)
    tap.equal(got.status, 200, "refresh")
    tap.check(got.json["refresh_token"] != p.refresh, "a new refresh token")
    p.token = got.json["token"]
    tap.equal(p.get("/api/conversations").status, 200, "the new token works")
    got = p.post("/api/token/refresh", {"refresh_token": got.json["refresh_token"]}, auth=None)
    tap.equal(got.status, 200, "refresh again")


@tap.case
def a_refresh_token_used_twice_ends_the_session(w):
    p = w.newcomer().register()
    fresh = p.must(p.post("/api/token/refresh", {"refresh_token": p.refresh}, auth=None))
    got = p.post("/api/token/refresh", {"refresh_token": p.refresh}, auth=None)
    tap.equal(got.status, 401, "the old one again")
    got = p.post("/api/token/refresh", {"refresh_token": fresh["refresh_token"]}, auth=None)
    tap.equal(got.status, 401, "the new one has died with it")
    p.token = fresh["token"]
    tap.equal(p.get("/api/conversations").status, 401, "and so has the session")
    tap.equal(p.get("/api/conversations", auth="cookie-only").status, 401, "and its cookie")


@tap.case
def a_cookie_alone_changes_nothing(w):
    p = w.newcomer().register()
    body = {"kind": "group", "name": "g", "participants": []}
    foreign = {"Origin": "https://evil.example"}
    for name, headers in {
            "no origin": {}, "foreign origin": foreign, "null origin": {"Origin": "null"},
            "prefix": {"Origin": w.server.url + ".evil.example"},
            "other port": {"Origin": "http://127.0.0.1:1"},
            "cross-site": {"Sec-Fetch-Site": "cross-site"},
            "same-site": {"Sec-Fetch-Site": "same-site"},
            "foreign, same-origin": {**foreign, "Sec-Fetch-Site": "cross-site"},
            "bad token": {"X-CSRF-Token": "x" * 43}}.items():
        got = p.post("/api/conversations", body, auth="cookie-only", headers=headers)
        tap.equal((got.status, got.code), (403, "CSRF"), name)
    got = p.post("/api/conversations", body, auth="cookie")
    tap.equal(got.status, 201, "own origin")
    got = p.post("/api/conversations", body, auth="cookie-only",
                 headers={"Sec-Fetch-Site": "same-origin"})
    tap.equal(got.status, 201, "Sec-Fetch-Site")


@tap.case
def a_csrf_token_lets_a_cookie_change_things(w):
    p, other = w.newcomer().register(), w.newcomer().register()
    token = p.must(p.get("/api/csrf", auth="cookie-only"))["csrf_token"]
    body = {"kind": "group", "name": "g", "participants": []}
    got = p.post("/api/conversations", body, auth="cookie-only", headers={"X-CSRF-Token": token})
    tap.equal(got.status, 201, "one's own")
    got = other.post("/api/conversations", body, auth="cookie-only", headers={"X-CSRF-Token": token})
    tap.equal((got.status, got.code), (403, "CSRF"), "another's")


# --- signatures ---

@tap.case
def a_clock_may_be_off_by_300_seconds_and_no_more(w):
    for off, status in ((-280, 200), (295, 200), (-302, 401), (320, 401), (-int(time.time()), 401),
                        (2**53 - 1 - int(time.time()), 401)):
        got = w.alice.signed("/api/me", {}, auth="bearer", timestamp=int(time.time()) + off)
        tap.equal(got.status, status, f"off by {off}")
        if status == 401:
            tap.equal(got.code, "STALE_TIMESTAMP", f"off by {off}")


@tap.case
def timestamps_are_integers(w):
    now = int(time.time())
    for text in (f"{now}.0", f"{now}.5", f'"{now}"', f"{now}e0", "null", "true", "-1", f"0{now}",
                 "99999999999999999999", "[]", "1e999"):
        signature = sign_text(w.alice.key, "{}", text)
        body = f'{{"data":{{}},"signature":"{signature}","timestamp":{text}}}'
        got = w.alice.call("POST", "/api/me", body)
        tap.one_of(got.status, (400, 401), text)


@tap.case
def the_exact_bytes_are_signed(w):
    stamp = str(int(time.time()))
    for data in ('{ "a" : 1 }', '{"b":"\\u0041\\/","a":[1.0,1e2]}', '{"é":"é\\n"}', '{\n}',
                 '{"signature":"x","timestamp":1,"data":{}}', '{"a":"}","b":"\\"}"}'):
        signature = sign_text(w.alice.key, data, stamp)
        body = f' {{ "timestamp" : {stamp} ,\n"signature":"{signature}","data" :{data} }} '
        got = w.alice.call("POST", "/api/me", body)
        tap.equal(got.status, 200, f"{body!r}: {got!r}")


@tap.case
def a_changed_byte_is_refused(w):
    body = signed_body(w.alice.key, {"value": "abc", "n": 1})
    stamp = json.loads(body)["timestamp"]
    changes = {
        "value": body.replace('"abc"', '"abd"'), "name": body.replace('"value"', '"valuf"'),
        "white space": body.replace('"n":1', '"n": 1'), "escape": body.replace('"abc"', '"\\u0061bc"'),
        "number": body.replace('"n":1', '"n":1.0'),
        "timestamp": body.replace(f'"timestamp":{stamp}', f'"timestamp":{stamp + 1}'),
    }
    for name, changed in changes.items():
        assert changed != body, name
        got = w.alice.call("POST", "/api/me", changed)
        tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), name)
    tap.equal(w.alice.call("POST", "/api/me", body).status, 200, "unchanged")


@tap.case
def bad_signatures_are_refused(w):
    stamp = int(time.time())
    good = sign_text(w.alice.key, "{}", str(stamp))
    s = int.from_bytes(bytes.fromhex(good[64:]), "little") + ED25519_ORDER
    bad = {
        "zeroes": "0" * 128, "empty": "", "short": good[:-2], "long": good + "00", "odd": good[:-1],
        "not hex": "g" * 128, "flipped": f"{int(good[0], 16) ^ 1:x}" + good[1:],
        "S plus the group's order": good[:64] + s.to_bytes(32, "little").hex(), "number": 5,
        "null": None, "list": [good],
    }
    for name, signature in bad.items():
        body = dumps({"data": {}, "signature": signature, "timestamp": stamp})
        got = w.alice.call("POST", "/api/me", body)
        tap.one_of(got.status, (400, 401), name)


@tap.case
def the_same_signature_works_once(w):
    body = signed_body(w.alice.key, {"n": "once"})
    tap.equal(w.alice.call("POST", "/api/me", body).status, 200, "first")
    again = {"again": body, "other white space": body.replace('},"', '}, "') + " ",
             "other case": re.sub(r'"signature":"(\w+)"', lambda m: m[0].replace(m[1], m[1].upper()),
                                  body)}
    for name, text in again.items():
        got = w.alice.call("POST", "/api/me", text)
        tap.equal(got.status, 401 if name != "other case" or got.status == 401 else 400, name)
    got = w.alice.call("POST", "/api/logout", body)
    tap.equal((got.status, got.code), (401, "REPLAYED"), "at another call")


@tap.case
def the_same_signature_works_once_also_after_a_restart_and_a_crash(w):
    with Server() as server:
        p = Person(server).register()
        bodies = [signed_body(p.key, {"n": n}) for n in range(2)]
        tap.equal(p.call("POST", "/api/me", bodies[0]).status, 200, "first")
        server.restart()
        got = p.call("POST", "/api/me", bodies[0])
        tap.equal((got.status, got.code), (401, "REPLAYED"), "after a restart")
        tap.equal(p.call("POST", "/api/me", bodies[1]).status, 200, "another")
        server.kill()
        server.start()
        for body in bodies:
            got = p.call("POST", "/api/me", body)
            tap.equal((got.status, got.code), (401, "REPLAYED"), "after a crash")


@tap.case
def a_signature_is_remembered_while_a_call_waits(w):
    """Whether its time is right is looked at before its turn comes; by then it must not be forgotten."""
    window, waits = 300, 30
    with Server() as server:
        p = Person(server).register()
        stamp = int(time.time()) + 200
        tap.equal(p.call("POST", "/api/me", signed_body(p.key, {}, stamp)).status, 200, "ahead of time")
        server.kill()
        forgotten = server.sql("DELETE FROM spent_signatures WHERE expires_at < ?", stamp + window + waits)
        server.start()
        got = p.call("POST", "/api/me", signed_body(p.key, {}, stamp))
        tap.equal((got.status, got.code), (401, "REPLAYED"), f"{forgotten} earlier ones were forgotten")


@tap.case
def the_same_signature_at_the_same_moment_works_once(w):
    body = signed_body(w.alice.key, {"n": "race"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: w.alice.call("POST", "/api/me", body).status, range(8)))
    tap.equal(sorted(got), [200] + [401] * 7, "of eight at once")


@tap.case
def a_refused_request_does_not_burn_the_signature(w):
    """Whoever has not the key cannot spoil somebody else's request."""
    body = signed_body(w.alice.key, {"n": "burn"})
    tap.equal(w.bob.call("POST", "/api/me", body).status, 401, "in bob's session")
    tap.equal(w.alice.call("POST", "/api/me", body).status, 200, "in alice's")


tap.main(world)
