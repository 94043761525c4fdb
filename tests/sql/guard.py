# SPDX-License-Identifier: Apache-2.0
"""The guard's voice: `agentpol decide`, with a manifest of grants and a snapshot of a server."""
import json
import os
import subprocess
import tempfile

AGENTPOL = os.path.join(os.environ.get("BUILD", "build"), "agentpol")


class Grants:
    """What one role may do: verb to {table: columns, or None for the whole table}. Names as they
    stand in SQL ("t", "schema.t")."""

    def __init__(self, **verbs):
        self.verbs = {verb: dict(tables) for verb, tables in verbs.items() if tables}

    def manifest(self):
        return [
            {verb: [name + (f"({', '.join(quote(c) for c in columns)})" if columns else "")
                    for name, columns in tables.items()]}
            for verb, tables in self.verbs.items()
        ] or [{"select": ["agentpol_nothing"]}]

    def statements(self, role):
        """The same as GRANTs."""
        for verb, tables in self.verbs.items():
            for name, columns in tables.items():
                part = f" ({', '.join(quote(c) for c in columns)})" if columns else ""
                yield f"GRANT {verb.upper()}{part} ON {name} TO {role}"

    def selected(self):
        return self.verbs.get("select", {})


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def sql_tool(grants, search_path=("public",), **more):
    return {"sql": {"engine": "postgresql", "server": "127.0.0.1:5432", "catalog": "types",
                    "search_path": list(search_path), "allow": grants.manifest(), **more}}


class Guard:
    """Tools by name, each with its own grants, over one snapshot."""

    def __init__(self, tools, snapshot=None):
        self.home = tempfile.mkdtemp(prefix="agentpol-guard-")
        self.manifest = self.write("manifest.json", json.dumps(
            {"agentpol": 1, "name": "oracle", "tools": tools}))
        self.snapshot = self.write("snapshot.json", snapshot) if snapshot else None

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def close(self):
        for name in os.listdir(self.home):
            os.unlink(os.path.join(self.home, name))
        os.rmdir(self.home)

    def take_snapshot(self, server, database, tool):
        done = subprocess.run(
            [AGENTPOL, "sql", "snapshot", "-m", self.manifest, "--tool", tool, "--",
             "-h", server.home, "-U", "postgres", "-d", database],
            stdout=subprocess.PIPE, check=True)
        self.snapshot = self.write("snapshot.json", done.stdout.decode())

    def decide(self, requests):
        """[(tool, text)] to the verdicts, in the same order."""
        lines = "".join(json.dumps({"kind": "sql", "tool": tool, "sql": text}) + "\n"
                        for tool, text in requests)
        done = subprocess.run(
            [AGENTPOL, "decide", "-m", self.manifest, "--schema", self.snapshot],
            input=lines.encode(), stdout=subprocess.PIPE, check=False)
        verdicts = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode not in (0, 1, 2) or len(verdicts) != len(requests):
            raise RuntimeError(f"agentpol decide: {len(verdicts)} verdicts for {len(requests)}")
        return verdicts
