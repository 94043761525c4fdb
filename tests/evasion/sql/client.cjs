// SPDX-License-Identifier: Apache-2.0
// node-postgres as the agent's driver: node client.cjs HOST PORT USER DATABASE simple|prepared <statements.txt
// Each statement on a connection of its own; prints NAME, a tab, "ok" or the error's SQLSTATE (or its code).
const { Client } = require('pg');

const [host, port, user, database, mode] = process.argv.slice(2);
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));

async function attempt(text) {
  const client = new Client({ host, port, user, database, connectionTimeoutMillis: 10000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(mode === 'prepared' ? { name: 'attempt', text } : text);
    return 'ok';
  } catch (error) {
    return error.code || error.message;
  } finally {
    await client.end().catch(() => {});
  }
}

(async () => {
  for (const line of lines) {
    const tab = line.indexOf('\t');
    console.log(`${line.slice(0, tab)}\t${await attempt(line.slice(tab + 1))}`);
  }
})();
