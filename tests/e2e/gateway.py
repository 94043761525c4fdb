#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway's connection to policyd, by hand: requests from standard input, a line each, and their
answers; a line "wait" waits for one that comes by itself, "pause FILE" until FILE is there."""
import json
import os
import socket
import sys
import time

path, manifest = sys.argv[1:3]
link = socket.socket(socket.AF_UNIX)
link.settimeout(20)
link.connect(path)
lines = link.makefile("r")
body = open(manifest, "rb").read()


def send(request, rest=b""):
    link.sendall(json.dumps(request).encode() + b"\n" + rest)
    return lines.readline().strip()


print(send({"op": "calls", "body_bytes": len(body)}, body), flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "wait":
        print(lines.readline().strip() or "gone", flush=True)
    elif words[0] == "pause":
        while not os.path.exists(words[1]):
            time.sleep(0.02)
    else:
        print(send(json.loads(line)), flush=True)
