# SPDX-License-Identifier: Apache-2.0
"""A client of PostgreSQL's protocol that does what no driver does, for sql-wire.t.

sql_wire.py PORT CASE: prints what the case saw, a line each. The role "raw" needs no password.
"""
import socket
import struct
import sys
import time


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def query(text):
    return message(b"Q", text.encode() + b"\0")


def parse(name, text):
    return message(b"P", name + b"\0" + text.encode() + b"\0\0\0")


BIND = message(b"B", b"\0\0" + b"\0" * 6)
EXECUTE = message(b"E", b"\0" + b"\0" * 4)
SYNC = message(b"S", b"")


class Client:
    def __init__(self, port, step=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.step = step
        self.data = b""
        self.key = None

    def send(self, data):
        step = self.step or len(data)
        for at in range(0, len(data), step):
            self.socket.sendall(data[at : at + step])

    def start(self, **keys):
        keys = {"user": "raw", "database": "shop", **keys}
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in keys.items())
        self.send(struct.pack("!II", len(body) + 9, 196608) + body + b"\0")
        return self

    def read(self, length):
        while len(self.data) < length:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.data += more
        out, self.data = self.data[:length], self.data[length:]
        return out

    def next(self):
        kind, length = struct.unpack("!cI", self.read(5))
        body = self.read(length - 4)
        if kind == b"K":
            self.key = body
        return kind.decode(), body

    def until_ready(self, times=1):
        """The types up to ReadyForQuery (its state behind it); errors with code and message."""
        seen = []
        try:
            while times:
                kind, body = self.next()
                if kind == "E":
                    fields = {f[:1].decode(): f[1:].decode() for f in body.split(b"\0") if f}
                    seen.append(f"E({fields['C']} {fields['M']})")
                elif kind == "Z":
                    seen.append("Z" + body.decode())
                    times -= 1
                elif kind not in "SKNR":
                    seen.append(kind)
        except EOFError:
            seen.append("closed")
        except ConnectionError:
            seen.append("reset")
        return " ".join(seen)


def case_bytes(port):
    client = Client(port, step=1).start()
    print(client.until_ready())
    client.send(query("select 1") + query("select * from secret") + parse(b"", "select 2") + BIND + EXECUTE + SYNC)
    print(client.until_ready(3))


def case_pipeline(port):
    client = Client(port).start()
    client.until_ready()
    client.send(query("begin"))
    print(client.until_ready())
    client.send(
        parse(b"", "select 1") + BIND + EXECUTE + parse(b"x", "select * from secret") + BIND + EXECUTE
        + parse(b"", "select 3") + BIND + EXECUTE + SYNC + query("select 4") + query("rollback")
    )
    print(client.until_ready(3))
    client.send(message(b"F", struct.pack("!IHHH", 715, 0, 0, 0)))
    print(client.until_ready())
    client.send(query("select 1; select 2"))
    print(client.until_ready())
    client.send(query(""))
    print(client.until_ready())


def case_large(port):
    client = Client(port).start()
    client.until_ready()
    client.send(query("select '" + "x" * (16 << 20) + "'"))
    print(client.until_ready())
    client.send(query("select '" + "x" * (512 << 10) + "'"))
    print(client.until_ready())


def case_cancel(port):
    client, other = Client(port).start(), Client(port)
    client.until_ready()
    client.send(query("select count(*) from orders a, orders b, orders c, orders d"))
    time.sleep(0.3)
    wrong = bytearray(client.key)
    wrong[7] ^= 1
    other.send(struct.pack("!II", 16, 80877102) + bytes(wrong))
    print("closed" if other.socket.recv(1) == b"" else "answered")
    client.socket.settimeout(0.5)
    try:
        client.next()
        print("cancelled by a wrong key")
    except TimeoutError:
        print("still runs")
    client.socket.settimeout(20)
    other = Client(port)
    other.send(struct.pack("!II", 16, 80877102) + client.key)
    print(client.until_ready())


def case_refused(port):
    for keys in ({"replication": "database"}, {"options": "-c standard_conforming_strings=off"},
                 {"client_encoding": "SJIS"}, {"role": "postgres"}):
        print(Client(port).start(**keys).until_ready())
    client = Client(port).start(options="-c DateStyle=ISO --extra-float-digits=2", application_name="x")
    print(client.until_ready())
    for bad in (b"\x00\x00\x00\x03", b"\x16\x03\x01\x00\xa5", struct.pack("!II", 8, 80877103) + b"x"):
        client = Client(port)
        client.send(bad + b"....")
        print(client.until_ready())
    client = Client(port).start()
    client.until_ready()
    client.send(b"z\0\0\0\4")
    print(client.until_ready())


def case_many(port):
    clients = []
    for _ in range(int(sys.argv[3])):
        clients.append(Client(port).start())
    print(sum(client.until_ready().endswith("ZI") for client in clients))
    for client in clients:
        client.send(query("select 1"))
    print(sum(client.until_ready() == "T D C ZI" for client in clients))
    sys.stdout.flush()
    sys.stdin.readline()


def case_slow(port):
    """One that does not read holds nobody else up."""
    slow = Client(port).start()
    slow.until_ready()
    slow.send(query("select a.item, b.item, a.item, b.item from orders a, orders b"))
    time.sleep(0.5)
    client = Client(port).start()
    client.until_ready()
    begin = time.monotonic()
    client.send(query("select 1"))
    print(client.until_ready(), "at once" if time.monotonic() - begin < 1 else "late")
    print(len(slow.until_ready().split()))


if __name__ == "__main__":
    globals()["case_" + sys.argv[2]](int(sys.argv[1]))
