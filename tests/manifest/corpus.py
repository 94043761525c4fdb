#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes good/ and bad/ manifests below the folder that is given, and index.tsv:
file, class, expected code or -, expected JSON pointer or -.

Classes: good; bad-schema (the JSON Schema must refuse it too); bad-beyond-schema (what a schema
can't see: broken JSON, keys given twice, references, names that only a table knows).
The same files each time: nothing here is random."""
import copy
import json
import os
import sys

OUT = sys.argv[1]
INDEX = []
JSON_BYTES_MAX = 8 << 20

FULL = {
    "$schema": "./manifest.schema.json",
    "agentpol": 1,
    "name": "support-bot",
    "description": "every key there is",
    "mode": "enforce",
    "network": {
        "egress": [
            {"to": "api.openai.com", "ports": [443], "proto": "tcp", "sni": "require",
             "connects": "20/min", "bytes": "5MiB/h"},
            {"to": ["*.s3.example.com", "10.20.0.0/16", "2001:db8::/32"], "ports": [443, "8000-8100"],
             "proto": ["tcp", "udp"]},
            {"to": "10.0.0.1", "proto": "icmp"},
        ],
        "resolvers": ["10.0.0.53", "system"],
        "listen": [{"ports": [8080], "on": "@loopback"}],
        "unix": ["/run/app/*.sock", "@abstract"],
        "families": ["netlink"],
    },
    "process": {
        "exec": ["/usr/bin/*", "/opt/**"],
        "syscalls": {"deny": ["@escape", "@reboot", "ptrace"], "allow": ["uname"]},
        "capabilities": ["CAP_NET_BIND_SERVICE"],
        "limits": {"pids": 256, "memory": "2GiB", "cpu": "150%"},
        "on_violation": "kill",
    },
    "files": {"read": ["/usr"], "write": ["/tmp"], "deny": ["/tmp/x"]},
    "tools": {
        "login": {"effect": "read"},
        "query": {
            "description": "Look up orders",
            "title": "Query",
            "inputSchema": {"type": "object",
                            "properties": {"sql": {"type": "string"}, "path": {"type": "string"},
                                           "url": {"type": "string"}, "amount": {"type": "number"}}},
            "outputSchema": {"type": "object"},
            "annotations": {"title": "Q", "readOnlyHint": True, "destructiveHint": False,
                            "idempotentHint": True, "openWorldHint": False},
            "effect": "read",
            "sql": {
                "engine": "postgresql", "server": "db.internal:5432",
                "databases": ["shop"], "users": ["bot"],
                "allow": [{"select": ["orders", "shop.customers(id, \"Full Name\")"]}],
                "search_path": ["public"], "functions": ["lower", "shop.total"],
                "catalog": "types", "argument": "/sql", "tls": "verify-full",
                "ca": "/etc/ssl/db.pem", "read_only": True, "statement_timeout": "5s",
                "max_rows": 100,
            },
            "network": {"egress": [{"to": "api.stripe.com", "ports": [443]}]},
            "process": {"exec": ["/usr/bin/psql"]},
            "files": {"read": ["/srv"]},
            "scope": "call",
            "requires": ["login"],
            "forbids_after": ["close"],
            "budget": {"calls": 50, "rate": "5/s"},
            "confirm": "ask",
            "ask_timeout": "120s",
            "arguments": {
                "/path": {"under": ["/data"], "pattern": "^/data/", "maxLength": 100},
                "/url": {"egress": True},
                "/amount": {"minimum": 0, "maximum": 100},
                "/sql": {"enum": ["SELECT 1"]},
            },
        },
        "close": {"requires": [{"tool": "login", "match": {"/id": "/result/id"}}]},
    },
    "budgets": {"calls": 200, "denials": 10, "confirmations": 3, "on_exhausted": "freeze"},
    "audit": {"allowed": ["connect", "dns", "exec", "file", "sql", "call"]},
}
LEAST = {"agentpol": 1, "name": "a"}


def step(text):
    return text.replace("~", "~0").replace("/", "~1")


def pointer_of(path):
    return "".join("/" + step(str(part)) for part in path)


def write(kind, name, data, code="-", pointer="-"):
    folder = "good" if kind == "good" else "bad"
    file = "%s/%03d-%s.json" % (folder, len(INDEX), name)
    if not isinstance(data, bytes):
        data = json.dumps(data, ensure_ascii=False, indent=1).encode()
    with open(os.path.join(OUT, file), "wb") as out:
        out.write(data)
    INDEX.append((file, kind, code, pointer or "-"))


def good(name, data):
    write("good", name, data)


def bad(name, data, code="-", pointer="-"):
    write("bad-schema", name, data, code, pointer)


def beyond(name, data, code="-", pointer="-"):
    write("bad-beyond-schema", name, data, code, pointer)


def at(path, value, base=FULL):
    """A copy of `base` with the value at `path` replaced, added or (value is REMOVE) removed."""
    tree = copy.deepcopy(base)
    if not path:
        return value
    node = tree
    for part in path[:-1]:
        node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
    if value is REMOVE:
        del node[path[-1]]
    elif isinstance(node, list) and path[-1] == len(node):
        node.append(value)
    else:
        node[path[-1]] = value
    return tree


REMOVE = object()
WRONG = {"object": {}, "list": [], "string": "x", "number": 7, "boolean": True, "null": None}


def kind_of(value):
    if isinstance(value, bool):
        return "boolean"
    for kind, types in (("object", dict), ("list", list), ("string", str), ("number", (int, float))):
        if isinstance(value, types):
            return kind
    return "null"


# Keys that take more than one type, by the last named step of their path.
EITHER = {"to": ("string", "list"), "ports": ("number", "string", "list"), "proto": ("string", "list"),
          "resolvers": ("string", "list"), "memory": ("string", "number"), "requires[]": ("string", "object"),
          "ports[]": ("number", "string")}


def walk(node, path=()):
    yield path, node
    if path and path[-1] in ("inputSchema", "outputSchema"):
        return
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from walk(value, path + (key,))


def allowed_kinds(path, value):
    last = path[-1] if path else ""
    if isinstance(last, int):
        last = "%s[]" % path[-2]
    return EITHER.get(last, (kind_of(value),))


def wrong_types():
    """Each key of the format, with a value of each type that it does not take (two at least)."""
    seen = set()
    for path, value in walk(FULL):
        shape = tuple("*" if isinstance(part, int) or (i and path[i - 1] in ("tools", "arguments")) else part
                      for i, part in enumerate(path))
        if shape in seen:
            continue
        seen.add(shape)
        kinds = [kind for kind in WRONG if kind not in allowed_kinds(path, value)]
        offset = len(seen)
        for i in range(2):
            kind = kinds[(offset + i) % len(kinds)]
            bad("type-%s" % kind, at(path, WRONG[kind]), "M007", pointer_of(path))


def unknown_keys():
    for path, value in walk(FULL):
        free = path and path[-1] in ("inputSchema", "outputSchema", "tools", "match", "arguments")
        if isinstance(value, dict) and not free:
            bad("unknown-key", at(path + ("unknwon",), 1), "M005", pointer_of(path + ("unknwon",)))


def missing_keys():
    for path in (("agentpol",), ("name",), ("network", "egress", 0, "to"), ("network", "listen", 0, "ports"),
                 ("tools", "query", "sql", "engine"), ("tools", "query", "sql", "server"),
                 ("tools", "query", "sql", "allow"), ("tools", "close", "requires", 0, "tool")):
        bad("missing", at(path, REMOVE), "M006", pointer_of(path))
    bad("missing-ports", at(("network", "egress", 0, "ports"), REMOVE), "M012", "/network/egress/0/ports")
    bad("missing-ports", at(("network", "egress", 1, "ports"), REMOVE), "M012", "/network/egress/1/ports")
    bad("schema-type", at(("tools", "query", "inputSchema"), {}), "M007", "/tools/query/inputSchema/type")


def empty_ones():
    for path, empty in ((("network", "egress", 0, "to"), []), (("network", "egress", 0, "ports"), []),
                        (("network", "egress", 0, "proto"), []), (("network", "resolvers"), []),
                        (("network", "listen", 0, "ports"), []), (("process", "syscalls"), {}),
                        (("tools", "query", "budget"), {}), (("tools", "query", "sql", "allow"), []),
                        (("tools", "query", "sql", "allow", 0), {}),
                        (("tools", "query", "sql", "allow", 0, "select"), []),
                        (("tools", "query", "sql", "databases"), []), (("tools", "query", "sql", "users"), []),
                        (("tools", "query", "sql", "search_path"), []),
                        (("tools", "query", "arguments", "/path"), {}),
                        (("tools", "query", "arguments", "/path", "under"), []),
                        (("tools", "query", "arguments", "/sql", "enum"), []),
                        (("tools", "close", "requires", 0, "match"), {})):
        bad("empty", at(path, empty), "M008", pointer_of(path))


VALUES = (
    (("agentpol",), (0, 2, 1.5, -1), "M024"),
    (("name",), ("", "A", "-a", "a b", "a_b", "a" * 64, "\u00e4"), "M016"),
    (("mode",), ("", "Enforce", "off"), "M010"),
    (("network", "egress", 0, "to"),
     ("", "*", "*.", "*x.y", "a.*.b", "a..b", ".a", "-a.b", "a-.b", "a b.c", "@all", "@Any", "localhost",
      "10.0.0", "10.0.0.256", "2130706433", "0x7f000001", "0.0.0.0", "b\u00fccher.example", "[::1]",
      "https://a.b/", "a.b:443", "a.b/c", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129",
      "fe80::1%eth0", "a" * 64 + ".b", "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 63,
      "a_b!.c", "*.10.0.0.1"), "M011"),
    (("network", "egress", 0, "ports"), (0, 65536, -1, 1.5, "", "443", "80-", "-80", "80-a", "any", "**"),
     "M014"),
    (("network", "egress", 0, "ports", 0), (0, 65536, -1, 443.5, "443", "0-80", "80 - 90", "1-2-3", ""),
     "M014"),
    (("network", "egress", 0, "proto"), ("TCP", "sctp", ""), "M010"),
    (("network", "egress", 0, "sni"), ("on", ""), "M010"),
    (("network", "egress", 0, "connects"), ("20", "20/minute", "0/s", "-1/s", "1.5/s", "20/ min", "01/s",
                                            "5MiB/s", "/s", "20/", "99999999999999999999/s"), "M015"),
    (("network", "egress", 0, "bytes"), ("5MB/h", "5 MiB/h", "5TiB/h", "MiB/h", "0/h"), "M015"),
    (("network", "resolvers"), ("10.0.0.53", "none"), "M010"),
    (("network", "resolvers", 0), ("example.com", "10.0.0.0/8", ""), "M011"),
    (("network", "listen", 0, "on"), ("localhost", "10.0.0.0/8", "@all", "eth0"), "M011"),
    (("network", "unix", 0), ("", "run/x", "@", "/a/../b", "@" + "x" * 107), "M017"),
    (("network", "families", 0), ("inet", "Packet", ""), "M018"),
    (("process", "exec", 0), ("", "curl", "./curl", "/a/../b", "/.."), "M017"),
    (("process", "syscalls", "deny", 0), ("", "Ptrace", "@", "a b"), "M018"),
    (("process", "capabilities", 0), ("", "NET_ADMIN", "cap_net_admin"), "M018"),
    (("process", "limits", "pids"), (0, -1, 1.5, 1 << 30), "M009"),
    (("process", "limits", "memory"), ("2GB", "lots", "", "-1", "1.5GiB"), "M015"),
    (("process", "limits", "memory"), (0, -1, 0.5), "M009"),
    (("process", "limits", "cpu"), ("150", "0%", "-1%", "1.5%", "%"), "M015"),
    (("process", "on_violation"), ("log", ""), "M010"),
    (("files", "read", 0), ("", "usr", "~/x", "/a/../b", "/a/*", "/a/?"), "M017"),
    (("tools", "query", "effect"), ("Read", "none", ""), "M010"),
    (("tools", "query", "scope"), ("tool", ""), "M010"),
    (("tools", "query", "confirm"), ("always", "yes"), "M010"),
    (("tools", "query", "ask_timeout"), ("120", "2 min", "0s", "", "1week"), "M015"),
    (("tools", "query", "budget", "calls"), (0, -1, 1.5), "M009"),
    (("tools", "query", "budget", "rate"), ("5", "5/sec"), "M015"),
    (("tools", "query", "sql", "engine"), ("mysql", "sqlite", "PostgreSQL", ""), "M024"),
    (("tools", "query", "sql", "server"), ("db", "db:", ":5432", "", "db:0", "db:05", "db:123456"), "M011"),
    (("tools", "query", "sql", "allow", 0, "select", 0),
     ("", " ", "*", "a.", ".a", "a.b.c", "a b", "1a", "a()", "a(b", "a(*)", "a(b,)", "a;", "\"a", "\"\"",
      "b\u00e4r", "x" * 64), "M023"),
    (("tools", "query", "sql", "search_path", 0), ("", "a b", "\"$user\"", "a.b"), "M023"),
    (("tools", "query", "sql", "functions", 0), ("", "lower()", "a.b.c", "\"a.b\""), "M023"),
    (("tools", "query", "sql", "catalog"), ("all", ""), "M010"),
    (("tools", "query", "sql", "argument"), ("", "sql", "/a~2b", "/~"), "M022"),
    (("tools", "query", "sql", "tls"), ("off", "prefer"), "M010"),
    (("tools", "query", "sql", "ca"), ("db.pem", ""), "M017"),
    (("tools", "query", "sql", "statement_timeout"), ("5", "5 s", ""), "M015"),
    (("tools", "query", "sql", "max_rows"), (0, -1, 1.5), "M009"),
    (("tools", "query", "sql", "databases", 0), ("", "x" * 64), "M023"),
    (("tools", "query", "arguments", "/sql", "enum"), ([],), "M008"),
    (("tools", "query", "arguments", "/path", "maxLength"), (0, -1, 1.5), "M009"),
    (("tools", "query", "arguments", "/path", "pattern"), ("",), "M008"),
    (("tools", "close", "requires", 0, "match", "/id"), ("id", "/output/id", "/result", "/result/~2"), "M022"),
    (("budgets", "calls"), (-1, 1.5, 1 << 60), "M009"),
    (("budgets", "on_exhausted"), ("stop", ""), "M010"),
    (("audit", "allowed", 0), ("all", ""), "M010"),
)


def bad_values():
    for path, values, code in VALUES:
        for value in values:
            bad("value", at(path, value), code, pointer_of(path))
    for name in ("a b", "", "a~b", "x" * 129, "\u00e4"):
        bad("tool-name", at(("tools", name), {"effect": "read"}), "M016", pointer_of(("tools", name)))
    bad("argument-name", at(("tools", "query", "arguments", "sql"), {"maximum": 1}), "M022",
        "/tools/query/arguments/sql")
    bad("match-pairs", at(("tools", "close", "requires", 0, "match"), {"/a%d" % i: "/result/id" for i in range(17)}),
        "M009", "/tools/close/requires/0/match")
    bad("match-name", at(("tools", "close", "requires", 0, "match"), {"id": "/result/id"}), "M022",
        "/tools/close/requires/0/match/id")


def contradictions():
    rule = ("network", "egress", 0)
    bad("icmp-ports", at(rule + ("proto",), "icmp", at(rule + ("sni",), REMOVE)), "M019",
        "/network/egress/0/ports")
    bad("sni-udp", at(rule + ("proto",), "udp"), "M019", "/network/egress/0/sni")
    bad("sni-address", at(rule + ("to",), "10.0.0.1"), "M019", "/network/egress/0/sni")
    bad("two-verbs", at(("tools", "query", "sql", "allow", 0), {"select": ["a"], "insert": ["b"]}), "M019",
        "/tools/query/sql/allow/0")
    bad("delete-columns", at(("tools", "query", "sql", "allow", 0), {"delete": ["a(b)"]}), "M019",
        "/tools/query/sql/allow/0/delete/0")
    bad("ca-no-tls", at(("tools", "query", "sql", "tls"), "disable"), "M019", "/tools/query/sql/ca")
    bad("timeout-no-ask", at(("tools", "query", "confirm"), "never"), "M019", "/tools/query/ask_timeout")
    bad("both-hints", at(("tools", "query", "annotations", "destructiveHint"), True), "M019",
        "/tools/query/annotations")
    beyond("effect-hint", at(("tools", "query", "effect"), "write"), "M019", "/tools/query/annotations")
    beyond("effect-hint", at(("tools", "query", "annotations"), {"readOnlyHint": False}), "M019",
           "/tools/query/annotations")
    beyond("minimum-maximum", at(("tools", "query", "arguments", "/amount", "minimum"), 101), "M019",
           "/tools/query/arguments/~1amount/minimum")
    beyond("read-only-writes", at(("tools", "query", "sql", "allow", 0), {"delete": ["a"]}), "M019",
           "/tools/query/sql/read_only")


def references():
    for path, value in ((("tools", "query", "requires", 0), "logni"), (("tools", "query", "forbids_after", 0), "x")):
        beyond("unknown-tool", at(path, value), "M020", pointer_of(path))
    beyond("unknown-tool", at(("tools", "close", "requires", 0, "tool"), "x"), "M020",
           "/tools/close/requires/0/tool")
    for name, schema, at_key in (("unknown", {"maxlength": 1}, "/maxlength"), ("remote", {"$ref": "http://x/"}, "/$ref"),
                                 ("pattern", {"properties": {"a": {"pattern": "(?R)"}}}, "/properties/a/pattern"),
                                 ("list", {"properties": {"a": {"items": [{}]}}}, "/properties/a/items")):
        beyond("schema-" + name, at(("tools", "login", "inputSchema"), {"type": "object", **schema}), "M026",
               "/tools/login/inputSchema" + at_key)
    beyond("pattern", at(("tools", "login", "arguments"), {"/a": {"pattern": "a++"}}), "M026",
           "/tools/login/arguments/~1a/pattern")
    beyond("self", at(("tools", "login", "requires"), ["login"]), "M021", "/tools/login")
    beyond("self", at(("tools", "login", "forbids_after"), ["login"]), "M021", "/tools/login")
    beyond("cycle-of-two", at(("tools", "login", "requires"), ["query"]), "M021", "/tools/login")
    chain = {"t%d" % i: {"requires": ["t%d" % ((i + 1) % 50)]} for i in range(50)}
    beyond("cycle-of-fifty", at(("tools",), chain, LEAST), "M021", "/tools/t0")
    beyond("argument-nowhere", at(("tools", "query", "sql", "argument"), "/query"), "M022",
           "/tools/query/sql/argument")
    beyond("argument-nowhere", at(("tools", "query", "requires", 0), {"tool": "login", "match": {"/x": "/result/x"}}),
           "M022", "/tools/query/requires/0/match/~1x")
    beyond("argument-nowhere", at(("tools", "query", "arguments", "/nope"), {"maximum": 1}), "M022",
           "/tools/query/arguments/~1nope")


def only_tables_know():
    for to in ("10.0.0.1/24", "10.1.0.0/15", "2001:db8::1/32"):
        beyond("host-bits", at(("network", "egress", 0), {"to": to, "ports": [443]}), "M013",
               "/network/egress/0/to")
    for to in ("1::2::3", ":::", "12345::", "::1::", "ab:443"):
        beyond("address", at(("network", "egress", 0, "to"), to), "M011", "/network/egress/0/to")
    beyond("range", at(("network", "egress", 0, "ports", 0), "90-80"), "M014", "/network/egress/0/ports/0")
    beyond("range", at(("network", "egress", 0, "ports", 0), "1-70000"), "M014", "/network/egress/0/ports/0")
    beyond("range-53", at(("network", "egress", 0, "ports", 0), "53-53"), "M014", "/network/egress/0/ports/0")
    beyond("name-too-long", at(("network", "egress", 0, "to"), ".".join(["abc"] * 64)[:254]), "M011",
           "/network/egress/0/to")
    for name in ("nosuchcall", "@nosuchgroup"):
        beyond("syscall", at(("process", "syscalls", "deny", 0), name), "M018", "/process/syscalls/deny/0")
    beyond("capability", at(("process", "capabilities", 0), "CAP_NO_SUCH"), "M018", "/process/capabilities/0")
    beyond("cpu", at(("process", "limits", "cpu"), "999999%"), "M015", "/process/limits/cpu")
    beyond("memory", at(("process", "limits", "memory"), 100), "M009", "/process/limits/memory")
    beyond("memory", at(("process", "limits", "memory"), "9999999999999GiB"), "M015", "/process/limits/memory")
    beyond("timeout", at(("tools", "query", "ask_timeout"), "2day"), "M015", "/tools/query/ask_timeout")
    beyond("timeout", at(("tools", "query", "ask_timeout"), "1500ms"), "M015", "/tools/query/ask_timeout")
    beyond("server-port", at(("tools", "query", "sql", "server"), "db:70000"), "M011", "/tools/query/sql/server")
    beyond("identifier", at(("tools", "query", "sql", "allow", 0, "select", 0), "\"%s\"" % ("x" * 64)), "M023",
           "/tools/query/sql/allow/0/select/0")


def broken_json():
    text = json.dumps(FULL, indent=1).encode()
    for i in range(60):
        beyond("truncated", text[: i * len(text) // 60], "M001", "-")
    for name, data, code in (
        ("comma", b'{"agentpol": 1, "name": "a",}', "M001"),
        ("comma", b'{"agentpol": 1, "name": "a", "tools": {"t": {},}}', "M001"),
        ("comment", b'{"agentpol": 1, // one\n "name": "a"}', "M001"),
        ("comment", b'{"agentpol": 1, /* one */ "name": "a"}', "M001"),
        ("single", b"{'agentpol': 1, 'name': 'a'}", "M001"),
        ("bare-key", b'{agentpol: 1, "name": "a"}', "M001"),
        ("two-values", b'{"agentpol": 1, "name": "a"} {}', "M001"),
        ("behind-end", b'{"agentpol": 1, "name": "a"}\x00', "M001"),
        ("behind-end", b'{"agentpol": 1, "name": "a"}]', "M001"),
        ("nan", b'{"agentpol": NaN, "name": "a"}', "M001"),
        ("infinity", b'{"agentpol": 1, "name": "a", "budgets": {"calls": Infinity}}', "M001"),
        ("huge-number", b'{"agentpol": 1, "name": "a", "budgets": {"calls": 1e999}}', "M004"),
        ("long-number", b'{"agentpol": 1.' + b"0" * 70 + b', "name": "a"}', "M004"),
        ("leading-zero", b'{"agentpol": 01, "name": "a"}', "M001"),
        ("plus", b'{"agentpol": +1, "name": "a"}', "M001"),
        ("hex", b'{"agentpol": 0x1, "name": "a"}', "M001"),
        ("newline-in-string", b'{"agentpol": 1, "name": "a\nb"}', "M001"),
        ("tab-in-string", b'{"agentpol": 1, "name": "a\tb"}', "M001"),
        ("escape", b'{"agentpol": 1, "name": "\\q"}', "M001"),
        ("nul-escape", b'{"agentpol": 1, "name": "a\\u0000b"}', "M002"),
        ("lone-surrogate", b'{"agentpol": 1, "name": "\\ud800"}', "M002"),
        ("lone-surrogate", b'{"agentpol": 1, "name": "\\udc00x"}', "M002"),
        ("latin1", '{"agentpol": 1, "name": "ä"}'.encode("latin-1"), "M002"),
        ("overlong", b'{"agentpol": 1, "name": "\xc0\xaf"}', "M002"),
        ("cesu", b'{"agentpol": 1, "name": "\xed\xa0\x80"}', "M002"),
        ("bom", b'\xef\xbb\xbf{"agentpol": 1, "name": "a"}', "M002"),
        ("utf16", '{"agentpol": 1, "name": "a"}'.encode("utf-16"), "M001"),
        ("depth", b'{"agentpol": 1, "name": ' + b"[" * 64 + b"]" * 64 + b"}", "M004"),
        ("depth", b"[" * 100000, "M004"),
        ("depth", b'{"a":' * 100000, "M004"),
        ("size", b'{"agentpol": 1, "name": "a"}' + b" " * JSON_BYTES_MAX, "-"),
        ("twice", b'{"agentpol": 1, "agentpol": 1, "name": "a"}', "M003"),
        ("twice", b'{"agentpol": 1, "name": "a", "na\\u006de": "b"}', "M003"),
        ("twice", b'{"agentpol": 1, "name": "a", "tools": {"t": {}, "t": {}}}', "M003"),
        ("twice", b'{"agentpol": 1, "name": "a", "network": {"egress": [{"to": "a.b", "to": "c.d"}]}}', "M003"),
        ("twice", b'{"agentpol": 1, "name": "a", "tools": {"t": {"inputSchema": {"type": "object", "x": 1, "x": 2}}}}',
         "M003"),
    ):
        beyond(name, data, code, "-")
    many = ",".join('"t%d": {}' % i for i in range(2000))
    beyond("twice-of-many", ('{"agentpol": 1, "name": "a", "tools": {%s, "t77": {}}}' % many).encode(), "M003", "-")
    for kind, value in WRONG.items():
        if kind != "object":
            bad("root-%s" % kind, value, "M007", "-")


def good_ones():
    good("least", LEAST)
    good("full", FULL)
    good("unicode", at(("description",), "gr\u00fc\u00df dich \U0001f600", LEAST))
    for path in (("mode",), ("network",), ("process",), ("files",), ("budgets",), ("audit",), ("$schema",)):
        good("without", at(path, REMOVE))
    egress = ("network", "egress", 0)
    for to in ("a", "A.B.C.", "x_y.z", "xn--bcher-kva.example", "*.com", "*.a.b", "10.0.0.1", "0.0.0.0/0",
               "10.0.0.0/8", "::1", "::/0", "::ffff:10.0.0.1", "2001:db8::/32", "@any", "@loopback",
               "3com.example", "a" * 63 + ".b", "169.254.169.254", ["a.b", "10.0.0.0/8", "@loopback"]):
        good("to", at(egress, {"to": to, "ports": [443]}))
    for ports in (1, 65535, "*", "1-65535", "80-80", [53], [443, "8000-8100", "*"], 443.0):
        good("ports", at(egress, {"to": "a.b", "ports": ports}))
    for proto in ("udp", ["icmp", "tcp"], ["tcp", "tcp"]):
        good("proto", at(egress, {"to": "a.b", "ports": [1], "proto": proto}))
    good("icmp", at(egress, {"to": "@any", "proto": ["icmp"]}))
    for rate in ("1/s", "20/min", "999999/h", "5/day"):
        good("rate", at(egress + ("connects",), rate))
        good("rate", at(egress + ("bytes",), rate.replace("/", "KiB/")))
    good("empty-lists", {"agentpol": 1, "name": "a", "network": {"egress": [], "listen": [], "unix": [], "families": []},
                         "process": {"exec": [], "capabilities": []}, "files": {"read": [], "write": [], "deny": []},
                         "tools": {}, "budgets": {}, "audit": {"allowed": []}})
    for server in ("db:1", "10.0.0.1:5432", "[::1]:5432", "localhost:5432", "/run/postgresql", "db.internal.:65535"):
        good("server", at(("tools", "query", "sql", "server"), server))
    for table in ("a", "A.B", "_x$1", "\"weird \"\"name\"\"\"", "\"a.b\".\"c\"(d)", " a ( b , c ) ", "x" * 63):
        good("table", at(("tools", "query", "sql", "allow", 0, "select", 0), table))
    good("verbs", at(("tools", "query", "sql"), {"engine": "postgresql", "server": "db:1", "allow": [
        {"select": ["a"]}, {"insert": ["a(b)"]}, {"update": ["a(b)"]}, {"delete": ["a"]}]},
        at(("tools", "query", "effect"), "write", at(("tools", "query", "annotations"), {}))))
    for name in ("a", "A.b-c_d", "server/tool", "x" * 128):
        good("tool", at(("tools", name), {}))
    for limit in ("1", "4096", "512KiB", "1GiB"):
        good("memory", at(("process", "limits", "memory"), limit if limit != "1" else 4096))
    good("many-tools", at(("tools",), {"t%d" % i: {"requires": ["t%d" % (i - 1)] if i else []} for i in range(3000)},
                          LEAST))
    good("many-prefixes", at(("network",), {"egress": [
        {"to": ["10.%d.%d.0/24" % (i // 256, i % 256) for i in range(20000)], "ports": [443]}]}, LEAST))
    good("deep-schema", at(("tools", "login", "inputSchema"), nested(58)))


def nested(levels):
    tree = {"type": "object"}
    for _ in range(levels // 2):
        tree = {"type": "object", "properties": {"a": tree}}
    return tree


def main():
    for folder in ("good", "bad"):
        os.makedirs(os.path.join(OUT, folder), exist_ok=True)
    for part in (good_ones, wrong_types, unknown_keys, missing_keys, empty_ones, bad_values, contradictions,
                 references, only_tables_know, broken_json):
        part()
    with open(os.path.join(OUT, "index.tsv"), "w") as out:
        for row in INDEX:
            out.write("\t".join(row) + "\n")


main()
