"""Lets the native library of core-crypto run on Debian 12, whose C library is older than the one it was linked with.

It needs one function of glibc 2.38, strtol as C23 has it. The requirement is marked as weak in our copy of
the library, and the function comes from a small object that is loaded before it.
"""
import os
import struct
import subprocess

WEAK = 2  # VER_FLG_WEAK
SHIM = """#include <stdlib.h>
long __isoc23_strtol(const char *s, char **end, int base);
long __isoc23_strtol(const char *s, char **end, int base) { return strtol(s, end, base); }
"""


def _sections(image):
    start, = struct.unpack_from("<Q", image, 0x28)
    size, count, names = struct.unpack_from("<HHH", image, 0x3A)
    table = [struct.unpack_from("<IIQQQQIIQQ", image, start + i * size) for i in range(count)]
    return {_text(image, table[names][4] + s[0]): s for s in table}


def _text(image, at):
    return bytes(image[at:image.index(0, at)]).decode()


def weaken(path, version):
    """Marks a version that the library needs as one it can do without (ELF, .gnu.version_r)."""
    with open(path, "rb") as library:
        image = bytearray(library.read())
    sections = _sections(image)
    needs, strings = sections[".gnu.version_r"], sections[".dynstr"][4]
    at = needs[4]
    for _ in range(needs[7]):
        _, count, _, first, following = struct.unpack_from("<HHIII", image, at)
        entry = at + first
        for _ in range(count):
            _, flags, _, name, step = struct.unpack_from("<IHHII", image, entry)
            if _text(image, strings + name) == version:
                struct.pack_into("<H", image, entry + 4, flags | WEAK)
            entry += step
        at += following
    with open(path, "wb") as library:
        library.write(image)


def shim(folder):
    """The path of the object to be loaded before."""
    path = os.path.join(folder, "older_libc.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-x", "c", "-o", path, "-"], input=SHIM.encode(), check=True)
    return path
