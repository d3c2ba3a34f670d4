import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type LocalServer, openSocketlessProxy } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { runCommandProcess } from "./support/command-process.ts";
import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "./support/command-server.ts";

/* Commands behind a proxy that strips the upgrades of WebSockets: they follow logs by requests, and see that a log is complete. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

const opened = new AsyncDisposableStack();
let commandServer: CommandServer;
let proxy: LocalServer;

beforeAll(async () => {
  commandServer = opened.use(await openCommandServer());
  proxy = opened.use(await openSocketlessProxy(commandServer.server.url, "strips"));
  await writeTemplate("plain", "slipway.yaml", template);
});
afterAll(() => opened.disposeAsync());

async function writeTemplate(name: string, file: string, text: string): Promise<void> {
  await mkdir(join(commandServer.directory, name), { recursive: true });
  await writeFile(join(commandServer.directory, name, file), text);
}

function slipway(line: string): Promise<CommandResult> {
  const environment = { ...commandServer.environment, CODER_URL: proxy.url };
  return commandServer.slipway(line, undefined, "", environment);
}

it("pushes a template, and creates, stops, starts and deletes a workspace of it", async () => {
  expect(await slipway("templates push @/plain")).toMatchObject({ code: 0 });
  const created = await slipway("create demo --template plain");
  expect(created).toMatchObject({ code: 0 });
  expect(created.err).toContain("agent main connects");
  expect(await slipway("stop demo")).toMatchObject({ code: 0, out: "admin/demo is stopped\n" });
  expect(await slipway("start demo")).toMatchObject({ code: 0 });
  expect(await slipway("delete demo -y")).toMatchObject({
    code: 0,
    out: "admin/demo is deleted\n",
  });
});

it("says that a template was rejected", async () => {
  await writeTemplate("wrong", "main.tf", "resource {\n");
  const { code, err } = await slipway("templates push @/wrong");
  expect(code).toBe(1);
  expect(err).toContain("the template was rejected");
});

it("follows the logs of a workspace until it is stopped", async () => {
  await writeTemplate("followed", "slipway.yaml", template);
  expect(await slipway("templates push @/followed")).toMatchObject({ code: 0 });
  expect(await slipway("create other --template followed")).toMatchObject({ code: 0 });
  const { read, following } = followLogs("other", "stdout", "agent main connects");
  await Promise.race([read, following]);
  expect(await slipway("stop other")).toMatchObject({ code: 0 });
  const { code, out } = await following;
  expect(code).toBe(0);
  expect(out).toContain("agent main connects");
});

it("follows the logs of a workspace until it is deleted", async () => {
  await writeTemplate("deleted", "slipway.yaml", template);
  expect(await slipway("templates push @/deleted")).toMatchObject({ code: 0 });
  expect(await slipway("create last --template deleted")).toMatchObject({ code: 0 });
  // The log of the agent was read once when no socket opens.
  const { read, following } = followLogs("last", "stderr", "cannot open a WebSocket");
  await Promise.race([read, following]);
  expect(await slipway("delete last -y")).toMatchObject({ code: 0 });
  expect(await following).toMatchObject({ code: 0 });
});

/** Follows the logs of a workspace; `read` resolves once an output of the command contains a text. */
function followLogs(workspace: string, output: "stdout" | "stderr", text: string) {
  const { promise: read, resolve } = Promise.withResolvers<void>();
  const following = runCommandProcess(["logs", workspace, "-f"], {
    environment: { ...commandServer.environment, CODER_URL: proxy.url },
    onStart: (child) => {
      child[output]?.on("data", (chunk) => {
        if (String(chunk).includes(text)) resolve();
      });
    },
  });
  return { read, following };
}
