import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getAgent } from "@slipway/api/agents/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { requireAgent, startAgentProcess } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { type NetworkServer, openOurServer, untilConnected } from "./support/network/servers.ts";
import { stockPrograms } from "./support/stock-program.ts";

/*
 * The Unix socket of our agent, called by our command in its workspace and by the stock commands that
 * SLIPWAY_STOCK_COMMAND names, if they have `exp sync` (since v2.29).
 */

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { display_name: Web, url: "http://localhost:1" }
`;

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;
let outside: InstalledCommand;
let agent: ChildProcess;
let agentId = "";

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-sync-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await openOurServer(template));
  const { client } = server;
  outside = await InstalledCommand.install(ourCommand, join(homes, "command"));
  const session = client.headers["Coder-Session-Token"] ?? "";
  await outside.expect(["login", client.serverUrl, "--token", session]);
  const { id, token } = await server.openWorkspace("sync");
  agent = await startAgentProcess({
    serverUrl: client.serverUrl,
    token,
    home: join(homes, "agent"),
  });
  opened.defer(async () => {
    const exited = once(agent, "exit");
    agent.kill("SIGKILL");
    await exited;
  });
  await untilConnected(client, id);
  agentId = requireAgent(await client.call(getWorkspace, { params: { workspace: id } })).id;
});
afterAll(() => opened.disposeAsync());

/** Runs a script in the workspace; returns its exit code and its output. */
async function inside(script: string) {
  // Not a login shell: the system's profile may replace PATH.
  const { code, stdout, stderr } = await outside.run(["ssh", "sync", "--", "sh"], script);
  return { code, printed: `${stdout}${stderr}` };
}

const commands = [
  { name: "our command", line: "slipway sync" },
  { name: "our command by the other name", line: "coder exp sync" },
  ...stockPrograms("SLIPWAY_STOCK_COMMAND")
    .filter(({ name }) => !/v2\.(?:1\d|2[0-8])\./.test(name))
    .map(({ name, path }) => ({ name: `the command ${name}`, line: `${path} exp sync` })),
];

describe.each(commands)("$name", ({ name, line }) => {
  const own = name.replaceAll(/[^a-z0-9]+/g, "-");
  // These releases have no `list`.
  const list = /v2\.(?:29|3[01])\./.test(name) ? ":" : `${line} list`;

  it("waits for a unit that another script completes", async () => {
    const { code, printed } = await inside(`set -e
${line} ping
${line} want ${own}-app ${own}-base
(${line} start ${own}-app && echo app began) &
${line} start ${own}-base
echo base works
${line} complete ${own}-base
wait
${line} complete ${own}-app
${line} status ${own}-app
${list}
`);
    expect(code, printed).toBe(0);
    expect(printed.indexOf("base works")).toBeLessThan(printed.indexOf("app began"));
    expect(printed).toContain("completed");
  });

  it("is told of cycles, unknown units and what has happened already", async () => {
    const { printed } = await inside(`
${line} want ${own}-a ${own}-b
${line} want ${own}-b ${own}-a || echo cycle: $?
${line} complete ${own}-nobody || echo unknown: $?
${line} start ${own}-once && ${line} complete ${own}-once
${line} complete ${own}-once || echo twice: $?
${line} start ${own}-a --timeout 1s || echo late: $?
`);
    for (const fault of ["cycle", "unknown", "twice", "late"]) {
      expect(printed).toMatch(new RegExp(`^${fault}: [1-9]`, "m"));
    }
  });
});

it.each(stockPrograms("SLIPWAY_STOCK_COMMAND").map((one) => [one.name, one.path] as const))(
  "%s reports the status of an app over MCP",
  async (name, path) => {
    const summary = `reported by ${name}`;
    const calls = [
      { method: "initialize", id: 1, params: initialize },
      { method: "notifications/initialized" },
      { method: "tools/call", id: 2, params: report(summary) },
    ];
    const input = calls.map((call) => JSON.stringify({ jsonrpc: "2.0", ...call })).join("\n");
    // The command ends with its input, which must outlast the answer.
    const { printed } = await inside(
      `(cat <<'END'\n${input}\nEND\nsleep 3) | CODER_MCP_APP_STATUS_SLUG=web ${path} exp mcp server\n`,
    );
    const read = () => server.client.call(getAgent, { params: { agent: agentId } });
    await expect
      .poll(async () => (await read()).apps[0]?.statuses.map(({ message }) => message), {
        message: printed,
      })
      .toContain(summary);
  },
);

const initialize = {
  protocolVersion: "2024-11-05",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

function report(summary: string): unknown {
  return { name: "coder_report_task", arguments: { summary, link: "", state: "working" } };
}
