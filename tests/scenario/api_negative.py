"""Every endpoint is given what it must refuse. The endpoints come from the server itself
(`tacitd --print-routes`): one that TABLE does not know fails here, and so does one that
docs/openapi.yaml does not describe.
"""
import contextlib
import json
import os
import re
import subprocess
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, b64, device, dumps, pem, signed_body  # noqa: E402
from support.server import Server, program, source_folder  # noqa: E402

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BAD_FORM = (400, 413, 422)


def read_routes():
    text = subprocess.run([program("tacitd"), "--print-routes"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    return [tuple(line.split()[:2]) for line in text.splitlines() if line.strip()]


class Member:
    """One member of a JSON body: a good value, and what is wrong with it beyond the obvious."""

    def __init__(self, good, required=True, long=None):
        self.good, self.required = good, required
        self.long = long if long is not None else "x" * 10_000

    def wrong_types(self):
        others = {"a number": 5, "a text": "text", "true": True, "a list": [[]], "an object": {},
                  "a fraction": 1.5}
        kind = {int: ("a number",), str: ("a text",), list: ()}[type(self.good)]
        return {name: value for name, value in others.items() if name not in kind}


class Route:
    """auth: "open", "signed" (the body must be) or "user". scope: whose thing the path names."""

    def __init__(self, auth="user", scope=None, headers=None, **members):
        self.auth, self.scope, self.headers, self.members = auth, scope, headers or {}, members

    def good_body(self):
        return {name: m.good for name, m in self.members.items()} if self.members else {}


TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "5",
       "Content-Type": "application/offset+octet-stream"}
NAME = Member("nobody-here")
HASH = Member("0" * 64)
CODE = Member("000000")
KEYS = Person(None)
REGISTER = Route("signed", email=Member("n@example.org"), username=Member("newcomer"),
                 password_hash=HASH, encrypted_private_key=Member("QUJD"),
                 public_key=Member(pem(bytes(KEYS.key.verify_key))), encryption_iv=Member("00" * 12))
LOGIN = Route("signed", username=NAME, password_hash=HASH, totp_code=CODE)
PEOPLE = Member(["nobody-here"], long=["x" * 25])
OTHERS = Member(["nobody-here"], False, long=["x" * 25])
OPEN = Route("open")
PARCEL = Route("open", scope="file", headers={"Authorization": "Parcel " + "0" * 64})

TABLE = {
    "GET /": OPEN, "GET /health": OPEN, "GET /api/health": OPEN, "GET /metrics": OPEN,
    "GET /assets/{asset}": OPEN, "GET /sw.js": OPEN, "GET /r": OPEN, "GET /s": OPEN, "GET /manifest.webmanifest": OPEN,
    "GET /.well-known/tacit-web.json": OPEN,
    "POST /api/register": REGISTER, "POST /register": REGISTER,
    "POST /api/register/verify-2fa": Route("signed", totp_code=CODE),
    "POST /register/verify-2fa": Route("signed", totp_code=CODE),
    "POST /api/login": LOGIN, "POST /login": LOGIN,
    "POST /api/login/new-device": Route("open", username=NAME, password_hash=HASH, totp_code=CODE),
    "POST /api/forgot-password": Route("open", email=Member("nobody@example.org")),
    "POST /api/reset-password": Route("signed", token=Member("x" * 43), password_hash=HASH,
                                      encrypted_private_key=Member("QUJD"), encryption_iv=Member("00" * 12)),
    "POST /api/token/refresh": Route("open", refresh_token=Member("x" * 43)),
    "POST /api/logout": Route(), "POST /api/me": Route(), "GET /api/me": Route(),
    "GET /api/csrf": Route(),
    "POST /api/telemetry": Route(undecryptable=Member(1, False, long=101), missing=Member(0, False, long=101)),
    "GET /api/devices": Route(), "POST /api/devices": Route(device=Member(b64(b"no device"))),
    "DELETE /api/devices/{device}": Route(scope="device"),
    "GET /api/devices/{device}/key-packages": Route(scope="device"),
    "PUT /api/devices/{device}/key-packages": Route(
        scope="device", key_packages=Member([b64(b"p")], long=["QUJD" * (6 * 1024)]),
        last_resort=Member(b64(b"p"), False, long="QUJD" * (6 * 1024)),
        not_after=Member(1, False, long=2**53)),
    "GET /api/devices/{device}/welcomes": Route(scope="device"),
    "DELETE /api/devices/{device}/welcomes/{id}": Route(scope="device"),
    "GET /api/conversations/{id}/group": Route(scope="conversations"),
    "POST /api/conversations/{id}/commits": Route(
        scope="conversations", epoch=Member(0, long=2**53),
        content=Member(b64(b"c"), long="QUJD" * (1400 * 1024)),
        group_info=Member(b64(b"i"), long="QUJD" * (4100 * 1024)), client_id=Member("c")),
    "POST /api/conversations/{id}/key-packages/claim": Route(
        scope="conversations", devices=Member(["00" * 16], long=["00" * 17])),
    "GET /api/users": Route(), "GET /api/users/{username}": Route(scope="user"),
    "GET /api/conversations": Route(), "GET /api/rooms": Route(), "GET /api/sessions": Route(),
    "POST /api/conversations": Route(kind=Member("group"), name=Member("n", False),
                                     participants=OTHERS),
    "POST /api/rooms": Route(name=Member("n"), participants=OTHERS),
    "POST /api/sessions": Route(participants=PEOPLE, ttl_seconds=Member(60, False, long=2**53)),
    "DELETE /api/sessions/{id}": Route(scope="sessions"),
    "POST /api/files/upload": Route(headers={"Content-Type": "multipart/form-data; boundary=B"}),
    "GET /api/files/{file}/download": Route(scope="file"),
    "DELETE /api/files/{file}": Route(scope="file"),
    "POST /api/parcels": Route("open", size=Member(1000, long=2**53), head_size=Member(10, long=2**53),
                               downloads=Member(1, long=2**53), lifetime=Member(60, long=2**53),
                               access=HASH, owner=HASH),
    "GET /api/parcels/{file}": PARCEL, "PATCH /api/parcels/{file}": PARCEL,
    "DELETE /api/parcels/{file}": PARCEL, "POST /api/parcels/{file}/claims": Route("open", scope="file"),
    "DELETE /api/parcels/{file}/claims": PARCEL, "GET /api/parcels/{file}/content": PARCEL,
    "POST /api/parcels/{file}/commit": Route("open", scope="file"),
    "OPTIONS /api/files/tus": OPEN, "OPTIONS /api/files/tus/{file}": Route("open", scope="upload"),
    "POST /api/files/tus": Route(headers=TUS),
    "HEAD /api/files/tus/{file}": Route(scope="upload", headers=TUS),
    "PATCH /api/files/tus/{file}": Route(scope="upload", headers=TUS),
    "DELETE /api/files/tus/{file}": Route(scope="upload", headers=TUS),
}
for part in ("conversations", "rooms", "sessions"):
    TABLE.update({
        f"GET /api/{part}/{{id}}": Route(scope=part),
        f"GET /api/{part}/{{id}}/messages": Route(scope=part),
        f"POST /api/{part}/{{id}}/messages": Route(
            scope=part, content=Member(b64(b"x"), long="QUJD" * (190 * 1024)),
            client_id=Member("id", False)),
        f"GET /api/{part}/{{id}}/participants": Route(scope=part),
        f"POST /api/{part}/{{id}}/participants": Route(scope=part, username=NAME),
        f"DELETE /api/{part}/{{id}}/participants": Route(scope=part, username=Member("nobody", False)),
        f"DELETE /api/{part}/{{id}}/participants/{{username}}": Route(scope=part),
        f"POST /api/{part}/{{id}}/read": Route(scope=part, message_id=Member(1, long=2**53)),
        f"GET /api/{part}/{{id}}/key": Route(scope=part),
        f"PUT /api/{part}/{{id}}/key": Route(scope=part, key=Member(b64(b"k"))),
        f"PUT /api/{part}/{{id}}/expiry": Route(scope=part, message_ttl_seconds=Member(60, long=2**53)),
        f"GET /api/{part}/{{id}}/devices": Route(scope=part),
    })


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.eve = (Person(server).register() for _ in range(3))
        self.pending = Person(server)
        self.pending.begin()
        a, b = self.alice, self.bob
        raw = device(a.key)
        a.must(a.post("/api/devices", {"device": b64(raw)}))
        group = a.conversation("group", b)
        self.ids = {
            "conversations": group, "rooms": a.conversation("room", b),
            "sessions": a.must(a.post("/api/sessions", {"participants": [b.username],
                                                        "ttl_seconds": 3600}))["id"],
            "device": raw[1:17].hex(), "user": b.username,
            "file": a.must(a.upload(b"secret", conversation_id=group))["file_id"],
        }
        made = a.call("POST", "/api/files/tus", headers=TUS, body=b"")
        a.must(made)
        self.ids["upload"] = made.headers["location"].split("/")[-1]
        self.negative = {}  # (method, pattern) -> how many requests were refused

    def path(self, route, pattern, thing=None):
        thing = self.ids.get(route.scope) if thing is None else thing
        if "{device}" in pattern:
            pattern = pattern.replace("{id}", "7")
        path = re.sub(r"\{(id|file|device)\}", str(thing), pattern)
        path = path.replace("{asset}", "app.js")
        return path.replace("{username}", str(thing) if route.scope == "user" else self.bob.username)

    def send(self, person, method, pattern, path, body=None, auth="bearer", headers=None, why=""):
        """One request that must be refused, counted for its route."""
        got = person.call(method, path, body, auth=auth, headers=headers)
        if tap.check(400 <= got.status < 500, f"{method} {path}, {why}: {got!r}"):
            key = (method, pattern)
            self.negative[key] = self.negative.get(key, 0) + 1
        return got


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def known():
    """The routes of the server that TABLE describes: (method, pattern, route)."""
    return [(m, p, TABLE[f"{m} {p}"]) for m, p in read_routes() if f"{m} {p}" in TABLE]


def has_json(method, route):
    return method in ("POST", "PUT") and not route.headers


def body_for(person, route, body):
    """As the route wants it: signed or plain."""
    if route.auth != "signed":
        return dumps(body)
    key = KEYS.key if "public_key" in body else person.key
    return signed_body(key, body)


@tap.case
def every_route_is_in_the_table(w):
    tap.equal([f"{m} {p}" for m, p in read_routes() if f"{m} {p}" not in TABLE], [], "not in the table")
    tap.equal(len(read_routes()), len(set(read_routes())), "routes named twice")


@tap.case
def openapi_describes_the_same_routes(w):
    with open(os.path.join(source_folder(), "docs", "openapi.yaml"), encoding="utf-8") as f:
        document = yaml.safe_load(f)

    def plain(path):
        return re.sub(r"\{\w+\}", "{}", path)
    described = {(method.upper(), plain(path)) for path, item in document["paths"].items()
                 for method in item if method.upper() in METHODS + ("HEAD",)}
    routed = {(m, plain(p)) for m, p in read_routes()}
    tap.equal(sorted(described - routed), [], "described, not routed")
    tap.equal(sorted(routed - described), [], "routed, not described")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() in METHODS:
                tap.check(any(str(status)[0] in "23" for status in operation["responses"]),
                          f"{method} {path}: an answer that is no error")


@tap.case
def strangers_are_refused(w):
    for method, pattern, route in known():
        if route.auth == "user":
            body = body_for(w.eve, route, route.good_body()) if has_json(method, route) else None
            got = w.send(w.eve, method, pattern, w.path(route, pattern), body, auth=None,
                         headers=route.headers, why="by nobody")
            tap.equal(got.status, 401, f"{method} {pattern} by nobody")
        if route.auth == "signed":
            got = w.send(w.eve, method, pattern, pattern, dumps(route.good_body()), auth=None,
                         why="unsigned")
            tap.one_of(got.status, (400, 401), f"{method} {pattern} unsigned")


@tap.case
def outsiders_learn_nothing(w):
    """A thing of others and a thing that does not exist get the very same answer."""
    unknown = {"device": "0" * 32, "file": "0" * 32, "upload": "0" * 32, "user": "nobody-here"}
    for method, pattern, route in known():
        if route.scope is None or route.auth == "open":
            continue
        answers = []
        for thing in (w.ids[route.scope], unknown.get(route.scope, 2**53 - 1)):
            if route.scope == "user" and thing == w.ids["user"]:
                continue  # the directory is open
            body = body_for(w.eve, route, route.good_body()) if has_json(method, route) else None
            if method == "PATCH":
                body = b"x"
            got = w.send(w.eve, method, pattern, w.path(route, pattern, thing), body,
                         headers=route.headers, why=f"thing {thing}")
            tap.equal(got.status, 404, f"{method} {pattern} for an outsider")
            answers.append((got.status, re.sub(rb'"timestamp":\s*"[^"]*"', b"", got.body),
                            sorted(n for n, _ in got.header_list)))
        tap.equal(answers[0], answers[-1], f"{method} {pattern}: others' and unknown")


@tap.case
def ids_of_no_form_are_404(w):
    for method, pattern, route in known():
        if route.scope is None or route.auth == "open":
            continue
        for thing in ("0", "-1", "x", "%00", "9" * 30, "1%2f2", "' or 1=1", "g" * 32):
            body = body_for(w.alice, route, route.good_body()) if has_json(method, route) else None
            got = w.send(w.alice, method, pattern, w.path(route, pattern, thing).replace(" ", "%20"),
                         body, headers=route.headers, why=f"id {thing}")
            tap.one_of(got.status, (400, 404), f"{method} {pattern} with {thing}")


@tap.case
def other_methods_are_405(w):
    routes = read_routes()
    for pattern in sorted({p for _, p in routes}):
        route = next(TABLE[f"{m} {p}"] for m, p in routes if p == pattern and f"{m} {p}" in TABLE)
        mine = {m for m, p in routes if p == pattern}
        for method in METHODS:
            if method in mine or method == "OPTIONS":
                continue
            got = w.alice.call(method, w.path(route, pattern), "{}" if method != "GET" else None)
            if tap.equal(got.status, 405, f"{method} {pattern}"):
                allowed = set(re.split(r",\s*", got.headers.get("allow", "")))
                tap.check(mine <= allowed, f"{method} {pattern}: Allow {allowed}, has {mine}")
                for m in mine:
                    w.negative[m, pattern] = w.negative.get((m, pattern), 0) + 1


BAD_JSON = {
    "empty": "", "cut": '{"a":', "a list": "[]", "a number": "1", "a text": '"x"', "null": "null",
    "two values": "{} {}", "trailing comma": '{"a":1,}', "comment": "{/**/}", "NaN": '{"a":NaN}',
    "single quotes": "{'a':1}", "duplicate names": '{"a":1,"a":1}', "duplicate inside": '{"b":{"a":1,"a":2}}',
    "duplicate by escape": '{"a":1,"\\u0061":2}', "deep": '{"a":' * 40 + "1" + "}" * 40,
    "very deep": "[" * 100_000, "NUL": '{"a":"\\u0000"}', "raw NUL": '{"a":"\0"}', "raw control": '{"a":"\n"}',
    "lone surrogate": '{"a":"\\ud800"}', "not UTF-8": b'{"a":"\xff"}', "overlong": b'{"a":"\xc0\x80"}',
    "BOM": b"\xef\xbb\xbf{}", "UTF-16": "{}".encode("utf-16"), "huge number": '{"a":1' + "0" * 400 + "}",
    "infinite": '{"a":1e999}',
}


def bad_json(w, name):
    for method, pattern, route in known():
        if has_json(method, route):
            got = w.send(w.alice, method, pattern, w.path(route, pattern), BAD_JSON[name], why=name)
            tap.one_of(got.status, (400, 413), f"{method} {pattern}: {name}")


tap.cases(BAD_JSON, bad_json)


@tap.case
def bodies_of_another_type_are_415(w):
    for method, pattern, route in known():
        if not has_json(method, route):
            continue
        body = body_for(w.alice, route, route.good_body())
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            got = w.send(w.alice, method, pattern, w.path(route, pattern), body,
                         headers={"Content-Type": kind}, why=kind)
            tap.equal(got.status, 415, f"{method} {pattern} with {kind}")


@tap.case
def bodies_too_large_are_413(w):
    for method, pattern, route in known():
        if has_json(method, route):
            got = w.send(w.alice, method, pattern, w.path(route, pattern), b"{}",
                         headers={"Content-Length": str(2**31)}, why="2 GiB announced")
            tap.equal(got.status, 413, f"{method} {pattern}")


def members():
    for method, pattern, route in known():
        for name, member in route.members.items():
            yield method, pattern, route, name, member


def check_refused(w, method, pattern, route, body, why, statuses=BAD_FORM):
    person = w.pending if pattern.endswith("verify-2fa") else w.alice
    got = w.send(person, method, pattern, w.path(route, pattern), body_for(person, route, body),
                 auth="bearer" if route.auth == "user" else "cookie", why=why)
    tap.one_of(got.status, statuses, f"{method} {pattern}: {why}")


@tap.case
def missing_members_are_refused(w):
    for method, pattern, route, name, member in members():
        if not member.required:
            continue
        without = {k: v for k, v in route.good_body().items() if k != name}
        # A second factor may be any of three; without one a login is wrong rather than malformed.
        statuses = (*BAD_FORM, 401) if name in ("totp_code", "public_key") else BAD_FORM
        check_refused(w, method, pattern, route, without, f"no {name}", statuses)
        check_refused(w, method, pattern, route, {**without, name: None}, f"{name} null", statuses)


@tap.case
def members_of_another_type_are_refused(w):
    for method, pattern, route, name, member in members():
        for kind, value in member.wrong_types().items():
            check_refused(w, method, pattern, route, {**route.good_body(), name: value},
                          f"{name} is {kind}")


@tap.case
def members_that_are_too_long_are_refused(w):
    for method, pattern, route, name, member in members():
        statuses = (*BAD_FORM, 401, 404)
        check_refused(w, method, pattern, route, {**route.good_body(), name: member.long},
                      f"{name} too long", statuses)


@tap.case
def signed_bodies_are_checked_everywhere(w):
    """Way 1 on every call that takes JSON: another's key, an old one, a changed one."""
    for method, pattern, route in known():
        if not has_json(method, route) or route.auth == "open":
            continue
        path, data = w.path(route, pattern), route.good_body()
        mine = KEYS.key if "public_key" in data else w.alice.key
        changed = json.loads(signed_body(mine, data))
        changed["data"] = {**data, "more": 1}
        bodies = {"another's key": signed_body(w.bob.key, data),
                  "301 s old": signed_body(mine, data, changed["timestamp"] - 302),
                  "changed": dumps(changed)}
        for why, body in bodies.items():
            got = w.send(w.alice, method, pattern, path, body, why=why,
                         auth="bearer" if route.auth == "user" else "cookie")
            tap.equal(got.status, 401, f"{method} {pattern}: {why}")


@tap.case
def replayed_bodies_are_refused_everywhere(w):
    """The first time it may do what it says or fail; the second time it must not be looked at."""
    for method, pattern, route in known():
        if not has_json(method, route) or route.auth != "user" or pattern == "/api/logout":
            continue
        body = signed_body(w.alice.key, {**route.good_body(), "nonce": pattern})
        first = w.alice.call(method, w.path(route, pattern), body)
        tap.check(first.status != 401, f"{method} {pattern}: {first!r}")
        got = w.send(w.alice, method, pattern, w.path(route, pattern), body, why="replayed")
        tap.equal((got.status, got.code), (401, "REPLAYED"), f"{method} {pattern}")


@tap.case
def cookies_need_the_same_origin_everywhere(w):
    for method, pattern, route in known():
        if method in ("GET", "HEAD", "OPTIONS") or route.auth != "user":
            continue
        body = dumps(route.good_body()) if has_json(method, route) else None
        for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            got = w.send(w.alice, method, pattern, w.path(route, pattern), body, auth="cookie-only",
                         headers={**route.headers, **headers}, why=f"cookie with {headers}")
            tap.equal((got.status, got.code), (403, "CSRF"), f"{method} {pattern} with {headers}")


@tap.case
def every_route_was_refused_something(w):
    missing = [f"{m} {p}" for m, p in read_routes() if not w.negative.get((m, p))]
    if len(sys.argv) < 3:
        tap.equal(missing, [], "routes without a negative case")


@tap.case
def nothing_came_of_it(w):
    """After all this, alice still has what she had, and nothing more."""
    tap.equal(w.alice.get(f"/api/files/{w.ids['file']}/download").body, b"secret", "the file")
    tap.equal(len(w.alice.must(w.alice.get("/api/devices"))["devices"]), 1, "devices")
    tap.equal(w.eve.must(w.eve.get("/api/conversations"))["conversations"], [], "eve is in nothing")
    for part in ("conversations", "rooms", "sessions"):
        got = w.bob.must(w.bob.get(f"/api/{part}/{w.ids[part]}/participants"))["participants"]
        tap.equal(len(got), 2, f"participants in {part}")


tap.main(world)
