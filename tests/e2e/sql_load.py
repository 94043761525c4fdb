# SPDX-License-Identifier: Apache-2.0
"""Clients that no driver is: many at once, slow ones, and one that takes the time of each answer.

sql_load.py HOST PORT USER DATABASE many COUNT      opens COUNT sessions, asks one question on each, prints "ready", waits
                                                    for a line, asks again on each, prints "all COUNT" or what went wrong
sql_load.py ... slow SECONDS                        asks for 64 MiB and reads 64 KiB a second, prints "slow" when it begins
sql_load.py ... large                               asks for 64 MiB, prints how many bytes came
sql_load.py ... latency SECONDS                     prints the longest time of an answer, in ms, and how many there were
sql_load.py ... writer                              sends half of a statement, prints "slow", waits for a line, sends the rest
"""
import socket
import struct
import sys
import time

QUESTION = "SELECT id FROM orders WHERE id = %d"
LARGE = "SELECT repeat_of.x FROM (SELECT string_agg(md5(n::text), '') AS x FROM generate_series(1, 32768) AS n) AS repeat_of, generate_series(1, 64)"


class Session:
    def __init__(self, host, port, user, database):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.buffer = b""
        body = struct.pack("!I", 196608) + b"".join(
            word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self.until_ready()

    def take(self, size):
        while len(self.buffer) < size:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def until_ready(self):
        """What came: (bytes of rows, the error's fields or None)."""
        size, error = 0, None
        while True:
            kind, length = struct.unpack("!cI", self.take(5))
            body = self.take(length - 4)
            if kind == b"D":
                size += length
            elif kind == b"E":
                error = dict((field[:1], field[1:]) for field in body.split(b"\0") if field)
            elif kind == b"Z":
                return size, error

    def send(self, text):
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", len(body) + 4) + body)

    def ask(self, text):
        self.send(text)
        return self.until_ready()


def many(where, count):
    sessions = [Session(*where) for _ in range(count)]
    wrong = sum(session.ask(QUESTION % (n % 600 + 1))[1] is not None for n, session in enumerate(sessions))
    print("ready", flush=True)
    sys.stdin.readline()
    wrong += sum(session.ask(QUESTION % (n % 600 + 1))[1] is not None for n, session in enumerate(sessions))
    print("all %d" % count if not wrong else "%d wrong" % wrong, flush=True)


def slow(where, seconds):
    session = Session(*where)
    session.send(LARGE)
    print("slow", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session.socket.recv(6554)
        time.sleep(0.1)


def large(where):
    size, error = Session(*where).ask(LARGE)
    print(error if error else size, flush=True)


def latency(where, seconds):
    session, longest, count = Session(*where), 0.0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        session.ask(QUESTION % (count % 600 + 1))
        longest, count = max(longest, time.monotonic() - begin), count + 1
    print("%d %d" % (longest * 1000, count), flush=True)


def writer(where):
    session = Session(*where)
    body = QUESTION.encode() % 1 + b"\0"
    message = b"Q" + struct.pack("!I", len(body) + 4) + body
    session.socket.sendall(message[:9])
    print("slow", flush=True)
    sys.stdin.readline()
    session.socket.sendall(message[9:])
    print("wrong" if session.until_ready()[1] else "answered", flush=True)


if __name__ == "__main__":
    where, what, rest = (sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]), sys.argv[5], [int(n) for n in sys.argv[6:]]
    {"many": many, "slow": slow, "large": large, "latency": latency, "writer": writer}[what](where, *rest)
