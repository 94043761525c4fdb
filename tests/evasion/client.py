#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real TLS client: client.py ADDRESS PORT TOKEN NAME [FIRST-NAME]

Asks the server that is called NAME ("-": without a server name) for /TOKEN and prints what it
says. With FIRST-NAME a session of TLS 1.2 is begun under that name and resumed under NAME.
"""
import socket
import ssl
import sys

PATIENCE_S = 3


def ask(context, place, name, token, session=None):
    with socket.create_connection(place, timeout=PATIENCE_S) as plain:
        with context.wrap_socket(plain, server_hostname=name, session=session) as stream:
            stream.sendall(f"GET /{token} HTTP/1.0\r\n\r\n".encode())
            answer = stream.recv(4096).decode().split("\r\n\r\n")[-1].strip()
            return answer, stream.session


def main():
    address, port, token, name, *first = sys.argv[1:]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    session = None
    if first:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        _, session = ask(context, (address, port), first[0], "first")
        print("begun", end=" ")
    try:
        print(ask(context, (address, port), None if name == "-" else name, token, session)[0])
    except OSError as error:
        sys.exit(type(error).__name__)


main()
