# SPDX-License-Identifier: Apache-2.0
"""Scripts as psql reads them, taken apart into statements."""
import re

TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
      | (?P<estring>(?<![A-Za-z0-9_$])[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<dollar>(?<![A-Za-z0-9_$])(\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$).*?\6)
      | (?P<meta>\\[^\n]*)
      | (?P<open>\()
      | (?P<close>\))
      | (?P<word>[A-Za-z_][A-Za-z_0-9$]*)
      | (?P<end>;)
      | (?P<other>.)""",
    re.S | re.X,
)


def split(text):
    """Statements without their semicolons; psql's own commands and COPY's data are left out."""
    found, current, depth, atomic = [], [], 0, 0
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        at = token.end()
        kind, piece = token.lastgroup, token.group()
        if kind == "meta":
            if re.match(r"\\(g|crosstab|;)", piece):  # it ends what stands there
                finish(found, current)
            depth = atomic = 0
            continue
        if kind == "comment":
            current.append(" ")
            continue
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "word" and piece.upper() == "ATOMIC":
            atomic = 1
        elif kind == "word" and atomic and piece.upper() == "CASE":
            atomic += 1
        elif kind == "word" and atomic and piece.upper() == "END":
            atomic -= 1
        if kind == "end" and depth == 0 and atomic == 0:
            statement = finish(found, current)
            if re.match(r"copy\b.*\bfrom\s+stdin", statement, re.I | re.S):
                found.pop()
                data = re.compile(r"^\\\.[^\n]*\n?", re.M).search(text, at)
                at = data.end() if data else at
            continue
        current.append(piece)
    finish(found, current)
    return found


def finish(found, current):
    statement = "".join(current).strip()
    current.clear()
    if statement:
        found.append(statement)
    return statement


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return split(file.read())
