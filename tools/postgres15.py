# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL 15 for the length of a `with`: its own directory, a Unix socket and no port."""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

BIN = os.environ.get("PG15_BIN", "/usr/lib/postgresql/15/bin")


def installed():
    return os.access(f"{BIN}/initdb", os.X_OK)


class Server:
    """Run by user postgres where we are root: the server refuses to be root."""

    def __init__(self, *settings):
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.settings = " ".join(f"-c {setting}" for setting in settings)

    def run(self, *command):
        done = subprocess.run(self.prefix + list(command), cwd=self.home, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(f"{command[0]}: {done.stderr.strip()}")
        return done.stdout

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="agentpol-pg-")
        if self.prefix:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.home, postgres.pw_uid, postgres.pw_gid)
        try:
            self.run(f"{BIN}/initdb", "-D", f"{self.home}/data", "-A", "trust", "-U", "postgres",
                     "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
            self.run(f"{BIN}/pg_ctl", "-w", "-D", f"{self.home}/data", "-l", f"{self.home}/log",
                     "-o", f"-c listen_addresses= -k {self.home} -c fsync=off {self.settings}",
                     "start")
        except BaseException:
            shutil.rmtree(self.home)
            raise
        return self

    def __exit__(self, *_):
        self.run(f"{BIN}/pg_ctl", "-m", "immediate", "-D", f"{self.home}/data", "stop")
        shutil.rmtree(self.home)

    def rows(self, query):
        text = self.run("psql", "-X", "-q", "-A", "-F", "\t", "-h", self.home, "-U", "postgres",
                        "-d", "postgres", "-P", "footer=off", "-c", query)
        lines = text.splitlines()
        names = lines[0].split("\t")
        return [dict(zip(names, line.split("\t"))) for line in lines[1:]]
