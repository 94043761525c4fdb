# SPDX-License-Identifier: Apache-2.0
"""asyncpg as the agent's driver, which speaks the protocol itself and asks for types before it prepares:
python3 client.py HOST PORT USER DATABASE <statements.txt prints NAME, a tab, "ok" or the error's SQLSTATE."""
import asyncio
import sys

import asyncpg


async def attempt(text, where):
    try:
        connection = await asyncpg.connect(**where, timeout=10)
    except Exception as error:  # what a driver makes of a refusal is part of the answer
        return getattr(error, "sqlstate", None) or type(error).__name__
    try:
        await connection.fetch(text)
        return "ok"
    except Exception as error:
        return getattr(error, "sqlstate", None) or type(error).__name__
    finally:
        connection.terminate()


async def main():
    host, port, user, database = sys.argv[1:5]
    where = {"host": host, "port": int(port), "user": user, "database": database}
    for line in sys.stdin:
        line = line.rstrip("\n")
        if line and not line.startswith("#"):
            name, _, text = line.partition("\t")
            print(name, await attempt(text, where), sep="\t", flush=True)


asyncio.run(main())
