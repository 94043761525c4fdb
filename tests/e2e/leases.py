#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays the gateway for `agentpol run --leases`: servers on loopback that write down what reaches
them, a command that connects when it is told to, and a line a check: "ok" or "not ok"."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

agentpol, manifest, options = sys.argv[1], sys.argv[2], sys.argv[3:]
FETCH, OTHER, BASE = 8099, 8098, 8097
arrived = []


def serve(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)

    def echo(peer):
        try:
            while data := peer.recv(100):
                arrived.append((port, data))
                peer.sendall(data)
        except OSError:
            pass

    def accept():
        while True:
            peer, _ = server.accept()
            threading.Thread(target=echo, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


for port in (FETCH, OTHER, BASE):
    serve(port)

COMMAND = """
import socket, sys
kept = None
for line in sys.stdin:
    words = line.split()
    try:
        if words[0] == "connect":
            s = socket.create_connection(("127.0.0.1", int(words[1])), 1)
            s.settimeout(1)
            s.sendall(words[2].encode())
            answer = s.recv(100).decode()
            if words[2] == "keep":
                kept = s
        else:
            kept.sendall(words[1].encode())
            answer = kept.recv(100).decode()
        print("yes" if answer == words[-1] else "no", flush=True)
    except OSError:
        print("no", flush=True)
"""

with open(manifest, "w") as file:
    grant = lambda port, **more: {"effect": "read", "network": {"egress": [{"to": "127.0.0.1", "ports": [port]}]}, **more}
    json.dump({"agentpol": 1, "name": os.environ["NAME"], "tools": {
        "fetch": grant(FETCH, scope="call"), "other": grant(OTHER, scope="call"), "base": grant(BASE)}}, file)

ours, theirs = socket.socketpair()
run = subprocess.Popen(
    [agentpol, "run", "-q", *options, "-m", manifest, "--tool", "*", "--leases", str(theirs.fileno()), "--", "python3", "-c", COMMAND],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[theirs.fileno()])
theirs.close()
lines = ours.makefile("r")
count = 0


def check(what, got, wanted):
    global count
    count += 1
    print(f"{'ok' if got == wanted else 'not ok'} {what}")
    if got != wanted:
        print(f"# got: {got}, wanted: {wanted}")


def tell(line):
    run.stdin.write(line + "\n")
    run.stdin.flush()
    return run.stdout.readline().strip()


def reaches(port, token="x"):
    return tell(f"connect {port} {token}")


def lease(line):
    ours.sendall(line.encode() + b"\n")
    return lines.readline().strip()


check("what the server's tools may at any time is open", reaches(BASE), "yes")
check("what a call alone may is not", [reaches(FETCH), reaches(OTHER)], ["no", "no"])
check("a call begins", lease("open fetch"), "ok")
check("and opens its own grant, and no other", [reaches(FETCH, "keep"), reaches(OTHER), reaches(BASE)], ["yes", "no", "yes"])
check("a connection goes on", tell("again one"), "yes")
check("another tool's call begins meanwhile", lease("open other"), "ok")
check("both are open", [reaches(FETCH), reaches(OTHER)], ["yes", "yes"])
check("the first ends", lease("close fetch"), "ok")
check("and its grant alone", [reaches(FETCH, "late"), reaches(OTHER), reaches(BASE)], ["no", "yes", "yes"])
check("its connection carries nothing any more", tell("again two"), "no")
time.sleep(0.3)
check("as the far end saw it", [(FETCH, b"two") in arrived, (FETCH, b"late") in arrived, (FETCH, b"one") in arrived], [False, False, True])
check("the other ends", lease("close other"), "ok")
check("nothing is left open", [reaches(FETCH), reaches(OTHER)], ["no", "no"])
check("calls of one tool are counted", [lease("open fetch"), lease("open fetch"), lease("close fetch"), reaches(FETCH)], ["ok", "ok", "ok", "yes"])
check("and the last one closes", [lease("close fetch"), reaches(FETCH)], ["ok", "no"])
check("one end too many opens nothing", [lease("close fetch"), reaches(FETCH), lease("open fetch"), reaches(FETCH), lease("close fetch"), reaches(FETCH)],
      ["ok", "no", "ok", "yes", "ok", "no"])
check("a tool of the server's own scope can't be lent", lease("open base").split()[0], "error")
check("nor one that is not there", lease("open nothing").split()[0], "error")
check("nonsense is an error", lease("zzz").split()[0], "error")
lease("open fetch")
time.sleep(7)
check("a long call stays open", reaches(FETCH), "yes")
keepers = [run.pid] + [int(p) for p in os.environ.get("POLICYD_PID", "").split()]
for pid in keepers:
    os.kill(pid, signal.SIGSTOP)
time.sleep(6.5)
check("with nobody awake who would renew it, the kernel closes it", reaches(FETCH), "no")
for pid in reversed(keepers):
    os.kill(pid, signal.SIGCONT)
time.sleep(1.5)
check("whoever wakes up again opens it again", reaches(FETCH), "yes")
lines.close()
ours.close()
time.sleep(0.2)
check("a gateway that is gone has no calls under way", [reaches(FETCH), reaches(BASE)], ["no", "yes"])
run.stdin.close()
check("the command ends as it ends", run.wait(10), 0)
