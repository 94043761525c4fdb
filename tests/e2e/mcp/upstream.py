#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server of Streamable HTTP that speaks oddly: upstream.py PORT LOG. What the tool's name says is
how it answers; each request's method, tool and session go to LOG."""
import http.server
import json
import sys
import threading
import time

log = open(sys.argv[2], "a", buffering=1)
going = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def start(self, kind, status=200, length=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.path == "/mcp" and self.command == "POST" and self.initialises:
            self.send_header("Mcp-Session-Id", f"session-{len(going)}")
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_DELETE(self):
        log.write(f"DELETE {self.headers.get('Mcp-Session-Id')}\n")
        self.initialises = False
        self.start("text/plain", 200, 0)

    def do_GET(self):
        self.initialises = False
        self.start("text/event-stream")
        self.chunk(b": hello\n\nid: 7\ndata:\n\n")
        self.chunk(b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')
        self.chunk(b'event: other\ndata: {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"hidden"}]}}\n\n')
        time.sleep(0.5)
        self.chunk(b"")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"]))
        message = json.loads(text)
        method, tool = message.get("method"), message.get("params", {}).get("name", "")
        self.initialises = method == "initialize"
        log.write(f"{method} {tool} {self.headers.get('Mcp-Session-Id')}\n")
        if self.initialises:
            going.append(1)
        if "id" not in message:
            self.start("text/plain", 202, 0)
            return
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {}}
        if method == "tools/list":
            answer["result"] = {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in ("plain", "hidden")]}
        elif method == "tools/call":
            answer["result"] = {"content": [{"type": "text", "text": f"{tool} done"}]}
        body = json.dumps(answer).encode()
        how = {"pieces": self.pieces, "dies": self.dies, "fails": self.fails, "slow": self.slow, "junk": self.junk,
               "batch": self.batch, "huge": self.huge, "another": self.another, "other": self.other}.get(tool)
        if how:
            how(body)
        else:
            self.start("application/json", 200, len(body))
            self.wfile.write(body)

    def pieces(self, body):
        self.start("text/event-stream")
        text = b": ping\r\nevent: message\r\nid: 3\r\nretry: 10\r\ndata: " + body + b"\r\n\r\n"
        for i in range(len(text)):
            self.chunk(text[i:i + 1])
        self.chunk(b"")

    def dies(self, body):
        self.start("text/event-stream")
        self.chunk(b"data: " + body[:20])
        self.close_connection = True

    def fails(self, body):
        self.start("application/json", 500, 2)
        self.wfile.write(b"{}")

    def slow(self, body):
        time.sleep(1)
        self.start("application/json", 200, len(body))
        self.wfile.write(body)

    def junk(self, body):
        self.start("application/json", 200, 4)
        self.wfile.write(b"junk")

    def batch(self, body):
        self.start("application/json", 200, len(body) + 2)
        self.wfile.write(b"[" + body + b"]")

    def huge(self, body):
        self.start("text/event-stream")
        self.chunk(b"data: " + b"x" * 5000000 + b"\n\n")
        self.chunk(b"data: " + body + b"\n\n")
        self.chunk(b"")

    def other(self, body):
        text = b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
        self.start("application/json", 200, len(text))
        self.wfile.write(text)

    def another(self, body):
        # An answer to a question that the client has not asked.
        self.start("text/event-stream")
        self.chunk(b'data: {"jsonrpc":"2.0","id":"9","result":{"tools":[{"name":"hidden"}]}}\n\ndata: ' + body + b"\n\n")
        self.chunk(b"")


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever).start()
