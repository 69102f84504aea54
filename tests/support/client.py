"""A small client of the server, written from the contract alone (no code of the product in it).

Every answer that passes through here is checked for what must hold for all of them: the security
headers, the form of errors, Retry-After on 429 and 503, Allow on 405.
"""
import base64
import datetime
import email.utils
import hashlib
import hmac
import http.client
import itertools
import json
import os
import re
import struct
import time
import urllib.parse
import uuid

import nacl.pwhash.argon2id
import nacl.signing

from support import tap

ERROR_STATUSES = {400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 415, 416, 417, 422,
                  423, 426, 429, 431, 460, 500, 501, 503, 505, 507}
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
SECURITY_HEADERS = {
    "content-security-policy": lambda v: ("'unsafe-inline'" not in v and "'unsafe-eval'" not in v
                                          and "frame-ancestors" in v),
    "x-content-type-options": lambda v: v == "nosniff",
    "x-frame-options": lambda v: v == "DENY",
    "referrer-policy": lambda v: v in ("no-referrer", "same-origin", "strict-origin"),
    "permissions-policy": lambda v: v != "",
    "cross-origin-opener-policy": lambda v: v == "same-origin",
    "cross-origin-resource-policy": lambda v: v in ("same-origin", "same-site"),
}


class Answer:
    def __init__(self, method, target, status, headers, body):
        self.method, self.target, self.status, self.body = method, target, status, body
        self.header_list = headers
        self.headers = {}
        for name, value in headers:
            self.headers.setdefault(name.lower(), value)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The machine word of an error, or None."""
        try:
            return self.json.get("code")
        except (ValueError, AttributeError):
            return None

    def cookies(self):
        """{name: (value, attributes in lower case)}"""
        found = {}
        for name, value in self.header_list:
            if name.lower() == "set-cookie":
                pair, *attributes = [part.strip() for part in value.split(";")]
                key, _, text = pair.partition("=")
                found[key] = (text, [a.lower() for a in attributes])
        return found

    def __repr__(self):
        return f"{self.method} {self.target} -> {self.status} {self.body[:200]!r}"


def check_common(answer, tls=False):
    """What must hold for every answer."""
    for name, good in SECURITY_HEADERS.items():
        value = answer.headers.get(name)
        tap.check(value is not None and good(value), f"{answer!r}: {name} is {value!r}")
    tap.equal("strict-transport-security" in answer.headers, tls, f"{answer!r}: HSTS")
    if answer.status >= 400:
        check_error(answer)


def check_error(answer):
    tap.check(answer.status in ERROR_STATUSES, f"{answer!r}: unexpected status")
    tap.check(answer.status != 500, f"{answer!r}: an internal error")
    if answer.status in (429, 503):
        after = answer.headers.get("retry-after", "")
        tap.check(after.isdigit() and int(after) >= 1, f"{answer!r}: Retry-After is {after!r}")
    if answer.status == 405:
        tap.check("allow" in answer.headers, f"{answer!r}: no Allow")
    if answer.method == "HEAD":
        return
    try:
        error = answer.json
        ok = (isinstance(error["error"], str) and error["error"] != ""
              and re.fullmatch(r"[A-Z][A-Z0-9_]*", error["code"])
              and RFC3339.match(error["timestamp"]))
    except (ValueError, KeyError, TypeError):
        ok = False
    tap.check(ok, f"{answer!r}: not an error object")
    tap.check(answer.headers.get("content-type", "").startswith("application/json"),
              f"{answer!r}: content type {answer.headers.get('content-type')!r}")


def totp(secret, step):
    """RFC 6238 with SHA-1, 30 s, six digits; the step is the count of half minutes."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[19] & 15
    number = struct.unpack(">I", digest[offset:offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1000000:06d}"


def fresh_step(last):
    """The earliest half minute behind the last one whose code is good now and will be on arrival: the previous one's
    only while that has ten seconds left. Waits for it if it must."""
    while True:
        seconds = time.time()
        now = int(seconds // 30)
        step = max(last + 1, now - 1 if seconds % 30 < 20 else now)
        if step <= now + 1:
            return step
        time.sleep(0.2)


def password_hash(password, email_address):
    """Contract 2, the client's side."""
    salt = hashlib.sha256((password + email_address).encode()).digest()[:16]
    return nacl.pwhash.argon2id.kdf(32, password.encode(), salt, opslimit=2,
                                    memlimit=16384 * 1024).hex()


def pem(public_key):
    der = bytes.fromhex("302a300506032b6570032100") + public_key
    return ("-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der).decode()
            + "\n-----END PUBLIC KEY-----\n")


def b64(data):
    return base64.b64encode(data).decode()


def dumps(value):
    """What JSON.stringify gives for the values used here."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def sign_text(key, data_text, timestamp_text):
    message = f'{{"data":{data_text},"timestamp":{timestamp_text}}}'.encode()
    return key.sign(hashlib.sha256(message).digest()).signature.hex()


def signed_body(key, data, timestamp=None, **extra):
    """A body of contract 1, way 1; extra gives further members beside data."""
    data_text = dumps(data)
    stamp = int(time.time()) if timestamp is None else timestamp
    signature = sign_text(key, data_text, str(stamp))
    more = "".join(f",{dumps(k)}:{dumps(v)}" for k, v in extra.items())
    return f'{{"data":{data_text},"signature":"{signature}","timestamp":{stamp}{more}}}'


_serial = itertools.count()


class Person:
    """An account from its owner's side, and a way to the server."""

    def __init__(self, server, username=None, password=None):
        self.server = server
        self.username = username or f"u{next(_serial)}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.email = f"{self.username}@example.org"
        self.key = nacl.signing.SigningKey.generate()
        # The server cannot tell; only a case of its own pays for the real derivation.
        self.password_hash = (password_hash(password, self.email) if password
                              else hashlib.sha256(self.username.encode()).hexdigest())
        self.wrapped = b64(os.urandom(96))
        self.iv = os.urandom(12).hex()
        self.secret = None
        self.last_step = 0
        self.token = self.refresh = None
        self.recovery_codes = []
        self.user = None
        self.cookies = {}
        self.tls = False  # is the server to think so?

    # --- requests ---
    def raw(self, method, target, body=None, headers=None, timeout=60):
        """One exchange on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            given = {k.lower() for k in headers or {}}
            data = body.encode() if isinstance(body, str) else body
            if data is not None and "content-length" not in given and "transfer-encoding" not in given:
                connection.putheader("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            if data:
                try:
                    connection.send(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # refused early: the answer is there to read
            got = connection.getresponse()
            answer = Answer(method, target, got.status, got.getheaders(), got.read())
        finally:
            connection.close()
        check_common(answer, self.tls)
        return answer

    def call(self, method, target, body=None, auth="bearer", headers=None, **options):
        """auth: "bearer", "cookie" (with the server's own Origin), "cookie-only", None."""
        all_headers = {}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        if not isinstance(body, (str, bytes, type(None))):
            body = dumps(body)
        if auth == "bearer" and self.token:
            all_headers["Authorization"] = f"Bearer {self.token}"
        if auth in ("cookie", "cookie-only"):
            all_headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if auth == "cookie":
            all_headers["Origin"] = self.server.url
        all_headers.update(headers or {})
        answer = self.raw(method, target, body, all_headers, **options)
        for name, (value, attributes) in answer.cookies().items():
            if value == "" or "max-age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def get(self, target, **options):
        return self.call("GET", target, **options)

    def post(self, target, body=None, **options):
        return self.call("POST", target, {} if body is None else body, **options)

    def put(self, target, body, **options):
        return self.call("PUT", target, body, **options)

    def delete(self, target, body=None, **options):
        return self.call("DELETE", target, body, **options)

    def signed_text(self, data):
        return signed_body(self.key, data)

    def signed(self, target, data, method="POST", auth=None, timestamp=None, **extra):
        """A signed request; without cookie or bearer, `username=` beside data names the key."""
        return self.call(method, target, signed_body(self.key, data, timestamp, **extra), auth=auth)

    # --- the account ---
    def registration(self, **changes):
        data = {"email": self.email, "username": self.username,
                "password_hash": self.password_hash, "encrypted_private_key": self.wrapped,
                "public_key": pem(bytes(self.key.verify_key)), "encryption_iv": self.iv}
        data.update(changes)
        return {k: v for k, v in data.items() if v is not None}

    def begin(self, **changes):
        answer = self.signed("/api/register", self.registration(**changes), auth="cookie-only")
        if answer.status == 201:
            self.secret = answer.json["secret"]
        return answer

    def verify(self, code=None):
        answer = self.signed("/api/register/verify-2fa", {"totp_code": code or self.code()},
                             auth="cookie")
        if answer.status == 201:
            self.recovery_codes = list(answer.json["recovery_codes"])
        return self._logged_in(answer)

    def register(self, **changes):
        answer = self.begin(**changes)
        if answer.status != 201:
            raise AssertionError(f"register: {answer!r}")
        answer = self.verify()
        if answer.status != 201:
            raise AssertionError(f"verify-2fa: {answer!r}")
        return self

    def code(self):
        """A code that was not used before: the previous, this or the next half minute's."""
        self.last_step = fresh_step(self.last_step)
        return totp(self.secret, self.last_step)

    def second_factor(self):
        """A code if one is at hand without waiting, else a recovery code."""
        if self.last_step < int(time.time()) // 30 + 1 or not self.recovery_codes:
            return {"totp_code": self.code()}
        return {"recovery_code": self.recovery_codes.pop()}

    def login_data(self, **changes):
        # The nonce keeps two logins of one second apart: else the second is a replay of the first.
        data = {"username": self.username, "password_hash": self.password_hash,
                "nonce": uuid.uuid4().hex}
        if not {"totp_code", "recovery_code", "ticket"} & set(changes):
            data.update(self.second_factor())
        data.update(changes)
        return {k: v for k, v in data.items() if v is not None}

    def login(self, **changes):
        return self._logged_in(self.signed("/api/login", self.login_data(**changes)))

    def another_session(self):
        """The same account, logged in once more, as from another machine."""
        other = Person(self.server, self.username)
        for name in ("email", "key", "password_hash", "wrapped", "iv", "secret", "user"):
            setattr(other, name, getattr(self, name))
        other.last_step = self.last_step
        factor = self.second_factor()
        answer = other.login(**factor)
        if answer.status != 200:
            raise AssertionError(f"login: {answer!r}")
        return other

    def _logged_in(self, answer):
        if answer.status in (200, 201):
            got = answer.json
            self.user, self.token, self.refresh = got["user"], got["token"], got["refresh_token"]
        return answer

    # --- shorthands that must succeed ---
    def must(self, answer, *statuses):
        if answer.status not in (statuses or (200, 201)):
            raise AssertionError(f"want {statuses or (200, 201)}: {answer!r}")
        return answer.json if answer.body else None

    def conversation(self, kind, *others, **more):
        body = {"kind": kind, "participants": [p.username for p in others], **more}
        if kind in ("group", "room"):
            body.setdefault("name", f"a {kind}")
        return self.must(self.post("/api/conversations", body))["id"]

    def send(self, conversation, content=b"opaque", **more):
        return self.must(self.post(f"/api/conversations/{conversation}/messages",
                                   {"content": b64(content), **more}))

    def upload(self, content, auth="bearer", name="x", headers=None, **fields):
        kind, body = multipart(content, name, **fields)
        return self.call("POST", "/api/files/upload", body, auth=auth,
                         headers={"Content-Type": kind, **(headers or {})})


def download(person, file_id, **headers):
    return person.get(f"/api/files/{file_id}/download",
                      headers={k.replace("_", "-"): v for k, v in headers.items()})


def multipart(content, name="x", field="file", **fields):
    """Content type and body of a form with one file."""
    boundary = f"b{uuid.uuid4().hex}"
    parts = []
    for key, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
                     .encode())
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"'
                 "\r\nContent-Type: application/octet-stream\r\n\r\n".encode())
    parts += [content, f"\r\n--{boundary}--\r\n".encode()]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def device(key, device_id=None, signature_key=None, created_at=None):
    """A device and its certificate by the account key (docs/protocol.md, "Devices")."""
    device_id = device_id or os.urandom(16)
    signature_key = signature_key or os.urandom(32)
    created = struct.pack(">Q", int(time.time()) if created_at is None else created_at)
    fields = b"".join(bytes([len(part)]) + part
                      for part in (b"tacit device v2", device_id, signature_key))
    certificate = key.sign(fields + created).signature
    return b"\x01" + device_id + signature_key + created + certificate


def unix(rfc3339):
    return datetime.datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


def http_date(text):
    return email.utils.parsedate_to_datetime(text)


def query(**parameters):
    return "?" + urllib.parse.urlencode(parameters)
