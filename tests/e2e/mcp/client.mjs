// SPDX-License-Identifier: Apache-2.0
// A client of the MCP SDK that follows a script: client.mjs MODULES SCRIPT -- COMMAND ARGUMENT...
// or, over Streamable HTTP, client.mjs MODULES SCRIPT -- URL
// SCRIPT is a list of ["list"] and ["call", NAME, ARGUMENTS] as JSON. Prints one line for each.
import { pathToFileURL } from "node:url";

const [modules, script, , command, ...args] = process.argv.slice(2);
const sdk = (path) => import(pathToFileURL(`${modules}/@modelcontextprotocol/sdk/dist/esm/client/${path}.js`));
const { Client } = await sdk("index");
const { StdioClientTransport } = await sdk("stdio");
const { StreamableHTTPClientTransport } = await sdk("streamableHttp");
const client = new Client({ name: "script", version: "1" });

const steps = {
  list: async () => (await client.listTools()).tools,
  call: async (name, given) => client.callTool({ name, arguments: given }),
  resources: async () => client.listResources(),
  ping: async () => client.ping(),
};
const transport = command.startsWith("http:")
  ? new StreamableHTTPClientTransport(new URL(command))
  : new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" });
await client.connect(transport);
for (const [step, ...rest] of JSON.parse(script)) {
  try {
    console.log(JSON.stringify([step, await steps[step](...rest)]));
  } catch (error) {
    console.log(JSON.stringify([step, { code: error.code, message: error.message }]));
  }
}
await transport.terminateSession?.();
await client.close();
