import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type EndedCommand, runCommandProcess } from "../support/command-process.ts";
import { type CommandServer, openCommandServer } from "../support/command-server.ts";

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

let commandServer: CommandServer;

beforeAll(async () => {
  commandServer = await openCommandServer();
  await mkdir(join(commandServer.directory, "box"));
  await writeFile(join(commandServer.directory, "box", "slipway.yaml"), template);
  expect(await commandServer.slipway("templates push @/box")).toMatchObject({ code: 0 });
  expect(await commandServer.slipway("create one -t box")).toMatchObject({ code: 0 });
});

afterAll(() => commandServer[Symbol.asyncDispose]());

function exec(...words: readonly string[]): Promise<EndedCommand> {
  return runCommandProcess(["exec", ...words], { environment: commandServer.environment });
}

it("passes on both outputs and the exit code", async () => {
  const ended = await exec("one", "-e", "A=b", "--", "sh", "-c", "echo $A; echo err >&2; exit 3");
  expect(ended).toMatchObject({ code: 3, out: "b\n", err: "err\n" });
});

it("says why a command cannot start", async () => {
  const ended = await exec("one", "--", "/no/such/program");
  expect(ended).toMatchObject({ code: 1, out: "" });
  expect(ended.err).toContain("cannot start /no/such/program");
  expect((await exec("one")).code).toBe(2);
});

it("leaves a run, attaches to it, and reads what is left after a stop without starting anything", async () => {
  const { out } = await exec(
    "one",
    "-d",
    "--",
    "sh",
    "-c",
    "echo begun; sleep 0.2; echo end; exit 4",
  );
  const id = out.trim();
  expect(await exec("one", "--attach", id)).toMatchObject({ code: 4, out: "begun\nend\n" });
  const listed = await commandServer.slipway("runs list one");
  expect(listed.out).toMatch(new RegExp(`${id} +exited 4 +`));
  expect(await commandServer.slipway("stop one")).toMatchObject({ code: 0 });
  expect(await exec("one", "--attach", id, "--after", "2")).toMatchObject({
    code: 4,
    out: "gun\nend\n",
  });
  expect((await commandServer.slipway("show one")).out).toContain("stopped");
});
