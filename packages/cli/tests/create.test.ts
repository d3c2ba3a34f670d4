import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { listBuildParameters } from "@slipway/api/builds/routes";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "./support/command-server.ts";
import type { Answer } from "./support/memory-terminal.ts";

/** A template of the driver `external`, so that a start completes without an agent. */
const template = `
driver: external
parameters:
  zones:
    type: list(string)
    default: [north]
    mutable: true
    options:
      - { name: North, value: north }
      - { name: South, value: south }
  fast: { type: bool, default: true, mutable: true }
  count: { type: number, default: 2, mutable: true, validation: { min: 1, max: 4, error: one to four } }
  color: { type: string, mutable: true, validation: { regex: "^[a-z]+$", error: small letters only } }
  size: { type: string, default: small, description: how large, mutable: true, options: [{ name: Small, value: small }, { name: Large, value: large }] }
  tags: { type: "list(string)", default: [], mutable: true }
  note: { type: string, default: "", mutable: true }
presets:
  quick: { display_name: Quick start, parameters: { zones: [south], fast: false, count: 1, color: red, size: large, tags: [a], note: x } }
agents:
  main: { os: linux, arch: amd64 }
`;
const plain = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  await push("web", template);
  await push("old", plain);
  await slipway("templates edit old --display-name Web --deprecated gone");
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string, replies?: readonly Answer[]): Promise<CommandResult> {
  return commandServer.slipway(line, replies);
}

async function push(name: string, text: string): Promise<void> {
  await mkdir(join(commandServer.directory, name));
  await writeFile(join(commandServer.directory, name, "slipway.yaml"), text);
  expect(await slipway(`templates push @/${name}`)).toMatchObject({ code: 0 });
}

/** The values with which a workspace was built. */
async function valuesOf(workspace: string): Promise<Readonly<Record<string, string>>> {
  const { out } = await slipway(`show ${workspace} -o json`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command's output follows its contract
  const { latest_build } = JSON.parse(out) as { readonly latest_build: { readonly id: string } };
  const params = { build: latest_build.id };
  const values = await commandServer.admin.call(listBuildParameters, { params });
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
}

const defaults = {
  zones: '["north"]',
  fast: "true",
  count: "2",
  size: "small",
  tags: "[]",
  note: "",
};

it("prompts for each parameter in the form that fits it, until the template accepts the answer", async () => {
  const answers: Answer[] = [
    "none",
    ["north", "south"],
    false,
    "nine",
    "9",
    "3",
    "",
    "RED",
    "red",
    "Large",
    "a, b",
    "hello",
  ];
  const made = await slipway("create one -t web", answers);
  expect(made).toMatchObject({ code: 0 });
  expect(await valuesOf("one")).toEqual({
    zones: '["north","south"]',
    fast: "false",
    count: "3",
    color: "red",
    size: "large",
    tags: '["a","b"]',
    note: "hello",
  });
  // The template's own words, in the prompt.
  expect(made.err).toMatch(
    /\? count \(2\)\n.*wanted a number\n\? count \(2\)\none to four .*\n\? count/,
  );
  expect(made.err).toMatch(
    /\? color\n! an answer is required\n\? color\nsmall letters only .*\n\? color/,
  );
});

it("shows defaults and accepts them by Enter", async () => {
  const made = await slipway("create two -t web --parameter color=red", [
    "none",
    ["north"],
    true,
    "",
    "small",
    "",
    "",
  ]);
  expect(made).toMatchObject({ code: 0 });
  expect(made.err).toContain("? Preset [Quick start | none]");
  expect(made.err).toContain("? fast (yes)");
  expect(made.err).toContain("? size: how large [Small | Large]");
  expect(await valuesOf("two")).toEqual({ ...defaults, color: "red" });
});

it("does not prompt for what a preset sets", async () => {
  expect(await slipway("create three -t web", ["Quick start"])).toMatchObject({ code: 0 });
  expect(await valuesOf("three")).toMatchObject({
    zones: '["south"]',
    fast: "false",
    color: "red",
  });
});

it("reads values from flags, then the file, then defaults", async () => {
  await writeFile(
    join(commandServer.directory, "values.yaml"),
    "count: 4\ncolor: blue\nzones: [south]\n",
  );
  const made = await slipway(
    "create four -t web --rich-parameter-file @/values.yaml --parameter count=1 --parameter-default note=d --parameter-default color=never",
  );
  expect(made).toMatchObject({ code: 0 });
  expect(await valuesOf("four")).toEqual({
    ...defaults,
    zones: '["south"]',
    count: "1",
    color: "blue",
    note: "d",
  });
});

it("prompts only for parameters without any value with --use-parameter-defaults", async () => {
  const made = await slipway("create five -t web --use-parameter-defaults", ["pink"]);
  expect(made).toMatchObject({ code: 0 });
  expect(await valuesOf("five")).toEqual({ ...defaults, color: "pink" });
});

it("names missing parameters without a terminal", async () => {
  const refused = await slipway("create six -t web");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.err).toContain("missing required parameter color: pass --parameter color=…");
});

it("refuses a deprecated template, a taken name and an invalid name before it prompts", async () => {
  for (const [line, code, text] of [
    ["create seven -t old", 1, "template old has been deprecated: gone"],
    ["create one -t web", 1, "workspace admin/one already exists"],
    ["create a/b/c -t web", 2, "wanted name or owner/name"],
    ["create six -t web --parameter colour=red", 2, 'the template has no parameter "colour"'],
    [
      "create six -t web --parameter-default colour=red",
      2,
      'the template has no parameter "colour"',
    ],
    ["create six -t web --rich-parameter-file @/none.yaml", 2, "cannot be read"],
  ] as const) {
    const refused = await slipway(line);
    expect(refused).toMatchObject({ code, err: expect.stringContaining(text) });
    expect(refused.err).not.toContain("?");
  }
});

it("offers templates with distinct labels, without deprecated ones", async () => {
  await push("copy", plain);
  await push("other", plain);
  await slipway("templates edit copy --display-name Web");
  await slipway("templates edit other --display-name Web");
  const made = await slipway("create eight", ["Web (copy)"]);
  expect(made.err).toContain("? Template [Web (copy) | Web (other) | web]");
  expect(made).toMatchObject({ code: 0 });
});

it("creates a workspace for another user", async () => {
  await slipway("users create -u ada -e ada@example.com");
  const made = await slipway("create ada/box -t copy");
  expect(made.err).toContain("created ada/box from copy");
  expect(await slipway("show ada/box")).toMatchObject({ code: 0 });
});

it("prompts for every mutable parameter, with its current value", async () => {
  const answers: Answer[] = [["north"], true, "", "", "small", "", "new"];
  const updated = await slipway("update four --always-prompt", answers);
  expect(updated.err).toContain("? count (1)\n");
  expect(updated.err).toContain("? color (blue)\n");
  expect(updated).toMatchObject({ code: 0 });
  expect(await valuesOf("four")).toEqual({ ...defaults, count: "1", color: "blue", note: "new" });
});

it("prompts for ephemeral parameters if asked to, and never with the value of an earlier build", async () => {
  const parameters =
    "parameters:\n  wipe: { type: string, default: none, ephemeral: true }\n  size: { type: string, default: small, mutable: true }\n";
  await push("brief", `${plain}${parameters}`);
  const created = await slipway("create nine -t brief --prompt-ephemeral-parameters", ["home", ""]);
  expect(created.err).toContain("? wipe (none)\n");
  expect(await valuesOf("nine")).toEqual({ wipe: "home", size: "small" });
  const restarted = await slipway("restart nine --prompt-ephemeral-parameters", ["all"]);
  expect(restarted.err).toContain("? wipe (none)\n");
  expect(restarted.err).not.toContain("? size");
  expect(await valuesOf("nine")).toEqual({ wipe: "all", size: "small" });
  const given = await slipway("start nine --build-options --ephemeral-parameter wipe=tmp", []);
  expect(given).toMatchObject({ code: 0 });
  expect(await valuesOf("nine")).toEqual({ wipe: "tmp", size: "small" });
  await slipway("update nine --prompt-ephemeral-parameters --use-parameter-defaults", []);
  expect(await valuesOf("nine")).toEqual({ wipe: "none", size: "small" });
});

it("says how to give ephemeral parameters where it cannot prompt, and stops nothing", async () => {
  const { code, err } = await slipway("restart nine --prompt-ephemeral-parameters");
  expect(code).toBe(2);
  expect(err).toContain("not a terminal: pass --ephemeral-parameter wipe=…");
  expect((await slipway("list -c status")).out).not.toContain("stopped");
});

it("takes --provisioner-log-debug, and says that it changes nothing", async () => {
  const note = "--provisioner-log-debug has no effect";
  for (const line of ["stop", "start", "restart", "delete -y"]) {
    const ended = await slipway(`${line} nine --provisioner-log-debug`);
    expect(ended).toMatchObject({ code: 0, err: expect.stringContaining(note) });
  }
  expect((await slipway("stop four")).err).not.toContain(note);
});
