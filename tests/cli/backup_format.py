#!/usr/bin/env python3
"""A stranger's reader of a repository, written after vrms_backup_repository(5) alone.

Usage: backup_format.py REPOSITORY VM NUMBER DISK OUTPUT; without compression or encryption.
SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import json
import os
import struct
import sys

ZERO = bytes(32)


def document(path):
    with open(path, "rb") as file:
        data = file.read()
    magic, version, flags = struct.unpack_from("<8sII", data, 0)
    assert (magic, version, flags) == (b"VRMSDOC\n", 1, 0), path
    (size,) = struct.unpack_from("<Q", data, 32)
    assert size == len(data) - 56, path
    return json.loads(data[56:])


def pack_table(path, found):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"VRMSPAK\n", path
    magic, count, zero, at = struct.unpack_from("<8sIIQ", data, len(data) - 40)
    assert (magic, zero) == (b"VRMSEND\n", 0), path
    for row in range(count):
        name, offset, size = struct.unpack_from("<32sII", data, at + 40 * row)
        found[name] = (path, offset, size)


def block(found, name):
    path, offset, size = found[name]
    with open(path, "rb") as file:
        file.seek(offset)
        header = file.read(56)
        content = file.read(size)
    magic, encoding, raw, stored, own = struct.unpack_from("<4sIII32s", header, 0)
    assert (magic, encoding, stored, own) == (b"VBLK", 0, size, name) and raw == size
    assert hashlib.sha256(content).digest() == name
    return content


def blocks(found, name, level, count):
    """The names of the first `count` blocks under a node."""
    if level < 0:
        return [name]
    node = block(found, name) if name != ZERO else bytes(4096)
    names = []
    for child in range(128):
        under = 128**level
        if count > child * under:
            names += blocks(
                found, node[32 * child : 32 * child + 32], level - 1, min(under, count - child * under)
            )
    return names


def main(root, vm, number, disk, output):
    config = document(os.path.join(root, "repository"))
    assert config["hash"] == "sha256" and config["compression"] == "none"
    point = document(os.path.join(root, "points", vm, "%010d" % int(number)))
    (part,) = [row for row in point["parts"] if row["name"] == disk]
    found = {}
    for folder, _, files in os.walk(os.path.join(root, "packs")):
        for name in files:
            pack_table(os.path.join(folder, name), found)
    levels = 1
    while 128**levels < part["blocks"]:
        levels += 1
    with open(output, "wb") as file:
        for name in blocks(found, bytes.fromhex(part["root"]), levels - 1, part["blocks"]):
            file.write(block(found, name) if name != ZERO else bytes(config["block_bytes"]))
        file.truncate(part["bytes"])


main(*sys.argv[1:])
