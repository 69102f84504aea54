"""Every common writing of bytes that must be nowhere."""
import base64
import contextlib


def base64_forms(data):
    """What of data stands in any base64 that it is part of, at the three places it may begin."""
    for skip in range(3):
        whole = base64.b64encode(b"\0" * skip + data)
        first = (0, 2, 3)[skip]
        last = len(whole) - (0, 3, 2)[(skip + len(data)) % 3] if (skip + len(data)) % 3 else len(whole)
        middle = whole[first:last]
        yield f"base64 at {skip}", middle
        yield f"base64url at {skip}", middle.translate(bytes.maketrans(b"+/", b"-_"))


def forms(data):
    """Every writing of data: (its name, its bytes)."""
    yield "plain", data
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    yield from base64_forms(data)
    with contextlib.suppress(UnicodeDecodeError):
        yield "UTF-16LE", data.decode().encode("utf-16-le")
        yield "UTF-16BE", data.decode().encode("utf-16-be")
    yield "backwards", data[::-1]


def found(content, marks):
    """The marks that content holds: (mark's name, writing)."""
    return [(name, form) for name, mark in marks.items() for form, what in forms(mark)
            if what in content]
