#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The differential oracle of the SQL guard: its verdicts against a real PostgreSQL 15.

  tests/sql/oracle.py [--quick | --cases] [--seed N] [--verbose]

Prints TAP. The full form takes some minutes, the quick one (tests/e2e/sql-oracle.t) is a sample.
The corpora are read from $AGENTPOL_CORPUS or ../shared/corpus; what needs them is skipped by name
where they are missing, as all is where PostgreSQL 15 is.
"""
import argparse
import os
import random
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import postgres15
import cases
import queries
import regress
import state
import wire
import world

# The goal of the project; see docs or the issue that this implements.
SHARE = 95.0
QUICK_SAMPLE = 2500


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, passed, what, skip=None):
        self.count += 1
        self.failed += not passed
        word = "ok" if passed else "not ok"
        print(f"{word} {self.count} - {what}" + (f" # SKIP {skip}" if skip else ""), flush=True)

    @staticmethod
    def note(lines):
        for line in lines:
            print("# " + line.replace("\n", " "), flush=True)


def run_cases(tap, server):
    found = cases.run(server, os.path.join(HERE, "cases.sql"))
    tap.note(found.notes)
    tap.ok(not found.wrong, f"{found.count} hand-written cases have their verdicts")
    tap.ok(not found.holes, f"of the cases, none that the server refuses with 42501 is allowed")
    tap.ok(not found.changes, "of the cases, no allowed read changes anything")


def run_regress(tap, server, folder, arguments):
    chance = random.Random(arguments.seed)
    connection = wire.Connection(server.home, "postgres")
    connection.simple(f"CREATE DATABASE regress; ")
    connection.simple(f"CREATE ROLE {regress.ROLE}")
    connection.close()
    connection = wire.Connection(server.home, "regress")
    world.make_regress(connection, folder)
    columns = world.columns_of(connection)
    before = state.contents(connection)
    texts = regress.corpus(folder, chance, QUICK_SAMPLE if arguments.quick else None)
    snapshot = regress.take_snapshot(server, "regress", columns)
    watch = regress.make_watch(server, "regress")
    comparison = regress.Comparison(server, "regress", watch)
    tap.note([f"seed {arguments.seed}, {len(columns)} tables and views, {len(texts)} statements"])
    tallies = [
        regress.run_manifest(server, "regress", texts, columns, name, grants, comparison, snapshot)
        for name, grants in regress.manifests(chance, columns)]
    for _ in range(1 if arguments.quick else 3):
        tallies.append(regress.run_rotation(server, "regress", texts, columns, chance, comparison,
                                            snapshot))
    for tally in tallies:
        tap.note(tally.report())
        tap.ok(not tally.holes and tally.refused > 0,
               f"{tally.name}: none that the server refuses with 42501 is allowed")
        if tally.name != "rotation":
            tap.ok(tally.share() >= SHARE,
                   f"{tally.name}: at least {SHARE:.0f} % of what the server permits is permitted")
            if arguments.verbose or tally.share() < SHARE:
                tap.note(tally.misses())
    tap.ok(not any(tally.changes for tally in tallies) and watch.checked > 0,
           f"no one of {watch.checked} allowed reads changes, locks or sets anything")
    tap.ok(state.contents(connection) == before, "all tables have the contents that they had")


def run_queries(tap, server, corpus, arguments):
    for name, planned, missed, refused in queries.sets(server, corpus, arguments.quick):
        tap.note(f"{name} missed: {text[:200]} -- {why}" for text, why in missed[:20])
        if arguments.verbose:
            tap.note(f"{name}, refused by the server: {text[:150]} -- {why}" for text, why in refused)
        tap.ok(planned > 0 and not missed,
               f"{name}: all {planned} queries that the server plans are allowed "
               f"({len(refused)} it does not)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a sample of the statements")
    parser.add_argument("--cases", action="store_true", help="the hand-written cases alone")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--seed", type=int, default=15)
    arguments = parser.parse_args()
    corpus = os.environ.get("AGENTPOL_CORPUS", os.path.join(ROOT, "../shared/corpus"))
    # So that the server ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tap = Tap()
    if not postgres15.installed():
        tap.ok(True, "the verdicts against a real PostgreSQL 15",
               f"it is not installed ({postgres15.BIN})")
        print("1..1")
        return 0
    with postgres15.Server("autovacuum=off", "max_connections=20",
                           "max_prepared_transactions=2") as server:
        run_cases(tap, server)
        folder = os.path.join(corpus, "sql/postgres-regress")
        if arguments.cases:
            corpus = None
        elif os.path.isdir(folder):
            run_regress(tap, server, folder, arguments)
        else:
            tap.ok(True, "the regression suite's statements", f"no corpus at {folder}")
        if corpus and os.path.isdir(os.path.join(corpus, "sql/job")):
            run_queries(tap, server, corpus, arguments)
        elif corpus:
            tap.ok(True, "JOB, TPC-H, TPC-DS and Spider", f"no corpus at {corpus}")
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
