import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import {
  logInAsAdmin,
  openTestDatabase,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { runCommandLine } from "../src/command/run-command-line.ts";
import { commandTable } from "../src/commands/table.ts";
import { memoryTerminal } from "../src/terminal/memory-terminal.ts";

/** Of the driver `external`, so that a start is over without an agent. */
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

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let token = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-templates-"));
  opened.defer(() => rm(directory, { recursive: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  server = opened.use(
    await startServerProcess({
      dataDir: join(directory, "data"),
      port: 0,
      environment: { SLIPWAY_POSTGRES_URL: database.url },
    }),
  );
  const admin = await logInAsAdmin(server.url);
  token = admin.headers["Coder-Session-Token"] ?? "";
  await mkdir(join(directory, "box"));
  await writeTemplate(template);
});
afterAll(() => opened.disposeAsync());

function writeTemplate(text: string): Promise<void> {
  return writeFile(join(directory, "box", "slipway.yaml"), text);
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command; `@` stands for the test's directory. */
async function slipway(line: string): Promise<Ended> {
  const terminal = memoryTerminal();
  const words = line.replaceAll("@", directory).split(" ");
  const code = await runCommandLine(commandTable, words, {
    terminal,
    environment: {
      CODER_CONFIG_DIR: join(directory, "config"),
      CODER_URL: server.url,
      CODER_SESSION_TOKEN: token,
    },
    clock: systemClock,
    signal: new AbortController().signal,
    interruption: {
      interrupted: Promise.withResolvers<"SIGINT">().promise,
      forced: new AbortController().signal,
    },
  });
  return { code, out: terminal.outText(), err: terminal.errText() };
}

async function versionNames(more = ""): Promise<string[]> {
  const { out } = await slipway(`templates versions list box -o json${more}`);
  const versions: unknown = JSON.parse(out);
  if (!Array.isArray(versions)) throw new Error(`no list: ${out}`);
  return versions.map((version: { readonly name: string }) => version.name);
}

test("pushes two versions, and shows what changed between them", async () => {
  expect(await slipway("templates push @/box -m one")).toMatchObject({ code: 0 });
  await slipway("create kept -t box --parameter size=large");
  await writeTemplate(template.replace("/tmp", "/srv"));
  expect(await slipway("templates push @/box -m two")).toMatchObject({ code: 0 });
  const list = await slipway("templates versions list box");
  expect(list.out).toMatch(/^NAME +STATE.*\n\S+ +active +just now +admin +two\n\S+ +succeeded/);
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

test("brings a workspace to the active version, with what may change", async () => {
  const refused = await slipway("update kept --parameter size=small");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.err).toContain("--parameter size cannot change after the workspace was made");
  const done = await slipway("update kept --parameter greeting=moin --parameter size=large");
  expect(done).toMatchObject({ code: 0 });
  expect((await slipway("update kept")).err).toContain("is at the active version of box already");
});

test("changes what the template says", async () => {
  expect(await slipway("templates edit box")).toMatchObject({ code: 2 });
  const edited = await slipway("templates edit box --display-name Box --default-ttl 1h30m -o json");
  expect(JSON.parse(edited.out)).toMatchObject({ display_name: "Box", default_ttl_ms: 5_400_000 });
  await slipway("templates edit box --deprecated old");
  expect((await slipway("create other -t box")).err).toContain("has been deprecated");
  expect(await slipway("templates edit none --icon x")).toMatchObject({ code: 4 });
});

test("lists presets", async () => {
  expect((await slipway("templates presets list box")).out).toMatch(
    /\nquick +default +- +greeting=welcome/,
  );
});

test("pulls a version as files and as a tar, over nothing that is there", async () => {
  expect(await slipway("templates pull box @/pulled")).toMatchObject({ code: 0 });
  expect(await readFile(join(directory, "pulled/slipway.yaml"), "utf8")).toContain("/srv");
  expect((await slipway("templates pull box @/pulled")).err).toContain("exists already");
  const first = (await versionNames()).at(-1) ?? "";
  await slipway(`templates pull box @/pulled --version ${first} --force`);
  expect(await readFile(join(directory, "pulled/slipway.yaml"), "utf8")).toContain("/tmp");
  await slipway("templates pull box @/box.tar --tar");
  expect((await stat(join(directory, "box.tar"))).size % 512).toBe(0);
});

test("archives, shows again and promotes versions", async () => {
  const [second = "", first = ""] = await versionNames();
  expect((await slipway(`templates versions archive box ${second}`)).err).toContain("is used");
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

test("deletes a template when its workspaces are gone", async () => {
  expect(await slipway("templates delete box")).toMatchObject({ code: 2 });
  expect((await slipway("templates delete box -y")).err).toContain(
    "All workspaces must be deleted",
  );
  await slipway("delete kept -y");
  expect(await slipway("templates delete box -y")).toMatchObject({ code: 0 });
  expect((await slipway("templates list")).err).toContain("no templates");
});
