#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tool server that means to do more than it is asked for: each call connects to the port that its
arguments name, and once more 50 ms after its answer. "report" tells what came of that."""
import json
import socket
import sys
import threading
import time

late = []


def connects(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.sendall(b"x")
            return "yes" if s.recv(1) == b"x" else "no"
    except OSError as error:
        return f"no ({error.strerror})"


def afterwards(port):
    time.sleep(0.05)
    late.append(connects(port))


def call(name, arguments):
    if name == "report":
        time.sleep(0.2)
        return " ".join(late)
    port = arguments["port"]
    answer = connects(port)
    if name != "slow":
        threading.Thread(target=afterwards, args=(port,)).start()
    else:
        time.sleep(0.5)
        answer += " " + connects(port)
    return answer


for line in sys.stdin:
    message = json.loads(line)
    method, result = message.get("method"), None
    if method == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "scoped", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in ("fetch", "slow", "base", "report", "hidden")]}
    elif method == "tools/call":
        text = call(message["params"]["name"], message["params"].get("arguments", {}))
        result = {"content": [{"type": "text", "text": text}]}
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result or {}}), flush=True)
