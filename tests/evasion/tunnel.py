#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much a tunnel of questions carried: tunnel.py MESSAGES ZONE

Of the DNS messages that the witness saw (hexadecimal, one a line) those about names below ZONE.
Prints: distinct questions, bytes of the labels in front of the zone, and how many bytes of anything
they can tell: label bytes times log2 of the number of different bytes that are used in any of the
names (two cases of a letter are two), and for each question log2 of the number of types used.
"""
import math
import struct
import sys


def question_of(message):
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    return tuple(labels), struct.unpack("!H", message[at + 1:at + 3])[0]


def main():
    path, zone = sys.argv[1:]
    zone = tuple(zone.encode().split(b"."))
    questions = set()
    with open(path, encoding="ascii") as lines:
        for line in lines:
            try:
                labels, kind = question_of(bytes.fromhex(line))
            except (IndexError, ValueError, struct.error):
                continue
            if tuple(label.lower() for label in labels[-len(zone):]) == zone:
                questions.add((labels[:-len(zone)], kind))
    names = {b"".join(labels) for labels, _ in questions}
    used = set().union(*names)
    bits = sum(map(len, names)) * math.log2(max(len(used), 1))
    kinds = {kind for _, kind in questions}
    if len(kinds) > 1:
        bits += len(questions) * math.log2(len(kinds))
    print(len(questions), sum(map(len, names)), round(bits / 8))


main()
