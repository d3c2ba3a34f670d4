import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { runCommandProcess } from "./support/command-process.ts";
import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "./support/command-server.ts";

let commandServer: CommandServer;
let directory = "";
beforeAll(async () => {
  commandServer = await openCommandServer({ SLIPWAY_PROCESS_DRIVER: "true" });
  directory = commandServer.directory;
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string, replies?: readonly string[]): Promise<CommandResult> {
  return commandServer.slipway(line, replies);
}

async function written(name: string): Promise<string> {
  return readFile(join(directory, name, "slipway.yaml"), "utf8");
}

it("asks which starter to write, and the server takes it", async () => {
  const { code, err } = await slipway("templates init @/asked", ["external"]);
  expect(code).toBe(0);
  expect(err).toContain("demo (driver process) | external (driver external) | pool (driver");
  expect(err).toContain(`slipway templates push ${directory}/asked`);
  expect(await slipway("templates push @/asked")).toMatchObject({ code: 0 });
});

it("writes the first starter without a terminal, or the one of --example", async () => {
  await slipway("templates init @/first");
  expect(await written("first")).toContain("driver: process");
  await slipway("templates init @/pooled --id pool");
  expect(await written("pooled")).toContain("prebuilds:");
  await slipway("templates init @/boxed --example docker");
  expect(await written("boxed")).toContain("driver: docker");
  expect(await slipway("templates init @/none --id aws-linux")).toMatchObject({
    code: 2,
    err: "error: there is no starter aws-linux, wanted one of demo, docker, external, pool\n",
  });
});

it("offers no driver that the server refuses the user", async () => {
  await slipway("users create -u ted -e ted@example.com --login-type none");
  await slipway("users edit-roles ted --roles template-admin");
  const { out: token } = await slipway("tokens create --user ted");
  const environment = { ...commandServer.environment, CODER_SESSION_TOKEN: token.trim() };
  const asTed = (line: string): Promise<CommandResult> =>
    commandServer.slipway(line, ["external"], undefined, environment);
  const { err } = await asTed("templates init @/teds");
  expect(err).not.toContain("? Starter");
  expect(await asTed("templates push @/teds")).toMatchObject({ code: 0 });
});

it("writes a starter without a session, and says that the server was not asked", async () => {
  const { CODER_SESSION_TOKEN: _, ...environment } = commandServer.environment;
  const run = (line: string, more: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
    commandServer.slipway(line, undefined, undefined, { ...environment, ...more });
  expect(await run("templates init @/stranger")).toMatchObject({
    code: 0,
    err: expect.stringContaining("not logged in: the server may not offer"),
  });
  expect(await run("templates init @/expired", { CODER_SESSION_TOKEN: "wrong" })).toMatchObject({
    code: 0,
    err: expect.stringContaining("warning: cannot ask the server which drivers it offers: "),
  });
});

it("pushes the directory with the template's name rather than the current one, and says which", async () => {
  const template = (path: string): string =>
    `driver: external\nagents: { main: { os: linux, arch: amd64, directory: ${path} } }\n`;
  for (const [path, text] of [
    ["both", template("/outer")],
    ["both/inner", template("/inner")],
  ] as const) {
    await mkdir(join(directory, path), { recursive: true });
    await writeFile(join(directory, path, "slipway.yaml"), text);
  }
  // Not a template, although it is named like one.
  await mkdir(join(directory, "both/outer"));
  const push = (name: string) =>
    runCommandProcess(["templates", "push", name], {
      environment: commandServer.environment,
      directory: join(directory, "both"),
    });
  expect(await push("inner")).toMatchObject({
    code: 0,
    err: expect.stringContaining(`pushing ${directory}/both/inner as template inner\n`),
  });
  expect(await push("outer")).toMatchObject({
    code: 0,
    err: expect.stringContaining(`pushing ${directory}/both as template outer\n`),
  });
  await slipway("templates pull inner @/pulled");
  expect(await written("pulled")).toBe(template("/inner"));
});
