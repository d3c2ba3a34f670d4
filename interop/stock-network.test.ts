import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { ApiClient } from "@slipway/sdk/http";
import {
  logInAsAdmin,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { runOurAgent } from "./support/our-agent.ts";
import { runStockAgent } from "./support/run-stock-agent.ts";
import { stockPrograms } from "./support/stock-program.ts";

/*
 * Stock commands reach agents through our coordinator and relay: each program of SLIPWAY_STOCK_COMMAND ours and each one of
 * SLIPWAY_STOCK_AGENT, over the relay alone and directly. `vitest.config.ts` leaves this file out, and says so, where
 * SLIPWAY_STOCK_COMMAND is not set.
 */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const execute = promisify(execFile);
const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let client: ApiClient;
let templateId = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-network-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
  client = await logInAsAdmin(server.url);
  templateId = await pushTemplate(client, "network", template);
});

afterAll(() => opened.disposeAsync());

/** Ours comes first: it is there without any stock agent. */
const agents = [{ name: "ours", path: undefined }, ...stockPrograms("SLIPWAY_STOCK_AGENT")];
const commands = stockPrograms("SLIPWAY_STOCK_COMMAND");

describe.each(agents)("the agent $name", ({ name: agentName, path }) => {
  let workspace = "";

  beforeAll(async () => {
    const made = await makeExternalWorkspace(client, templateId, agentName);
    const { token } = made;
    workspace = made.name;
    const home = join(directory, `agent-${workspace}`);
    const place = { serverUrl: server.url, token, home };
    const agent =
      path === undefined
        ? await runOurAgent(place)
        : await runStockAgent({ ...place, program: path });
    return () => void agent.kill("SIGKILL");
  });

  it.each(commands)(`is reached from ${agentName} by $name`, async ({ name, path: program }) => {
    const home = join(directory, `command-${workspace}-${name}`);
    await mkdir(home, { recursive: true });
    const run = async (args: readonly string[], input = ""): Promise<string> => {
      const env = { PATH: process.env["PATH"], HOME: home, CODER_CONFIG_DIR: home };
      const running = execute(program, args, { env, timeout: 60_000 });
      running.child.stdin?.end(input);
      const { stdout, stderr } = await running;
      return stdout + stderr;
    };
    const token = client.headers["Coder-Session-Token"] ?? "";
    await run(["login", server.url, "--token", token]);
    expect(await run(["ping", "-n", "3", "--disable-direct-connections", workspace])).toMatch(
      /pong from .* via DERP/,
    );
    expect(await run(["ping", "-n", "10", workspace])).toMatch(/pong from .* p2p via/);
    // Older releases take no command as arguments.
    const script = "echo hello\nexit 3\n";
    const shell = { code: 3, stdout: expect.stringContaining("hello") };
    await expect(run(["ssh", workspace], script)).rejects.toMatchObject(shell);
    const relayed = ["ssh", "--disable-direct-connections", workspace];
    await expect(run(relayed, script)).rejects.toMatchObject(shell);
    expect(await run(["speedtest", "-t", "1s", workspace])).toMatch(/bits\/sec/);
  });
});
