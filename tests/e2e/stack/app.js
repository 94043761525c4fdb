// SPDX-License-Identifier: Apache-2.0
// What a team would write: orders from PostgreSQL as JSON, by psql; and one route that calls out.
//   node app.js PORT DATABASE-PORT
'use strict';
const http = require('node:http');
const net = require('node:net');
const { execFile } = require('node:child_process');
const { Resolver } = require('node:dns').promises;

const [port, databasePort] = process.argv.slice(2).map(Number);

function query(sql) {
  const words = ['-h', '127.0.0.1', '-p', String(databasePort), '-U', 'app', '-d', 'postgres', '-At', '-c', sql];
  return new Promise((resolve, reject) =>
    execFile('psql', words, (error, out) => (error ? reject(error) : resolve(out.trim()))));
}

function connect(address, to, token) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port: to }, () => socket.end(token, () => resolve('sent')));
    socket.on('error', (error) => resolve(error.code));
    socket.setTimeout(2000, () => socket.destroy(new Error('timeout')));
  });
}

async function ask(address, name) {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([address]);
  return resolver.resolve4(name).then(String, (error) => error.code);
}

const routes = {
  '/orders': () => query("SELECT json_agg(o ORDER BY id) FROM orders o"),
  '/connect': (words) => connect(words.get('address'), Number(words.get('port')), words.get('token')),
  '/ask': (words) => ask(words.get('address'), words.get('name')),
};

http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const route = routes[url.pathname];
  try {
    response.end((route ? await route(url.searchParams) : 'no such page') + '\n');
  } catch (error) {
    response.statusCode = 500;
    response.end(error.message + '\n');
  }
}).listen(port, '127.0.0.1');
