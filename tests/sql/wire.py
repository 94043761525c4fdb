# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's protocol 3.0 as far as the oracle needs it: no dependency, and nothing in the way."""
import socket
import struct


class Result:
    """What one statement brought: `code` is the SQLSTATE of its error, or None."""

    def __init__(self):
        self.code = self.message = self.tag = None
        self.returns_rows = False
        self.rows = []


class Connection:
    def __init__(self, directory, database, user="postgres"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)  # each statement has a timeout of its own, far shorter
        self.socket.connect(f"{directory}/.s.PGSQL.5432")
        self.buffer = b""
        words = ["user", user, "database", database, "application_name", "sql-oracle"]
        body = struct.pack("!i", 196608) + b"".join(w.encode() + b"\0" for w in words) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.collect()

    def close(self):
        self.socket.close()

    def take(self, length):
        while len(self.buffer) < length:
            got = self.socket.recv(262144)
            if not got:
                raise ConnectionError("the server ended the connection")
            self.buffer += got
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def collect(self, extended=False):
        """Reads until ReadyForQuery; the last statement's result, the first error."""
        result = Result()
        while True:
            kind, length = struct.unpack("!ci", self.take(5))
            body = self.take(length - 4)
            if kind == b"Z":
                return result
            if kind == b"E" and result.code is None:
                fields = {f[:1]: f[1:].decode(errors="replace") for f in body.split(b"\0") if f}
                result.code, result.message = fields[b"C"], fields[b"M"]
                if fields.get(b"S") == "FATAL":
                    raise ConnectionError(result.message)
            elif kind == b"T":
                result.returns_rows = True
            elif kind == b"C":
                result.tag = body[:-1].decode()
            elif kind == b"D":
                result.rows.append(body)
            elif kind == b"G":  # COPY FROM STDIN: there is nothing to be had here
                self.send(b"f", b"no data\0")
                if extended:  # the one that was sent already is passed over during COPY
                    self.send(b"S", b"")

    def send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def simple(self, text):
        self.send(b"Q", text.encode() + b"\0")
        return self.collect()

    def value(self, text):
        """The first column of the only row, as text."""
        result = self.simple(text)
        if result.code:
            raise RuntimeError(f"{result.message}: {text}")
        return values(result.rows[0])[0] if result.rows else None

    def run(self, text, rows=200):
        """One statement by the extended protocol: so many rows at most are fetched."""
        parts = [
            (b"P", b"\0" + text.encode() + b"\0\0\0"),
            (b"B", b"\0\0\0\0\0\0\0\0"),
            (b"D", b"P\0"),
            (b"E", b"\0" + struct.pack("!i", rows)),
            (b"S", b""),
        ]
        self.socket.sendall(b"".join(k + struct.pack("!i", len(b) + 4) + b for k, b in parts))
        return self.collect(extended=True)


def values(row):
    (count,) = struct.unpack_from("!h", row)
    found, at = [], 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", row, at)
        at += 4
        found.append(None if length < 0 else row[at:at + length].decode(errors="replace"))
        at += max(length, 0)
    return found
