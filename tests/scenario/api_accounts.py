"""Registering and logging in over HTTP (docs/openapi.yaml)."""
import base64
import contextlib
import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from support import tap  # noqa: E402
from support.client import Person, dumps, pem, signed_body, totp  # noqa: E402
from support.server import Server  # noqa: E402


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


def without_time(answer):
    body = answer.json
    body.pop("timestamp", None)
    return answer.status, body


def check_refused(answer, code, what):
    tap.equal((answer.status, answer.code), (401, code), what)


# --- registering ---

@tap.case
def registering_takes_two_steps(w):
    p = w.newcomer()
    got = p.begin()
    tap.equal(got.status, 201, "register")
    tap.check(got.json["qr_code"].startswith("data:image/"), "a QR code as data URI")
    tap.check(re.fullmatch(r"[A-Z2-7]{16,}=*", got.json["secret"]), "a base32 secret")
    uri = got.json["otpauth_uri"]
    tap.check(uri.startswith("otpauth://totp/") and got.json["secret"].rstrip("=") in uri, f"URI {uri}")
    tap.equal(p.signed("/api/login", {"username": p.username, "password_hash": p.password_hash,
                                      "totp_code": "123456"}).status, 401, "no login while pending")
    tap.equal(w.alice.get(f"/api/users/{p.username}").status, 404, "not in the directory while pending")
    got = p.verify()
    tap.equal(got.status, 201, "verify-2fa")
    user = got.json["user"]
    tap.equal((user["username"], user["email"]), (p.username, p.email), "the user")
    tap.equal(user["public_key"].strip(), pem(bytes(p.key.verify_key)).strip(), "the key, as PEM")
    tap.check(len(got.json["recovery_codes"]) >= 5, "recovery codes")
    tap.equal(len(set(got.json["recovery_codes"])), len(got.json["recovery_codes"]), "all different")
    tap.equal(p.get("/api/conversations").status, 200, "logged in by bearer")
    tap.equal(p.get("/api/conversations", auth="cookie-only").status, 200, "logged in by cookie")
    tap.check("totp" not in dumps(user) and "password" not in dumps(user), "no secret in the user")


@tap.case
def cookies_are_out_of_reach_of_scripts(w):
    p = w.newcomer()
    answers = [p.begin(), p.verify()]
    for answer in answers:
        tap.check(answer.cookies(), f"{answer!r} sets a cookie")
        for name, (_, attributes) in answer.cookies().items():
            if "max-age=0" in attributes:
                continue
            tap.check("httponly" in attributes, f"{name}: HttpOnly in {attributes}")
            tap.check("samesite=lax" in attributes, f"{name}: SameSite=Lax in {attributes}")
            tap.check("path=/" in attributes, f"{name}: Path=/ in {attributes}")
            tap.check("secure" not in attributes, f"{name}: no Secure without TLS")


@tap.case
def answers_with_secrets_are_not_cached(w):
    p = w.newcomer()
    for answer in (p.begin(), p.verify(), p.login(), p.get("/api/conversations")):
        tap.check("no-store" in answer.headers.get("cache-control", ""), f"{answer!r}: no-store")


@tap.case
def a_registration_needs_its_cookie_its_key_and_its_code(w):
    p, other = w.newcomer(), w.newcomer()
    p.begin()
    other.begin()
    code = p.code()
    got = p.signed("/api/register/verify-2fa", {"totp_code": code}, auth=None)
    tap.equal((got.status, got.code), (401, "NO_PENDING_REGISTRATION"), "without the cookie")
    got = p.call("POST", "/api/register/verify-2fa", signed_body(other.key, {"totp_code": code}),
                 auth="cookie")
    tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), "with another's key")
    wrong = f"{(int(code) + 1) % 1000000:06d}"
    got = p.signed("/api/register/verify-2fa", {"totp_code": wrong}, auth="cookie")
    tap.equal((got.status, got.code), (401, "INVALID_TOTP"), "with a wrong code")
    tap.equal(p.verify(code).status, 201, "with all of them, after a wrong code")
    got = p.signed("/api/register/verify-2fa", {"totp_code": p.code()}, auth="cookie")
    tap.equal((got.status, got.code), (401, "NO_PENDING_REGISTRATION"), "a second time")


@tap.case
def guessing_the_code_of_a_registration_is_bounded(w):
    p = w.newcomer()
    p.begin()
    right = {totp(p.secret, int(time.time()) // 30 + i) for i in (-2, -1, 0, 1, 2)}
    guesses = [f"{n:06d}" for n in range(40) if f"{n:06d}" not in right]
    refused = None
    for tries, guess in enumerate(guesses):
        got = p.signed("/api/register/verify-2fa", {"totp_code": guess}, auth="cookie")
        if got.code != "INVALID_TOTP":
            refused = got
            break
    if tap.check(refused is not None, f"still guessing after {tries + 1} tries"):
        tap.one_of(refused.status, (401, 429), "refused")
        tap.check(p.verify().status != 201, "the right code comes too late")


@tap.case
def names_addresses_and_keys_are_unique(w):
    for changes in ({"username": w.alice.username}, {"username": w.alice.username.upper()},
                    {"email": w.alice.email}, {"email": w.alice.email.upper()}):
        got = w.newcomer().begin(**changes)
        tap.equal((got.status, got.code), (409, "USER_EXISTS"), f"{changes}")
    p = w.newcomer()
    p.key = w.alice.key
    got = p.begin()
    tap.equal((got.status, got.code), (409, "USER_EXISTS"), "the same key")


@tap.case
def two_pending_registrations_of_one_name_give_one_account(w):
    first = w.newcomer()
    second = Person(w.server, first.username)
    second.email = "other-" + first.email
    answers = [first.begin(), second.begin()]
    tap.equal(answers[0].status, 201, "the first begins")
    tap.one_of(answers[1].status, (201, 409), "the second may begin")
    tap.equal(first.verify().status, 201, "the first is there")
    if answers[1].status == 201:
        tap.equal(second.verify().status, 409, "the second is not")


@tap.case
def a_pending_registration_survives_a_restart(w):
    with Server() as server:
        p = Person(server)
        p.begin()
        server.restart()
        tap.equal(p.verify().status, 201, "verify-2fa after a restart")


BAD_REGISTRATIONS = {
    "username empty": {"username": ""},
    "username of 25": {"username": "u" * 25},
    "username with blank": {"username": "a b"},
    "username with slash": {"username": "a/b"},
    "username not ASCII": {"username": "zoë"},
    "username with line feed": {"username": "zoe\n"},
    "email without @": {"email": "nobody"},
    "email with two @": {"email": "a@b@c"},
    "email with line feed": {"email": "a@b.c\r\nBcc: x@y.z"},
    "email of 300": {"email": "a" * 290 + "@b.example"},
    "password_hash of 63": {"password_hash": "a" * 63},
    "password_hash of 65": {"password_hash": "a" * 65},
    "password_hash not hex": {"password_hash": "g" * 64},
    "encrypted_private_key empty": {"encrypted_private_key": ""},
    "encrypted_private_key not base64": {"encrypted_private_key": "ab?="},
    "encrypted_private_key too long": {"encrypted_private_key": "QUJD" * 3000},
    "iv of 11": {"encryption_iv": "00" * 11},
    "iv of 17": {"encryption_iv": "00" * 17},
    "iv not hex": {"encryption_iv": "zz" * 12},
}


def bad_registration(w, name):
    got = w.newcomer().begin(**BAD_REGISTRATIONS[name])
    tap.one_of(got.status, (400, 413, 422), name)


tap.cases(BAD_REGISTRATIONS, bad_registration)


@tap.case
def good_values_at_their_limits_register(w):
    for changes in ({"username": "Aa0._-" + os.urandom(9).hex()}, {"encryption_iv": "0a" * 16},
                    {"username": os.urandom(1).hex()[:1]}):
        tap.equal(w.newcomer().begin(**changes).status, 201, f"{changes}")


def spki(oid_der, key):
    inner = b"\x30" + bytes([len(oid_der)]) + oid_der + b"\x03" + bytes([len(key) + 1]) + b"\0" + key
    return b"\x30" + bytes([len(inner)]) + inner


def armour(der, label="PUBLIC KEY"):
    text = base64.b64encode(der).decode()
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"


ED25519 = bytes.fromhex("06032b6570")
BAD_KEYS = {
    "not PEM": "hello",
    "empty": "",
    "cut": armour(spki(ED25519, b"k" * 32))[:-30],
    "X25519": armour(spki(bytes.fromhex("06032b656e"), b"k" * 32)),
    "31 bytes": armour(spki(ED25519, b"k" * 31)),
    "33 bytes": armour(spki(ED25519, b"k" * 33)),
    "trailing bytes": armour(spki(ED25519, b"k" * 32) + b"x"),
    "a private key": armour(spki(ED25519, b"k" * 32), "PRIVATE KEY"),
    "of small order": armour(spki(ED25519, b"\x01" + bytes(31))),
    "too long": armour(b"k" * 5000),
    "a number": 5,
}


def bad_public_key(w, name):
    got = w.newcomer().begin(public_key=BAD_KEYS[name])
    tap.one_of(got.status, (400, 401, 413, 422), name)


tap.cases(BAD_KEYS, bad_public_key)


@tap.case
def another_public_key_than_the_signer_is_refused(w):
    got = w.newcomer().begin(public_key=pem(bytes(w.newcomer().key.verify_key)))
    tap.equal((got.status, got.code), (401, "BAD_SIGNATURE"), "another's key")


# --- logging in ---

@tap.case
def login_gives_the_wrapped_key_and_a_session(w):
    got = w.alice.login()
    tap.equal(got.status, 200, "login")
    body = got.json
    tap.equal(body["encrypted_private_key"], w.alice.wrapped, "wrapped key")
    tap.equal(body["encryption_iv"], w.alice.iv, "IV")
    tap.equal(body["user"]["username"], w.alice.username, "user")
    tap.check(body["expires_in"] > 0 and body["token"].count(".") == 2, "a JWT that ends")
    tap.check("tacit_session" in got.cookies(), "session cookie")


@tap.case
def the_real_derivation_logs_in(w):
    p = Person(w.server, password="correct horse 1!").register()
    tap.equal(p.login().status, 200, "login")


@tap.case
def the_short_paths_are_the_same_calls(w):
    p = w.newcomer()
    got = p.signed("/register", p.registration(), auth="cookie-only")
    tap.equal(got.status, 201, "POST /register")
    p.secret = got.json["secret"]
    tap.equal(p.verify().status, 201, "verify-2fa")
    tap.equal(p.signed("/login", p.login_data()).status, 200, "POST /login")


@tap.case
def the_name_is_found_in_any_case(w):
    tap.equal(w.bob.login(username=w.bob.username.upper()).status, 200, "upper case")


@tap.case
def a_failed_login_does_not_tell_why(w):
    """Unknown name, wrong password, wrong key: the same words."""
    stranger = w.newcomer()
    wrong = hashlib.sha256(b"wrong").hexdigest()
    now = int(time.time()) // 30
    bad_code = next(c for c in ("000000", "000001", "000002", "000003", "000004", "000005")
                    if c not in {totp(w.alice.secret, now + i) for i in range(-2, 3)})

    def attempt(key, **data):
        return stranger.call("POST", "/api/login", signed_body(key, data), auth=None)

    answers = {
        "unknown name": attempt(stranger.key, username="nobody-here", password_hash=wrong,
                                totp_code=bad_code),
        "wrong password": attempt(w.alice.key, username=w.alice.username, password_hash=wrong,
                                  totp_code=bad_code),
        "wrong password and key": attempt(stranger.key, username=w.alice.username,
                                          password_hash=wrong, totp_code=bad_code),
        "wrong key": attempt(stranger.key, username=w.alice.username,
                             password_hash=w.alice.password_hash, totp_code=bad_code),
    }
    for name, answer in answers.items():
        tap.equal(without_time(answer), without_time(answers["unknown name"]), name)
        tap.equal((answer.status, answer.code), (401, "INVALID_CREDENTIALS"), name)


@tap.case
def a_wrong_second_factor_is_refused(w):
    """Told only to who has the password and the key."""
    for factor in ({"totp_code": totp(w.alice.secret, 1)}, {"recovery_code": "AAAA-BBBB-CCCC-DDDD"},
                   {"recovery_code": "?"}):
        got = w.alice.login(**factor)
        tap.equal((got.status, got.code), (401, "INVALID_TOTP"), f"{factor}")
    got = w.alice.login(ticket="x" * 43)
    tap.equal((got.status, got.code), (401, "INVALID_TICKET"), "ticket")


@tap.case
def a_new_device_is_not_told_either(w):
    wrong = hashlib.sha256(b"wrong").hexdigest()
    bodies = {
        "unknown name": {"username": "nobody-here", "password_hash": wrong, "totp_code": "000000"},
        "wrong password": {"username": w.bob.username, "password_hash": wrong,
                           "totp_code": w.bob.code()},
        "wrong code": {"username": w.bob.username, "password_hash": w.bob.password_hash,
                       "totp_code": totp(w.bob.secret, 1)},
    }
    answers = {name: w.bob.post("/api/login/new-device", body, auth=None)
               for name, body in bodies.items()}
    for name, answer in answers.items():
        tap.equal(without_time(answer), without_time(answers["unknown name"]), name)
        tap.equal(answer.status, 401, name)


@tap.case
def a_failed_login_takes_the_same_time(w):
    wrong = hashlib.sha256(b"wrong").hexdigest()
    stranger = w.newcomer()
    times, ratio = {"known": [], "unknown": []}, 0
    for i in range(200):
        for kind, name in (("known", w.alice.username), ("unknown", f"nobody{i}")):
            body = signed_body(stranger.key, {"username": name, "password_hash": wrong,
                                              "totp_code": f"{i:06d}"})
            began = time.monotonic()
            stranger.call("POST", "/api/login", body, auth=None)
            times[kind].append(time.monotonic() - began)
        # The fastest of each: what else the machine did has made others slower, and none faster. On a busy one it
        # takes more tries until neither was disturbed.
        ratio = min(times["known"]) / min(times["unknown"])
        if i >= 8 and 0.5 < ratio < 2:
            break
    tap.check(0.5 < ratio < 2, f"known/unknown = {ratio:.2f} of {len(times['known'])}")


@tap.case
def a_code_works_once(w):
    p = w.newcomer().register()
    code = p.code()
    tap.equal(p.login(totp_code=code).status, 200, "first")
    check_refused(p.login(totp_code=code), "INVALID_TOTP", "again")
    p.last_step -= 2
    check_refused(p.login(totp_code=totp(p.secret, p.last_step)), "INVALID_TOTP", "an older one")


@tap.case
def a_recovery_code_works_once(w):
    p = w.newcomer().register()
    code = p.recovery_codes[0]
    tap.equal(p.login(recovery_code=code).status, 200, "first")
    check_refused(p.login(recovery_code=code), "INVALID_TOTP", "again")
    tap.equal(p.login(recovery_code=p.recovery_codes[1]).status, 200, "another")
    check_refused(w.bob.login(recovery_code=p.recovery_codes[2]), "INVALID_TOTP", "another's")


@tap.case
def a_second_factor_is_needed(w):
    data = {"username": w.alice.username, "password_hash": w.alice.password_hash}
    tap.one_of(w.alice.signed("/api/login", data).status, (400, 401, 422), "without")
    for code in ("", "12345", "1234567", "12345a", 123456):
        tap.one_of(w.alice.signed("/api/login", {**data, "totp_code": code}).status,
                   (400, 401, 422), f"{code!r}")


@tap.case
def a_new_device_gets_the_wrapped_key_and_a_ticket(w):
    p = w.newcomer().register()
    body = {"username": p.username, "password_hash": p.password_hash, "totp_code": p.code()}
    got = p.post("/api/login/new-device", body, auth=None)
    tap.equal(got.status, 200, "new-device")
    tap.equal((got.json["encrypted_private_key"], got.json["encryption_iv"]), (p.wrapped, p.iv),
              "wrapped key")
    tap.check("token" not in got.json and not got.cookies(), "no session yet")
    tap.equal(p.post("/api/login/new-device", body, auth=None).status, 401, "the code works once")
    check_refused(p.login(totp_code=body["totp_code"]), "INVALID_TOTP", "also not for login")
    ticket = got.json["ticket"]
    check_refused(w.bob.login(ticket=ticket), "INVALID_TICKET", "another's ticket")
    check_refused(p.login(ticket=ticket[::-1]), "INVALID_TICKET", "forged")
    tap.equal(p.login(ticket=ticket).status, 200, "all that did not spend it")


@tap.case
def a_ticket_works_once(w):
    p = w.newcomer().register()
    ticket = p.must(p.post("/api/login/new-device", {
        "username": p.username, "password_hash": p.password_hash, "totp_code": p.code()},
        auth=None))["ticket"]
    tap.equal(p.login(ticket=ticket).status, 200, "first")
    check_refused(p.login(ticket=ticket), "INVALID_TICKET", "again")


@tap.case
def a_ticket_does_not_buy_the_next_one(w):
    p = w.newcomer().register()
    body = {"username": p.username, "password_hash": p.password_hash}
    ticket = p.must(p.post("/api/login/new-device", {**body, "totp_code": p.code()}, auth=None))["ticket"]
    got = p.post("/api/login/new-device", {**body, "ticket": ticket}, auth=None)
    tap.one_of(got.status, (400, 401, 422), "new-device by ticket")
    tap.equal(p.login(ticket=ticket).status, 200, "it is still good for what it is for")


@tap.case
def guessing_the_code_of_an_account_is_bounded(_):
    """Also for who has the password and the key, or, on a new device, the password alone."""
    for new_device in (False, True):
        with Server(RATE_LOGIN=20) as server:
            p = Person(server).register()
            right = {totp(p.secret, int(time.time()) // 30 + i) for i in (-2, -1, 0, 1, 2)}
            body = {"username": p.username, "password_hash": p.password_hash}

            def attempt(code):
                if new_device:
                    return p.post("/api/login/new-device", {**body, "totp_code": code}, auth=None)
                return p.login(totp_code=code)
            for code in [f"{n:06d}" for n in range(30) if f"{n:06d}" not in right][:22]:
                tap.one_of(attempt(code).status, (401, 429), "a guess")
            tap.one_of(attempt(p.code()).status, (401, 429), "the right one comes too late")


@tap.case
def a_ticket_does_not_replace_the_password(w):
    p = w.newcomer().register()
    ticket = p.must(p.post("/api/login/new-device", {
        "username": p.username, "password_hash": p.password_hash, "totp_code": p.code()},
        auth=None))["ticket"]
    check_refused(p.login(ticket=ticket, password_hash="0" * 64), "INVALID_CREDENTIALS",
                  "wrong password")


tap.main(world)
