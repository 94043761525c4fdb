#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The servers of the far end that an attempt talks to, but the resolver, which is a real one.

    internet.py DIR KEY CERTIFICATE

TLS at ports 443 and 8443 of every address, one behaviour an address; liars at port 53; a drain at
port 7012. What was served is written to DIR/served, a line each: ADDRESS SERVER-NAME REQUEST, or
refused ADDRESS WHY. The liars answer MODE.N.liar.example as MODE says (see Lies), with the address
203.0.113.N.
"""
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading

HRR = "203.0.113.30"  # has no group that a hello brings a key for
OLD = "203.0.113.40"  # TLS 1.2 alone: its sessions are resumed by what the client sends in the clear
LIAR, STRANGER = "10.77.0.54", "10.77.0.66"
HONEST = "203.0.113.100"
A, CNAME, TXT, DNAME, HTTPS, IN, CHAOS = 1, 5, 16, 39, 65, 1, 3
PATIENCE_S = 5


# ---- TLS ----

def context_for(key, certificate, address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if address == HRR:
        context.set_ecdh_curve("secp521r1")
    if address == OLD:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.sni_callback = lambda connection, name, _: setattr(connection, "asked", name)
    return context


class Tls(socketserver.BaseRequestHandler):
    def handle(self):
        address = self.request.getsockname()[0].removeprefix("::ffff:")
        context = self.server.contexts.get(address, self.server.contexts[""])
        self.request.settimeout(PATIENCE_S)
        try:
            with context.wrap_socket(self.request, server_side=True) as stream:
                request = stream.recv(4096).decode(errors="replace").split("\r\n")[0]
                name = getattr(stream, "asked", None) or "-"
                self.server.note(f"{address} {name} {request}")
                stream.sendall(f"HTTP/1.0 200 OK\r\n\r\nserved {name}\n".encode())
        except (OSError, ssl.SSLError) as error:
            self.server.note(f"refused {address} {error}")


class TlsServer(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port, contexts, served):
        self.contexts, self.served = contexts, served
        super().__init__(("::", port), Tls)

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 64)
        super().server_bind()

    def note(self, line):
        os.write(self.served, (line + "\n").encode())

    def handle_error(self, request, client_address):
        pass


# ---- DNS ----

def name_bytes(name):
    labels = name if isinstance(name, list) else name.encode().split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels if label) + b"\0"


def record(owner, kind, data, group=IN):
    owner = owner if isinstance(owner, bytes) else name_bytes(owner)
    return owner + struct.pack("!HHIH", kind, group, 300, len(data)) + data


def message(ident, question, answers=(), authorities=(), additionals=(), flags=0x8580):
    parts = [question] if question else []
    head = struct.pack("!HHHHHH", ident, flags, len(parts), len(answers), len(authorities),
                       len(additionals))
    return head + b"".join([*parts, *answers, *authorities, *additionals])


class Lies:
    """What the liar says when it is asked: one method a mode, a list of messages each."""

    def __init__(self, query):
        self.query = query
        self.ident = struct.unpack("!H", query[:2])[0]
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]])
            at += 1 + query[at]
        self.name = b".".join(labels).decode("latin-1")
        self.question = query[12:at + 5]
        self.mode = labels[0].decode("latin-1").replace("-", "_")
        octet = int(labels[1]) if len(labels) > 1 and labels[1].isdigit() else 100
        self.address = socket.inet_aton(f"203.0.113.{octet}")
        self.honest = record(self.name, A, socket.inet_aton(HONEST))
        self.lie = record("victim.denied.example", A, self.address)

    def say(self, *answers, **more):
        return [message(more.pop("ident", self.ident), more.pop("question", self.question),
                        answers, **more)]

    def own(self, **more):
        return self.say(record(self.name, A, self.address), **more)

    def messages(self):
        method = getattr(self, "on_" + self.mode, None)
        return method() if method else self.say(self.honest)

    # Records whose owner nobody asked for.
    def on_owner_other(self):
        return self.say(self.honest, self.lie)

    def on_owner_first(self):
        return self.say(self.lie, self.honest)

    def on_owner_granted(self):
        return self.say(self.honest, record("granted.example", A, self.address))

    def on_owner_below(self):
        return self.say(self.honest, record("x." + self.name, A, self.address))

    def on_owner_above(self):
        return self.say(self.honest, record("liar.example", A, self.address))

    def on_owner_root(self):
        return self.say(self.honest, record(b"\0", A, self.address))

    def on_owner_dots(self):
        return self.say(record([self.name.encode()], A, self.address))

    def on_owner_nul(self):
        labels = self.name.encode().split(b".")
        return self.say(record([*labels[:-1], labels[-1] + b"\0"], A, self.address))

    def on_authority(self):
        return self.say(self.honest, authorities=[self.lie])

    def on_additional(self):
        return self.say(self.honest, additionals=[self.lie])

    def on_chain_broken(self):
        return self.say(record(self.name, CNAME, name_bytes("next.denied.example")), self.lie)

    def on_chain_of_other(self):
        return self.say(self.honest,
                        record("b.denied.example", CNAME, name_bytes("victim.denied.example")),
                        self.lie)

    def on_chain_loop(self):
        return self.say(record(self.name, CNAME, name_bytes(self.name)), self.lie)

    def on_dname_elsewhere(self):
        return self.say(self.honest, record("denied.example", DNAME, name_bytes("victim.example")),
                        record("victim.example", A, self.address))

    def on_hint_other(self):
        hint = struct.pack("!H", 1) + b"\0" + struct.pack("!HH", 4, 4) + self.address
        return self.say(self.honest, record("victim.denied.example", HTTPS, hint))

    # Messages that answer another question, or none.
    def on_ident(self):
        return self.own(ident=self.ident ^ 1)

    def on_question_other(self):
        name = "never-asked.example"
        return self.say(record(name, A, self.address),
                        question=name_bytes(name) + struct.pack("!HH", A, IN))

    def on_question_ungranted(self):
        name = "victim.denied.example"
        return self.say(record(name, A, self.address),
                        question=name_bytes(name) + struct.pack("!HH", A, IN))

    def on_question_none(self):
        return self.own(question=b"")

    def on_question_again(self):
        return self.say(self.honest) + [
            message(self.ident, name_bytes("never.liar.example") + struct.pack("!HH", A, IN),
                    [record("never.liar.example", A, self.address)])]

    # Messages that are no answers.
    def on_query(self):
        return self.own(flags=0x0500)

    def on_opcode(self):
        return self.own(flags=0x8580 | 5 << 11)

    def on_class(self):
        return self.say(record(self.name, A, self.address, CHAOS))

    # Records that are not what they seem.
    def on_pointer_loop(self):
        at = 12 + len(self.question)
        return self.say(record(struct.pack("!H", 0xc000 | at), A, self.address))

    def on_pointer_pair(self):
        at = 12 + len(self.question)
        first = record(struct.pack("!H", 0xc000 | at + 16), A, self.address)
        return self.say(first, record(struct.pack("!H", 0xc000 | at), A, self.address))

    def on_pointer_forward(self):
        at = 12 + len(self.question)
        return self.say(record(struct.pack("!H", 0xc000 | at + 32), A, self.address), self.lie)

    def on_long_address(self):
        return self.say(record(self.name, A, self.address + b"\0" * 12))

    def on_short_text(self):
        """A record of another type whose data read like one of an address."""
        inner = record(self.name, A, self.address)
        return self.say(record(self.name, TXT, bytes([len(inner)]) + inner))

    # Answers that come from elsewhere: the socket is chosen by Liar.
    on_from_stranger = on_from_port = on_own = own


class Liar:
    def __init__(self):
        self.sockets = {}
        for place in [(LIAR, 53), (LIAR, 5353), (STRANGER, 53), ("203.0.113.66", 53)]:
            self.sockets[place] = sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)

    def serve(self, place):
        while True:
            query, peer = self.sockets[place].recvfrom(4096)
            try:
                lies = Lies(query)
                for reply in lies.messages():
                    self.reply(place, lies.mode, reply, peer)
            except (IndexError, ValueError, struct.error, OSError):
                pass  # not a question; the witness has seen it

    def reply(self, place, mode, reply, peer):
        if mode == "from_stranger":
            place = (STRANGER, 53)
        elif mode == "from_port":
            place = (LIAR, 5353)
        self.sockets[place].sendto(reply, peer)

    def start(self):
        for place in self.sockets:
            threading.Thread(target=self.serve, args=(place,), daemon=True).start()


class StreamLiar(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(PATIENCE_S)
        try:
            data = b""
            while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
                piece = self.request.recv(4096)
                if not piece:
                    return
                data += piece
            lies = Lies(data[2:])
            if lies.mode.startswith("from_"):
                return  # it is the datagram's address that lies
            for reply in lies.messages():
                self.request.sendall(struct.pack("!H", len(reply)) + reply)
        except (OSError, IndexError, ValueError, struct.error):
            pass


class Drain(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(PATIENCE_S)
        try:
            while self.request.recv(1 << 18):
                pass
        except OSError:
            pass


class StreamServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 64)
        super().server_bind()

    def handle_error(self, request, client_address):
        pass


def main():
    folder, key, certificate = sys.argv[1:]
    served = os.open(f"{folder}/served", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    contexts = {address: context_for(key, certificate, address) for address in ("", HRR, OLD)}
    servers = [TlsServer(port, contexts, served) for port in (443, 8443)]
    servers += [StreamServer((address, 53), StreamLiar)
                for address in (LIAR, STRANGER, "203.0.113.66")]
    servers += [StreamServer(("0.0.0.0", 7012), Drain)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    Liar().start()
    os.write(served, b"ready\n")
    threading.Event().wait()


main()
