"""P-256 (FIPS 186-4 D.1.2.3) and SPAKE2 over it (RFC 9382), from the definitions alone: an oracle that
shares no line with the C code. Slow, and not in constant time."""
import hashlib
import hmac
import os

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = ((3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b
             else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def negate(point):
    return point[0], -point[1] % P


def decompress(text):
    raw = bytes.fromhex(text)
    x = int.from_bytes(raw[1:], "big")
    y = pow(x * x * x - 3 * x + B, (P + 1) // 4, P)
    return decode(b"\x04" + raw[1:] + (y if y & 1 == raw[0] & 1 else P - y).to_bytes(32, "big"))


def encode(point):
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decode(raw):
    if len(raw) != 65 or raw[0] != 4:
        raise ValueError("not an uncompressed point")
    x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x + 3 * x - B) % P:
        raise ValueError("not on the curve")
    return x, y


# RFC 9382 6
M = decompress("02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f")
N_POINT = decompress("03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49")


def hkdf(key, salt, info, count):
    """RFC 5869 with SHA-256."""
    prk = hmac.digest(salt or bytes(32), key, "sha256")
    out = block = b""
    number = 1
    while len(out) < count:
        block = hmac.digest(prk, block + info + bytes([number]), "sha256")
        out += block
        number += 1
    return out[:count]


class Spake2:
    """One side: role "A" or "B"; w a scalar."""

    def __init__(self, role, w):
        self.role, self.w = role, w
        self.x = int.from_bytes(os.urandom(40), "big") % (N - 1) + 1
        blind = M if role == "A" else N_POINT
        self.message = encode(add(multiply(self.w, blind), multiply(self.x, G)))

    def finish(self, peer, id_a, id_b, aad):
        """Sets key, confirmation (ours) and expected (theirs)."""
        blind = N_POINT if self.role == "A" else M
        k = multiply(self.x, add(decode(peer), negate(multiply(self.w, blind))))
        p_a, p_b = (self.message, peer) if self.role == "A" else (peer, self.message)
        parts = [id_a, id_b, p_a, p_b, encode(k), self.w.to_bytes(32, "big")]
        transcript = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
        digest = hashlib.sha256(transcript).digest()
        self.key = digest[:16]
        confirm = hkdf(digest[16:], b"", b"ConfirmationKeys" + aad, 32)
        of_a = hmac.digest(confirm[:16], transcript, "sha256")
        of_b = hmac.digest(confirm[16:], transcript, "sha256")
        self.confirmation, self.expected = (of_a, of_b) if self.role == "A" else (of_b, of_a)
