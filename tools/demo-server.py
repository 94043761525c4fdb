#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The internet of `make demo`: listens on every address and port that the agent tries, and writes
down what arrives. usage: demo-server.py FILE"""
import selectors
import socket
import sys

PORTS = (8080, 9999, 9123, 80)
out = open(sys.argv[1], "w", buffering=1)
ready = selectors.DefaultSelector()
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for port in PORTS:
            listener = socket.socket(family, kind)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            if kind == socket.SOCK_STREAM:
                listener.listen()
            ready.register(listener, selectors.EVENT_READ, kind)
out.write("ready\n")
while True:
    for key, _ in ready.select():
        if key.data == socket.SOCK_STREAM:
            peer, _ = key.fileobj.accept()
            peer.settimeout(2)
            what, text, port = "TCP", peer.recv(1000), peer.getsockname()[1]
        else:
            what, text, port = "UDP", key.fileobj.recv(1000), key.fileobj.getsockname()[1]
        out.write(f"{what} port {port}: {text.decode().strip()}\n")
