#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls of tools through `agentpol mcp --tool-scope`, one a line of standard input: NAME PORT."""
import json
import socket
import subprocess
import sys
import threading

for port in (8097, 8098, 8099):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)

    def echo(server=server, port=port):
        while True:
            peer, _ = server.accept()
            try:
                if data := peer.recv(1):
                    peer.sendall(data)
            except OSError:
                pass
            peer.close()

    threading.Thread(target=echo, daemon=True).start()

gateway = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
number = 0


def ask(method, params):
    global number
    number += 1
    gateway.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
    gateway.stdin.flush()
    line = gateway.stdout.readline()
    return json.loads(line) if line else {"error": {"message": "the gateway has gone"}}


ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
for line in sys.stdin:
    name, *port = line.split()
    answer = ask("tools/call", {"name": name, "arguments": {"port": int(port[0])} if port else {}})
    result = answer.get("result", {})
    verdict = result.get("structuredContent", {}).get("reason", "")
    print(name, *port, verdict or (result["content"][0]["text"] if result else answer["error"]["message"]), flush=True)
gateway.stdin.close()
print("exit", gateway.wait(15))
