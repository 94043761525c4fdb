#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is the resolver, in a network namespace of its own, and answers its own question there.

    unshare -Urn own_space.py RESOLVER NAME ADDRESS

What is learnt there is that namespace's affair: ADDRESS must not be open outside of it.
"""
import socket
import struct
import subprocess
import sys

OWN = "10.5.5.5"
resolver, name, address = sys.argv[1:]
for line in ("link set lo up", f"addr add {OWN}/32 dev lo", "route add default dev lo"):
    subprocess.run(["ip", *line.split()], check=True)
for where in ("all", "lo"):
    try:
        with open(f"/proc/sys/net/ipv4/conf/{where}/rp_filter", "w") as setting:
            setting.write("0")
    except OSError:
        pass

labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
question = labels + b"\0" + struct.pack("!HH", 1, 1)
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(2)
asker.bind((OWN, 0))
asker.connect((resolver, 53))
asker.send(struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + question)
answer = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + question
answer += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + socket.inet_aton(address)
udp = struct.pack("!HHHH", 53, asker.getsockname()[1], 8 + len(answer), 0) + answer


def header(checksum):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, checksum,
                       socket.inet_aton(resolver), socket.inet_aton(OWN))


total = sum(struct.unpack("!10H", header(0)))
total = (total & 0xffff) + (total >> 16)
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("lo", 0x0800))
link.send(bytes(12) + b"\x08\0" + header(~total & 0xffff) + udp)
print("own-answer", len(asker.recv(512)), end=" ", flush=True)
