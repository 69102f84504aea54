"""Conversations, messages, read marks, keys, devices and the directory over HTTP."""
import base64
import concurrent.futures
import contextlib
import os
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, RFC3339, b64, device, pem, query  # noqa: E402
from support.server import Server  # noqa: E402


class World:
    def __init__(self, server):
        self.server = server
        self.alice, self.bob, self.carol, self.eve = (Person(server).register() for _ in range(4))
        self.group = self.alice.conversation("group", self.bob)


@contextlib.contextmanager
def world():
    with Server() as server:
        yield World(server)


def names(participants):
    return {p["username"] for p in participants}


# --- conversations ---

@tap.case
def a_conversation_has_all_its_members(w):
    got = w.alice.post("/api/conversations", {"kind": "group", "name": "Grüße ✓",
                                              "participants": [w.bob.username, w.carol.username]})
    tap.equal(got.status, 201, "created")
    c = got.json
    tap.equal((c["kind"], c["name"], c["creator_id"]), ("group", "Grüße ✓", w.alice.user["id"]), "values")
    tap.check(RFC3339.match(c["created_at"]), "created_at")
    tap.equal(c["expires_at"], None, "expires_at")
    tap.equal(c["unread"], 0, "unread")
    tap.equal(names(c["participants"]), {w.alice.username, w.bob.username, w.carol.username}, "who")
    keys = {p["username"]: p["public_key"].strip() for p in c["participants"]}
    tap.equal(keys[w.bob.username], pem(bytes(w.bob.key.verify_key)).strip(), "bob's key")
    tap.equal(w.carol.must(w.carol.get(f"/api/conversations/{c['id']}"))["name"], "Grüße ✓", "carol's")


@tap.case
def each_kind_has_its_list(w):
    room = w.alice.must(w.alice.post("/api/rooms", {"name": "r", "participants": [w.bob.username]}))
    session = w.alice.must(w.alice.post("/api/sessions", {"participants": [w.bob.username],
                                                          "ttl_seconds": 3600}))
    tap.equal((room["kind"], session["kind"]), ("room", "session"), "kinds")
    tap.check(session["expires_at"] is not None, "a session expires")
    for person in (w.alice, w.bob):
        ids = {part: {c["id"] for c in person.must(person.get(f"/api/{part}"))[part]}
               for part in ("conversations", "rooms", "sessions")}
        tap.check({room["id"], session["id"], w.group} <= ids["conversations"], "all kinds")
        tap.check(room["id"] in ids["rooms"] and w.group not in ids["rooms"], "rooms only")
        tap.check(session["id"] in ids["sessions"] and room["id"] not in ids["sessions"],
                  "sessions only")
    for part in ("rooms", "conversations"):
        tap.equal(w.alice.get(f"/api/{part}/{room['id']}/messages").status, 200, f"a room in {part}")


@tap.case
def a_room_may_be_empty_of_others(w):
    got = w.alice.post("/api/rooms", {"name": "mine"})
    tap.equal(got.status, 201, "without participants")
    tap.equal(names(got.json["participants"]), {w.alice.username}, "only me")


@tap.case
def two_people_have_one_direct_chat(w):
    first = w.alice.post("/api/conversations", {"kind": "direct", "participants": [w.carol.username]})
    tap.equal(first.status, 201, "new")
    again = w.alice.post("/api/conversations", {"kind": "direct", "participants": [w.carol.username]})
    other = w.carol.post("/api/conversations", {"kind": "direct", "participants": [w.alice.username]})
    tap.equal((again.status, other.status), (200, 200), "existed")
    tap.equal({first.json["id"], again.json["id"], other.json["id"]}, {first.json["id"]}, "the same")


@tap.case
def two_people_meet_at_once(w):
    p, q = Person(w.server).register(), Person(w.server).register()

    def meet(pair):
        me, you = pair
        return me.post("/api/conversations", {"kind": "direct", "participants": [you.username]})
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(meet, [(p, q), (q, p)] * 3))
    tap.equal(sorted(a.status for a in got), [200] * 5 + [201], "one is new")
    tap.equal(len({a.json["id"] for a in got}), 1, "one conversation")


BAD_CONVERSATIONS = {
    "unknown kind": {"kind": "party"},
    "direct with nobody": {"kind": "direct", "participants": []},
    "direct with a name of nobody": {"kind": "direct", "participants": ["nobody-here"]},
    "direct with two": {"kind": "direct", "participants": ["BOB", "CAROL"]},
    "direct with oneself": {"kind": "direct", "participants": ["ALICE"]},
    "unknown participant": {"participants": ["BOB", "nobody-here"]},
    "name too long": {"name": "x" * 201},
    "name with control": {"name": "a\nb"},
    "participants not names": {"participants": [1]},
    "participants not a list": {"participants": "BOB"},
    "too many participants": {"participants": [f"user{i}" for i in range(300)]},
}


def bad_conversation(w, name):
    people = {"ALICE": w.alice.username, "BOB": w.bob.username, "CAROL": w.carol.username}
    body = {"kind": "group", "name": "n", "participants": [], **BAD_CONVERSATIONS[name]}
    if isinstance(body["participants"], list):
        body["participants"] = [people.get(p, p) for p in body["participants"]]
    before = w.alice.must(w.alice.get("/api/conversations"))["conversations"]
    tap.one_of(w.alice.post("/api/conversations", body).status, (400, 404, 413, 422), name)
    tap.equal(w.alice.must(w.alice.get("/api/conversations"))["conversations"], before, "none is made")


tap.cases(BAD_CONVERSATIONS, bad_conversation)


@tap.case
def names_of_200_letters_are_allowed(w):
    name = "é" * 200
    got = w.alice.post("/api/rooms", {"name": name})
    tap.equal((got.status, got.json.get("name")), (201, name), "200 code points")


@tap.case
def a_participant_named_twice_is_one(w):
    got = w.alice.post("/api/conversations", {"kind": "group", "name": "n", "participants": [
        w.bob.username, w.bob.username.upper(), w.alice.username]})
    if tap.equal(got.status, 201, "created"):
        tap.equal(len(got.json["participants"]), 2, "participants")


# --- participants ---

@tap.case
def participants_come_and_go(w):
    c = w.alice.conversation("group", w.bob)
    path = f"/api/conversations/{c}"
    tap.equal(w.carol.get(path).status, 404, "carol is not in")
    got = w.alice.post(f"{path}/participants", {"username": w.carol.username})
    tap.equal(got.status, 201, "added")
    tap.check(w.carol.username in names(got.json["participants"]), "in the answer")
    tap.equal(w.carol.get(path).status, 200, "carol is in")
    got = w.alice.post(f"{path}/participants", {"usernames": [w.eve.username]})
    tap.equal(got.status, 201, "added by list")
    tap.equal(names(w.bob.must(w.bob.get(f"{path}/participants"))["participants"]),
              {p.username for p in (w.alice, w.bob, w.carol, w.eve)}, "who is in")
    tap.one_of(w.bob.delete(f"{path}/participants/{w.carol.username}").status, (403, 409),
               "a member may not remove another")
    tap.equal(w.alice.delete(f"{path}/participants/{w.carol.username}").status, 200, "the creator may")
    tap.equal(w.carol.get(path).status, 404, "carol is out")
    tap.equal(w.alice.delete(f"{path}/participants/{w.carol.username}").status, 404, "is not in")
    tap.equal(w.eve.delete(f"{path}/participants/{w.eve.username}").status, 200, "leaves by name")
    tap.equal(w.bob.delete(f"{path}/participants").status, 200, "leaves")
    tap.equal(w.bob.get(path).status, 404, "bob is out")
    tap.equal(w.alice.delete(f"{path}/participants", {"username": w.bob.username}).status, 404,
              "by name in the body")
    tap.equal(w.alice.delete(f"{path}/participants").status, 200, "the last one leaves")
    tap.equal(w.alice.get(path).status, 404, "it is gone")


@tap.case
def participants_cannot_be_added_twice_or_by_outsiders(w):
    path = f"/api/conversations/{w.group}/participants"
    tap.one_of(w.alice.post(path, {"username": w.bob.username}).status, (200, 201, 409), "again")
    tap.equal(len(w.alice.must(w.alice.get(path))["participants"]), 2, "still two")
    tap.equal(w.eve.post(path, {"username": w.eve.username}).status, 404, "oneself from outside")
    tap.equal(w.alice.post(path, {"username": "nobody-here"}).status, 404, "nobody")
    direct = w.alice.conversation("direct", w.bob)
    tap.equal(w.alice.post(f"/api/conversations/{direct}/participants",
                           {"username": w.carol.username}).status, 409, "a third in a direct chat")
    tap.equal(len(w.alice.must(w.alice.get(path))["participants"]), 2, "still two")


@tap.case
def a_list_with_one_bad_name_adds_nobody(w):
    c = w.alice.conversation("group", w.bob)
    path = f"/api/conversations/{c}/participants"
    got = w.alice.post(path, {"usernames": [w.carol.username, "nobody-here"]})
    tap.equal(got.status, 404, "refused")
    tap.equal(len(w.alice.must(w.alice.get(path))["participants"]), 2, "still two")


@tap.case
def the_number_of_participants_is_limited(w):
    with Server(MAX_PARTICIPANTS=2) as server:
        a, b, c = (Person(server).register() for _ in range(3))
        got = a.post("/api/conversations", {"kind": "group", "name": "n",
                                            "participants": [b.username, c.username]})
        tap.one_of(got.status, (413, 422), "three at once")
        group = a.conversation("group", b)
        got = a.post(f"/api/conversations/{group}/participants", {"username": c.username})
        tap.one_of(got.status, (413, 422), "a third")


# --- messages ---

@tap.case
def a_message_comes_back_byte_for_byte(w):
    content = bytes(range(256)) * 16
    sent = w.alice.send(w.group, content)
    tap.equal(sent["conversation_id"], w.group, "conversation_id")
    tap.check(RFC3339.match(sent["created_at"]), "created_at")
    got = w.bob.must(w.bob.get(f"/api/conversations/{w.group}/messages?limit=1"))["messages"][0]
    tap.equal(got["id"], sent["id"], "id")
    tap.equal(base64.b64decode(got["content"]), content, "content")
    tap.equal((got["user_id"], got["username"]), (w.alice.user["id"], w.alice.username), "sender")


@tap.case
def a_client_id_makes_a_retry_safe(w):
    key = str(uuid.uuid4())
    path = f"/api/conversations/{w.group}/messages"
    first = w.alice.post(path, {"content": b64(b"one"), "client_id": key})
    again = w.alice.post(path, {"content": b64(b"two"), "client_id": key})
    tap.equal((first.status, again.status), (201, 200), "statuses")
    for name in ("id", "created_at", "client_id", "conversation_id"):
        tap.equal(again.json[name], first.json[name], name)
    other = w.bob.post(path, {"content": b64(b"three"), "client_id": key})
    tap.equal(other.status, 201, "another's client_id is not mine")
    found = [m for m in w.bob.must(w.bob.get(path))["messages"] if m["client_id"] == key]
    tap.equal([m["content"] for m in found], [b64(b"one"), b64(b"three")], "stored once")


@tap.case
def a_client_id_at_the_same_moment_is_stored_once(w):
    c = w.alice.conversation("group", w.bob)
    body = {"content": b64(b"x"), "client_id": str(uuid.uuid4())}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: w.alice.post(f"/api/conversations/{c}/messages", body), range(8)))
    tap.equal(sorted(a.status for a in got), [200] * 7 + [201], "statuses")
    tap.equal(len({a.json["id"] for a in got}), 1, "one id")


@tap.case
def messages_come_in_pages(w):
    c = w.alice.conversation("group", w.bob)
    ids = [w.alice.send(c, bytes([i]))["id"] for i in range(7)]
    tap.equal(ids, sorted(set(ids)), "ids grow")

    def page(**parameters):
        got = w.bob.must(w.bob.get(f"/api/conversations/{c}/messages{query(**parameters)}"))
        return [m["id"] for m in got["messages"]], got["has_more"]

    tap.equal(page(), (ids, False), "all")
    tap.equal(page(limit=3), (ids[4:], True), "the newest three")
    tap.equal(page(limit=3, before=ids[4]), (ids[1:4], True), "before")
    tap.equal(page(limit=3, before=ids[1]), (ids[:1], False), "the first")
    tap.equal(page(limit=3, after=ids[1]), (ids[2:5], True), "after")
    tap.equal(page(limit=3, after=0), (ids[:3], True), "from the start")
    tap.equal(page(limit=3, after=ids[4]), (ids[5:], False), "the last")
    tap.equal(page(after=ids[1], before=ids[4]), (ids[2:4], False), "between")
    tap.equal(page(after=ids[-1]), ([], False), "nothing new")
    for bad in ("limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "before=x",
                "after=1.5", "before=-1"):
        got = w.bob.get(f"/api/conversations/{c}/messages?{bad}")
        tap.one_of(got.status, (400, 422), bad)
    got = w.bob.get(f"/api/conversations/{c}/messages?limit=201")
    tap.one_of(got.status, (200, 400, 422), "beyond the largest page")


@tap.case
def no_page_is_larger_than_200(w):
    c = w.alice.conversation("group")
    body = {"content": b64(b"x")}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: w.alice.post(f"/api/conversations/{c}/messages", body), range(203)))
    got = w.alice.must(w.alice.get(f"/api/conversations/{c}/messages"))
    tap.equal((len(got["messages"]), got["has_more"]), (50, True), "default")
    got = w.alice.must(w.alice.get(f"/api/conversations/{c}/messages?limit=200"))
    tap.equal((len(got["messages"]), got["has_more"]), (200, True), "largest")


@tap.case
def a_newcomer_and_a_leaver_see_what_they_should(w):
    c = w.alice.conversation("group", w.bob)
    w.alice.send(c, b"early")
    w.bob.delete(f"/api/conversations/{c}/participants")
    tap.equal(w.bob.get(f"/api/conversations/{c}/messages").status, 404, "the leaver reads nothing")
    tap.equal(w.bob.post(f"/api/conversations/{c}/messages", {"content": "eA=="}).status, 404,
              "and says nothing")


BAD_MESSAGES = {
    "content empty": {"content": ""}, "content not base64": {"content": "a?b="},
    "content unpadded": {"content": "YQ"}, "content with line feed": {"content": "YWFh\nYWFh"},
    "content with stray bits": {"content": "YR=="}, "content urlsafe": {"content": "_-8="},
    "content a list": {"content": [1]},
    "content too long": {"content": "QUJD" * (190 * 1024)},
    "client_id too long": {"client_id": "x" * 65},
    "client_id a number": {"client_id": 1},
}


def bad_message(w, name):
    body = {"content": "eA==", **BAD_MESSAGES[name]}
    got = w.alice.post(f"/api/conversations/{w.group}/messages", body)
    tap.one_of(got.status, (400, 413, 422), name)


tap.cases(BAD_MESSAGES, bad_message)


@tap.case
def a_message_of_the_largest_size_is_taken(w):
    content = os.urandom(512 * 1024)
    w.alice.send(w.group, content)
    got = w.bob.must(w.bob.get(f"/api/conversations/{w.group}/messages?limit=1"))
    tap.equal(base64.b64decode(got["messages"][0]["content"]), content, "512 KiB")


# --- read marks, keys, devices ---

@tap.case
def read_marks_are_shown_and_never_move_back(w):
    c = w.alice.conversation("group", w.bob)
    path = f"/api/conversations/{c}"
    ids = [w.alice.send(c, b"m")["id"] for _ in range(3)]
    mine = next(x for x in w.bob.must(w.bob.get("/api/conversations"))["conversations"] if x["id"] == c)
    tap.equal((mine["unread"], mine["last_message_id"]), (3, ids[2]), "unread before")
    got = w.bob.post(f"{path}/read", {"message_id": ids[1]})
    tap.equal(got.status, 200, "read")
    tap.equal(got.json["message_id"], ids[1], "message_id")
    tap.check(RFC3339.match(got.json["read_at"]), "read_at")
    tap.equal(w.bob.must(w.bob.get(path))["unread"], 1, "unread after")
    w.bob.must(w.bob.post(f"{path}/read", {"message_id": ids[0]}))
    marks = w.alice.must(w.alice.get(f"{path}/messages"))["message_read_statuses"]
    tap.equal([(m["username"], m["message_id"]) for m in marks if m["username"] == w.bob.username],
              [(w.bob.username, ids[1])], "the mark stays")
    other = w.alice.send(w.group, b"m")["id"]
    for bad in (other, 2**53 - 1):
        tap.equal(w.bob.post(f"{path}/read", {"message_id": bad}).status, 404, f"message {bad}")
    for bad in (0, -1, 2**53, "1", 1.5, None):
        tap.one_of(w.bob.post(f"{path}/read", {"message_id": bad}).status, (400, 404, 422), f"{bad!r}")


@tap.case
def each_has_a_key_of_ones_own(w):
    path = f"/api/conversations/{w.group}/key"
    tap.equal(w.alice.get(path).status, 404, "none yet")
    tap.equal(w.alice.put(path, {"key": b64(b"a" * 80)}).status, 200, "put")
    tap.equal(w.bob.get(path).status, 404, "bob's is another")
    tap.equal(w.alice.put(path, {"key": b64(b"b" * 80)}).status, 200, "put again")
    tap.equal(w.alice.must(w.alice.get(path))["key"], b64(b"b" * 80), "the last one")
    for bad in ("", "x", b64(b"k" * 5000), 5, None):
        tap.one_of(w.alice.put(path, {"key": bad}).status, (400, 413, 422), f"{str(bad)[:9]!r}")


@tap.case
def devices_are_certified_by_their_owner(w):
    p = Person(w.server).register()
    raw = device(p.key)
    identity = raw[1:17].hex()
    got = p.post("/api/devices", {"device": b64(raw)})
    tap.equal((got.status, got.json.get("id")), (201, identity), "added")
    listed = p.must(p.get("/api/devices"))["devices"]
    tap.equal([(d["id"], d["device"]) for d in listed], [(identity, b64(raw))], "listed")
    tap.one_of(p.post("/api/devices", {"device": b64(device(p.key, raw[1:17]))}).status, (200, 201),
               "replaced")
    tap.equal(len(p.must(p.get("/api/devices"))["devices"]), 1, "still one")
    bad = {"another's certificate": device(w.bob.key), "cut": raw[:-1], "longer": raw + b"x",
           "version": b"\x02" + raw[1:], "changed": raw[:20] + bytes([raw[20] ^ 1]) + raw[21:],
           "empty": b""}
    for name, value in bad.items():
        tap.one_of(p.post("/api/devices", {"device": b64(value)}).status, (400, 401, 403, 422), name)
    got = w.bob.post("/api/devices", {"device": b64(device(w.bob.key, raw[1:17]))})
    tap.equal(got.status, 409, "another's id")
    tap.equal(w.bob.delete(f"/api/devices/{identity}").status, 404, "another's device")
    tap.equal(w.bob.delete("/api/devices/zz").status, 404, "not an id")
    other = p.another_session()
    tap.equal(other.delete(f"/api/devices/{identity}").status, 200, "removed")
    tap.equal(other.delete(f"/api/devices/{identity}").status, 404, "removed again")


@tap.case
def devices_are_limited_in_number(w):
    p = Person(w.server).register()
    statuses = [p.post("/api/devices", {"device": b64(device(p.key))}).status for _ in range(17)]
    tap.equal(statuses[:16], [201] * 16, "sixteen")
    tap.one_of(statuses[16], (409, 422), "the seventeenth")


@tap.case
def members_see_the_devices_of_members(w):
    p, q = Person(w.server).register(), Person(w.server).register()
    raw = device(p.key)
    p.must(p.post("/api/devices", {"device": b64(raw)}))
    c = p.conversation("group", q)
    found = q.must(q.get(f"/api/conversations/{c}/devices"))["devices"]
    tap.equal([(d["username"], d["user_id"], d["device"]) for d in found],
              [(p.username, p.user["id"], b64(raw))], "p's")
    tap.equal(found[0]["public_key"].strip(), pem(bytes(p.key.verify_key)).strip(), "public_key")
    seen = q.must(q.get(f"/api/users/{p.username}"))
    tap.equal([d["device"] for d in seen["devices"]], [b64(raw)], "in the directory")
    tap.equal(w.eve.get(f"/api/conversations/{c}/devices").status, 404, "not for outsiders")


# --- the directory ---

@tap.case
def an_open_directory_finds_by_prefix(w):
    stem = "pre" + uuid.uuid4().hex[:8]
    people = [Person(w.server, f"{stem}-{i}").register() for i in range(2)]
    got = w.alice.must(w.alice.get(f"/api/users{query(q=stem)}"))["users"]
    tap.equal({u["username"] for u in got}, {p.username for p in people}, "both")
    tap.check(all("email" not in u for u in got), "no addresses")
    tap.equal(w.alice.must(w.alice.get(f"/api/users{query(q=stem[1:])}"))["users"], [], "not inside")
    for wild in ("%", "_", "*", "'", '"', "\\", "%25"):
        tap.equal(w.alice.must(w.alice.get(f"/api/users{query(q=stem[:-1] + wild)}"))["users"], [],
                  f"{wild} is a letter")
    for bad in ("?q=%zz", "?q=%00", "?q=" + "a" * 5000, "?q=%ff"):
        tap.one_of(w.alice.get(f"/api/users{bad}").status, (200, 400, 422), bad[:12])


DIRECTORY_MODES = {
    # mode: (status of a search by prefix, status of an exact name)
    "exact": (None, 200),
    "off": (403, 403),
}


def directory_mode(w, mode):
    by_prefix, exact = DIRECTORY_MODES[mode]
    with Server(DIRECTORY=mode) as server:
        a, b = (Person(server).register() for _ in range(2))
        got = a.get(f"/api/users{query(q=b.username[:-1])}")
        if by_prefix is None:
            tap.check(got.status == 403 or got.json["users"] == [], f"by prefix: {got!r}")
            got = a.get(f"/api/users{query(q=b.username)}")
            tap.equal([u["username"] for u in a.must(got)["users"]], [b.username], "by whole name")
        else:
            tap.equal(got.status, by_prefix, "by prefix")
        tap.equal(a.get(f"/api/users/{b.username}").status, exact, "exact name")
        tap.equal(a.get(f"/api/users{query(q='nobody')}").status, got.status, "says nothing else")


tap.cases(DIRECTORY_MODES, directory_mode)


# --- sessions that destroy themselves ---

def check_gone(person, session, file_id):
    for path in ("", "/messages", "/participants", "/key", "/devices"):
        tap.equal(person.get(f"/api/sessions/{session}{path}").status, 410, f"GET {path}")
    tap.equal(person.post(f"/api/sessions/{session}/messages", {"content": "eA=="}).status, 410, "POST")
    tap.one_of(person.get(f"/api/files/{file_id}/download").status, (404, 410), "its file")


@tap.case
def closing_a_session_destroys_it(w):
    s = w.alice.must(w.alice.post("/api/sessions", {"participants": [w.bob.username],
                                                    "ttl_seconds": 60}))["id"]
    w.alice.send(s, b"burn after reading")
    w.alice.must(w.alice.put(f"/api/sessions/{s}/key", {"key": "a2V5"}))
    file_id = w.alice.must(w.alice.upload(b"ciphertext", conversation_id=s))["file_id"]
    tap.equal(w.eve.delete(f"/api/sessions/{s}").status, 404, "not by outsiders")
    tap.equal(w.bob.delete(f"/api/sessions/{s}").status, 200, "by any participant")
    for person in (w.alice, w.bob):
        check_gone(person, s, file_id)
    tap.equal(w.bob.delete(f"/api/sessions/{s}").status, 410, "again")
    tap.equal(w.eve.get(f"/api/sessions/{s}").status, 404, "nothing for outsiders")
    tap.one_of(w.alice.delete(f"/api/sessions/{w.group}").status, (404, 405, 409), "not a group")


@tap.case
def a_session_destroys_itself_in_time(w):
    for seconds in (1, 2, 4, 8, 16):  # as short as this machine can put a file into it meanwhile
        got = w.alice.post("/api/sessions", {"participants": [w.bob.username], "ttl_seconds": seconds})
        s = w.alice.must(got)["id"]
        uploaded = w.alice.upload(b"ciphertext", conversation_id=s)
        if uploaded.status == 201:
            break
    file_id = w.alice.must(uploaded)["file_id"]
    until = time.monotonic() + 30
    while w.bob.get(f"/api/sessions/{s}").status == 200 and time.monotonic() < until:
        time.sleep(0.05)
    check_gone(w.bob, s, file_id)


@tap.case
def what_a_session_held_is_gone_from_the_disk(w):
    with Server() as server:
        a, b = (Person(server).register() for _ in range(2))
        s = a.must(a.post("/api/sessions", {"participants": [b.username], "ttl_seconds": 600}))["id"]
        marks = [os.urandom(48) for _ in range(3)]
        a.send(s, marks[0])
        a.must(a.put(f"/api/sessions/{s}/key", {"key": b64(marks[1])}))
        a.must(a.upload(marks[2], conversation_id=s))
        b.must(b.delete(f"/api/sessions/{s}"))
        server.stop()
        for folder, _, files in os.walk(server.data):
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    held = f.read()
                for i, mark in enumerate(marks):
                    tap.check(mark not in held, f"{name} still holds {('message', 'key', 'file')[i]}")
        server.start()
        tap.equal(a.get(f"/api/sessions/{s}").status, 410, "gone, also after a restart")


@tap.case
def bad_lifetimes_are_refused(w):
    for ttl in (0, -1, 2**53, "60", 1.5, True):
        got = w.alice.post("/api/sessions", {"participants": [w.bob.username], "ttl_seconds": ttl})
        tap.one_of(got.status, (400, 422), f"{ttl!r}")


tap.main(world)
