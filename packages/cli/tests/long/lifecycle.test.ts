import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { updateDormancy } from "@slipway/api/workspaces/routes";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "../support/command-server.ts";

const external = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const broken = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      broken: { run_on: [start], run: "echo about to fail; exit 3" }
`;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  for (const [name, text] of Object.entries({ box: external, broken })) {
    await mkdir(join(commandServer.directory, name));
    await writeFile(join(commandServer.directory, name, "slipway.yaml"), text);
    expect(await slipway(`templates push @/${name}`)).toMatchObject({ code: 0 });
  }
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string, replies?: readonly boolean[]): Promise<CommandResult> {
  return commandServer.slipway(line, replies);
}

/** The names and states of the workspaces in a command's JSON output. */
function statesOf({ out }: CommandResult): unknown {
  const parsed: unknown = JSON.parse(out);
  if (!Array.isArray(parsed)) throw new Error(`no list: ${out}`);
  return parsed.map(
    (workspace: { readonly name: string; readonly latest_build: { readonly status: string } }) =>
      `${workspace.name} ${workspace.latest_build.status}`,
  );
}

it("prints results on stdout and progress on stderr", async () => {
  const made = await slipway("create one -t box");
  expect(made.out).toMatch(
    /^admin\/one is waiting for you to start its agent:\n {2}\(curl -fsSL \S+ \|\| wget -qO- \S+ \|\| echo exit 1\) \| CODER_AGENT_TOKEN=\S+ sh\n$/,
  );
  expect(made.err).toContain("created admin/one from box\n");
  const two = await slipway("create two -t box -o json");
  expect(JSON.parse(two.out)).toMatchObject({ name: "two", latest_build: { status: "running" } });
  expect((await slipway("stop one")).out).toBe("admin/one is stopped\n");
  expect((await slipway("start one --no-wait")).out).toMatch(
    /^build 3 \(start\) of admin\/one is queued; follow it with: slipway logs admin\/one -f\n$/,
  );
});

it("processes several workspaces, each once, and lists them as JSON", async () => {
  const stopped = await slipway("stop one two one -o json");
  expect(stopped.code).toBe(0);
  expect(statesOf(stopped)).toEqual(["one stopped", "two stopped"]);
  expect((await slipway("stop one two")).out).toBe(
    "admin/one is already stopped\nadmin/two is already stopped\n",
  );
  expect(statesOf(await slipway("restart two -o json"))).toEqual(["two running"]);
  expect(statesOf(await slipway("update two -o json"))).toEqual(["two running"]);
});

it("continues after a failure, and exits with its code", async () => {
  const ended = await slipway("stop one none two -o json");
  expect(ended.code).toBe(4);
  expect(ended.err).toContain("error: workspace none does not exist or is not visible to you\n");
  expect(statesOf(ended)).toEqual(["one stopped", "two stopped"]);
  const mixed = await slipway("start none two --parameter size=1");
  expect(mixed.err).toContain('error: two: the template has no parameter "size"');
  expect(mixed.code).toBe(1);
});

it("reports a start whose script failed, with its own exit code", async () => {
  const made = await slipway("create red -t broken");
  expect(made.err).toContain("about to fail");
  expect(made.out).toBe("admin/red is running, but a start script did not succeed\n");
  expect(made.code).toBe(5);
  const started = await slipway("restart red -o json");
  expect(started.code).toBe(5);
  expect(statesOf(started)).toEqual(["red running"]);
});

it("shows the last lines, new lines and timestamps", async () => {
  const all = (await slipway("logs red")).out.trimEnd().split("\n");
  expect(all.length).toBeGreaterThan(2);
  expect((await slipway("logs red --tail 2")).out.trimEnd().split("\n")).toEqual(all.slice(-2));
  expect((await slipway("logs red --since 1h")).out.trimEnd().split("\n")).toEqual(all);
  expect((await slipway("logs red --since 2999-01-01")).out).toBe("");
  const timed = (await slipway("logs red --timestamps --tail 1")).out;
  expect(timed).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z \[/);
  expect(timed.trimEnd().endsWith(all.at(-1) ?? "none")).toBe(true);
  expect(await slipway("logs red --since soon")).toMatchObject({ code: 2 });
});

it("names when a dormant workspace will be deleted, and activates it to start it", async () => {
  await slipway("create idle -t box");
  await slipway("stop idle");
  await slipway("templates edit box --dormancy-auto-deletion 30d");
  const [{ id }] = JSON.parse((await slipway("list --search name:idle -o json")).out);
  await commandServer.admin.call(updateDormancy, {
    params: { workspace: id },
    body: { dormant: true },
  });
  const shown = await slipway("show idle");
  expect(shown.out).toMatch(/^Dormant +since \w/m);
  expect(shown.out).toMatch(/^Deletion +\w.*, in 30 days, unless it is started$/m);
  expect((await slipway("list --search name:idle")).err).toMatch(
    /^admin\/idle is dormant and will be deleted on .*; keep it with: slipway start admin\/idle$/m,
  );
  expect((await slipway("start idle --no-wait")).err).toContain(
    "admin/idle is dormant, activating it\n",
  );
  expect((await slipway("show idle")).out).not.toMatch(/Dormant|Deletion/);
  expect((await slipway("list --search name:idle")).err).toBe("");
  await slipway("delete idle -y");
});

it("confirms once before deleting several, and deletes none if one does not exist", async () => {
  expect(await slipway("delete one none", [true])).toMatchObject({ code: 4, out: "" });
  const kept = await slipway("delete one two", [false]);
  expect(kept.err).toContain("? Delete admin/one, admin/two and everything in them? (no)");
  expect(kept).toMatchObject({ code: 1, out: "" });
  const deleted = await slipway("delete one two", [true]);
  expect(deleted.out).toBe("admin/one is deleted\nadmin/two is deleted\n");
  expect(statesOf(await slipway("delete red -y -o json"))).toEqual(["red deleted"]);
});
