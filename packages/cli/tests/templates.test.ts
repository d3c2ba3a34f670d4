import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "./support/command-server.ts";

/** A template of the driver `external`, so that a start completes without an agent. */
const template = `
driver: external
parameters:
  greeting: { type: string, default: hello, mutable: true }
  size: { type: string, default: small }
presets:
  quick: { default: true, parameters: { greeting: welcome } }
agents:
  main: { os: linux, arch: amd64, directory: /tmp }
`;

let commandServer: CommandServer;
let directory = "";
beforeAll(async () => {
  commandServer = await openCommandServer();
  directory = commandServer.directory;
  await mkdir(join(directory, "box"));
  await writeTemplate(template);
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function writeTemplate(text: string): Promise<void> {
  return writeFile(join(directory, "box", "slipway.yaml"), text);
}

function slipway(line: string): Promise<CommandResult> {
  return commandServer.slipway(line);
}

async function versionNames(more = ""): Promise<string[]> {
  const { out } = await slipway(`templates versions list box -o json${more}`);
  const versions: unknown = JSON.parse(out);
  if (!Array.isArray(versions)) throw new Error(`no list: ${out}`);
  return versions.map((version: { readonly name: string }) => version.name);
}

it("pushes two versions, and shows what changed between them", async () => {
  expect(await slipway("templates push @/box -m one")).toMatchObject({ code: 0 });
  await slipway("create kept -t box --parameter size=large");
  await writeTemplate(template.replace("/tmp", "/srv"));
  expect(await slipway("templates push @/box -m two")).toMatchObject({ code: 0 });
  const list = await slipway("templates versions list box");
  expect(list.out).toMatch(/^NAME +STATUS.*\n\S+ +active +just now +admin +two\n\S+ +succeeded/);
  const diff = await slipway("templates versions diff box");
  expect(diff.out).toContain("-  main: { os: linux, arch: amd64, directory: /tmp }\n+");
  const [second = "", first = ""] = await versionNames();
  const back = await slipway(`templates versions diff box ${second} ${first}`);
  expect(back.out).toContain("+  main: { os: linux, arch: amd64, directory: /tmp }");
  expect((await slipway(`templates versions diff box ${first} ${first}`)).err).toContain(
    "is the same",
  );
  expect(await slipway("templates versions diff box none")).toMatchObject({ code: 4 });
});

it("updates a workspace to the active version, with new values of mutable parameters", async () => {
  const refused = await slipway("update kept --parameter size=small");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.err).toContain("--parameter size cannot change after the workspace is created");
  const done = await slipway("update kept --parameter greeting=moin --parameter size=large");
  expect(done).toMatchObject({ code: 0 });
  expect((await slipway("update kept")).out).toContain("is already at the active version of box");
});

it("edits a template's settings", async () => {
  expect(await slipway("templates edit box")).toMatchObject({ code: 2 });
  const edited = await slipway("templates edit box --display-name Box --default-ttl 1h30m -o json");
  expect(JSON.parse(edited.out)).toMatchObject({ display_name: "Box", default_ttl_ms: 5_400_000 });
  await slipway("templates edit box --deprecated old");
  expect((await slipway("create other -t box")).err).toContain("has been deprecated");
  expect(await slipway("templates edit box --private --icon x")).toMatchObject({
    code: 2,
    err: expect.stringContaining("all users of a server may use its templates"),
  });
  expect(await slipway("templates edit none --icon x")).toMatchObject({
    code: 4,
    err: expect.stringContaining("template none does not exist or is not visible to you"),
  });
  const jobs = await slipway("templates edit box --allow-user-cancel-workspace-jobs false -o json");
  expect(JSON.parse(jobs.out)).toMatchObject({ allow_user_cancel_workspace_jobs: false });
  await slipway("templates edit box --allow-user-cancel-workspace-jobs true");
  const fixed = "--allow-user-autostart false --allow-user-autostop false";
  expect(JSON.parse((await slipway(`templates edit box ${fixed} -o json`)).out)).toMatchObject({
    allow_user_autostart: false,
    allow_user_autostop: false,
  });
  expect(await slipway("templates edit box --allow-user-autostop maybe")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted true or false"),
  });
  await slipway("templates edit box --allow-user-autostart true --allow-user-autostop true");
  const failure = await slipway("templates edit box --failure-ttl 1h30m -o json");
  expect(JSON.parse(failure.out)).toMatchObject({ failure_ttl_ms: 5_400_000 });
  expect(await slipway("templates edit box --failure-ttl 30s")).toMatchObject({
    code: 1,
    err: expect.stringContaining("must be 0 or at least 60000"),
  });
  await slipway("templates edit box --failure-ttl 0");
  const unused = await slipway("templates edit box --dormancy-threshold 30d -o json");
  expect(JSON.parse(unused.out)).toMatchObject({ time_til_dormant_ms: 30 * 86_400_000 });
  await slipway("templates edit box --dormancy-threshold 0");
  const deletion = await slipway("templates edit box --dormancy-auto-deletion 30d -o json");
  expect(JSON.parse(deletion.out)).toMatchObject({
    time_til_dormant_autodelete_ms: 30 * 86_400_000,
  });
  expect(await slipway("templates edit box --dormancy-auto-deletion 23h")).toMatchObject({
    code: 1,
    err: expect.stringContaining("must be 0 or at least 86400000 (1 day)"),
  });
  await slipway("templates edit box --dormancy-auto-deletion 0");
  const nights = "--autostop-requirement-weekdays Friday,monday";
  const required = await slipway(`templates edit box ${nights} -o json`);
  expect(JSON.parse(required.out)).toMatchObject({
    autostop_requirement: { days_of_week: ["monday", "friday"], weeks: 1 },
  });
  const rarer = await slipway("templates edit box --autostop-requirement-weeks 2 -o json");
  expect(JSON.parse(rarer.out)).toMatchObject({
    autostop_requirement: { days_of_week: ["monday", "friday"], weeks: 2 },
  });
  expect(await slipway("templates edit box --autostop-requirement-weekdays fri")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted none, or some of monday"),
  });
  const none = await slipway("templates edit box --autostop-requirement-weekdays none -o json");
  expect(JSON.parse(none.out)).toMatchObject({ autostop_requirement: { days_of_week: [] } });
  expect(await slipway("templates push box -d @/box --variable a=b")).toMatchObject({ code: 2 });
  expect(await slipway("templates edit box --icon x --org none")).toMatchObject({ code: 4 });
  expect((await slipway("templates push box -d @/box --org none")).err).toContain(
    "organization none does not exist or is not visible to you",
  );
});

it("lists presets", async () => {
  expect((await slipway("templates presets list box")).out).toMatch(
    /\nquick +yes +- +greeting=welcome/,
  );
});

it("pulls a version as files and as a tar, and overwrites nothing", async () => {
  expect(await slipway("templates pull box @/pulled")).toMatchObject({ code: 0 });
  expect(await readFile(join(directory, "pulled/slipway.yaml"), "utf8")).toContain("/srv");
  expect((await slipway("templates pull box @/pulled")).err).toContain("already exists");
  const first = (await versionNames()).at(-1) ?? "";
  await slipway(`templates pull box @/pulled --version ${first} --force`);
  expect(await readFile(join(directory, "pulled/slipway.yaml"), "utf8")).toContain("/tmp");
  await slipway("templates pull box @/box.tar --tar");
  expect((await stat(join(directory, "box.tar"))).size % 512).toBe(0);
});

it("archives, unarchives and promotes versions", async () => {
  const [second = "", first = ""] = await versionNames();
  expect((await slipway(`templates versions archive box ${second}`)).err).toContain("is in use");
  expect(await slipway(`templates versions archive box ${first}`)).toMatchObject({ code: 0 });
  expect(await versionNames()).toEqual([second]);
  expect(await versionNames(" --include-archived")).toEqual([second, first]);
  expect((await slipway(`templates versions promote box ${first}`)).code).toBe(1);
  expect(await slipway(`templates versions unarchive box ${first}`)).toMatchObject({ code: 0 });
  expect((await slipway(`templates versions promote box ${first}`)).err).toContain(
    `box is now at version ${first}`,
  );
  await slipway(`templates versions promote box ${second}`);
  expect((await slipway("templates archive box")).err).toContain("archived 0 versions of box");
  expect((await slipway("templates archive box --all")).err).toContain("archived 1 version of box");
});

it("deletes a template once it has no workspaces", async () => {
  expect(await slipway("templates delete box")).toMatchObject({ code: 2 });
  expect((await slipway("templates delete box -y")).err).toContain(
    "All workspaces must be deleted",
  );
  await slipway("delete kept -y");
  expect(await slipway("templates delete box -y")).toMatchObject({ code: 0 });
  expect((await slipway("templates list")).err).toContain("no templates");
});

it("accepts coder's names for directory, template and version", async () => {
  await writeTemplate(template.replace("/tmp", "/opt"));
  const pushed = await slipway("templates push other -d @/box --name first -y");
  expect(pushed.err).toContain("created template other, version first");
  await slipway("templates push other -d @/box --name second --activate=false");
  await slipway("templates versions promote -t other --template-version second");
  const list = await slipway("templates version ls other -c name,active");
  expect(list.out).toBe("NAME    ACTIVE\nsecond  yes\nfirst   no\n");
  expect(await slipway("templates versions promote other")).toMatchObject({ code: 2 });
});

it("names the version by --name, and the template by the directory", async () => {
  await mkdir(join(directory, "web"));
  await writeFile(join(directory, "web", "slipway.yaml"), template);
  const pushed = await slipway("templates push @/web --name v9");
  expect(pushed.err).toContain("created template web, version v9");
  expect((await slipway("templates push @/web --name v9")).err).toContain("already");
  expect((await slipway("templates versions list web -c name,active")).out).toBe(
    "NAME  ACTIVE\nv9    yes\n",
  );
});

it("creates a workspace of an older version, with a schedule and another workspace's parameters", async () => {
  await slipway("create like -t other --parameter greeting=bye --parameter size=large");
  const made = await slipway(
    "create timed -t other --template-version first --copy-parameters-from like --stop-after 8h --automatic-updates always --start-at 9:30am",
  );
  expect(made).toMatchObject({ code: 0 });
  const shown: unknown = JSON.parse((await slipway("show timed -o json")).out);
  expect(shown).toMatchObject({ ttl_ms: 28_800_000, automatic_updates: "always", outdated: true });
  expect(await slipway("create late -t other --start-at noon")).toMatchObject({ code: 2 });
  const brief = await slipway(
    "create brief -t other --delete-after 2h --copy-parameters-from like -o json",
  );
  expect(JSON.parse(brief.out)).toMatchObject({ ttl_ms: 7_200_000, on_deadline: "delete" });
  const both = await slipway("create late -t other --delete-after 2h --stop-after 1h");
  expect(both).toMatchObject({ code: 2 });
});
