#!/usr/bin/env python3
"""Writes the numbered migrations into one C file: text and SHA-256 of each, in order.

embed.py OUT.c 001-first.sqlite.sql ..."""
import hashlib
import os
import re
import sys


def literal(line):
    return '"%s\\n"' % line.replace("\\", "\\\\").replace('"', '\\"')


def main():
    out, inputs = sys.argv[1], sys.argv[2:]
    parts = ['#include "server/store/migrations.h"\n']
    rows = []
    for expected, path in enumerate(inputs, start=1):
        name = os.path.basename(path)
        match = re.fullmatch(r"(\d{3})-[a-z0-9-]+\.sqlite\.sql", name)
        if match is None or int(match.group(1)) != expected:
            sys.exit("%s: not migration number %03d" % (name, expected))
        with open(path, "rb") as source:
            data = source.read()
        lines = data.decode("ascii").splitlines()
        # One array per line of text: a whole file would pass the 4095 characters that C promises.
        parts.append("static const char *const lines_%d[] = {" % expected)
        parts += ["\t%s," % literal(line) for line in lines]
        parts.append("\tNULL};\n")
        digest = ", ".join("0x%02x" % b for b in hashlib.sha256(data).digest())
        rows.append('\t{%d, "%s", lines_%d, {%s}},' % (expected, name, expected, digest))
    parts.append("const struct store_migration store_migrations[] = {")
    parts += rows
    parts.append("};")
    parts.append("const size_t store_migration_count = %d;" % len(inputs))
    with open(out, "w", encoding="ascii") as target:
        target.write("\n".join(parts) + "\n")


main()
