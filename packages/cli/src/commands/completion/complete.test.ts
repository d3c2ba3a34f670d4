import { expect, it } from "vitest";

import {
  type CommandDefinition,
  type CommandTable,
  defineCommand,
  lazyCommand,
} from "../../command/definition.ts";
import { columnFlag, outputFlag, yesFlag } from "../../command/flags.ts";
import { complete, type Completion } from "./complete.ts";

function command(name: string, definition: CommandDefinition) {
  return lazyCommand(
    { name, heading: "", ...definition },
    () => Promise.resolve({ command: definition }),
    () => Promise.resolve({ run: () => Promise.resolve(0) }),
  );
}

const workspace = { summary: "", required: true, completion: "workspace" } as const;
const table: CommandTable = {
  groups: [{ name: "boxes", summary: "boxes", aliases: ["box"] }],
  commands: [
    command(
      "boxes list",
      defineCommand({
        summary: "list boxes",
        aliases: ["ls"],
        arguments: {},
        flags: {
          column: columnFlag(["name", "size"]),
          output: outputFlag,
          yes: { ...yesFlag, hidden: true },
          all: { kind: "switch", short: "a", summary: "all" },
          tag: { kind: "list", value: "tag", summary: "tag" },
        },
        examples: [],
      }),
    ),
    command(
      "move",
      defineCommand({
        summary: "move a box",
        arguments: {
          workspace,
          where: { summary: "", required: true, completion: ["up", "down"] },
          file: { summary: "", required: false, completion: "files" },
        },
        flags: {
          fast: { kind: "boolean", defaultValue: true, summary: "fast" },
          template: { kind: "text", value: "name", summary: "t", completion: "template" },
        },
        examples: [],
      }),
    ),
    command(
      "move back",
      defineCommand({
        summary: "move it back",
        arguments: {},
        flags: {},
        examples: [],
      }),
    ),
  ],
};

async function completionOf(line: string): Promise<Completion> {
  return (await complete(table, line.split(" "))).completion;
}

async function valuesOf(line: string): Promise<string[]> {
  const { prefix, candidates } = await completionOf(line);
  return candidates.map(({ value }) => `${prefix}${value}`);
}

const globals = [
  "--url",
  "--token",
  "--config-dir",
  "--org",
  "--header",
  "--header-command",
  "--client-tls-cert-file",
  "--client-tls-key-file",
  "--client-tls-ca-file",
];

it.each([
  ["", ["move", "boxes"]],
  ["mo", ["move", "boxes"]],
  ["boxes ", ["list"]],
  ["box ", ["list"]],
  ["--url u boxes ", ["list"]],
  ["nonsense ", []],
  ["boxes list -", ["--column", "--output", "--all", "--tag", ...globals, "--help"]],
  ["box ls --all -o json -", ["--column", "--tag", ...globals, "--help"]],
  ["boxes list -a --tag x --", ["--column", "--output", "--tag", ...globals, "--help"]],
  ["boxes list --output ", ["text", "json"]],
  ["boxes list -o ", ["text", "json"]],
  ["boxes list --output=j", ["--output=text", "--output=json"]],
  ["boxes list -c ", ["name", "size"]],
  ["boxes list -c name,", ["name,size"]],
  ["boxes list --column=size,", ["--column=size,name"]],
  ["boxes list --nonsense=", []],
  ["boxes list --tag ", []],
  ["move --fast=", ["--fast=true", "--fast=false"]],
  ["move demo ", ["up", "down"]],
  ["move demo up x ", []],
  ["move -- demo -", ["up", "down"]],
  ["-", [...globals, "--help"]],
])("completes %j", async (line, values) => {
  expect(await valuesOf(line)).toEqual(values);
});

it("describes candidates", async () => {
  expect((await completionOf("boxes ")).candidates).toEqual([
    { value: "list", summary: "list boxes" },
  ]);
});

it("leaves names to the server and files to the shell", async () => {
  expect(await completionOf("move d")).toMatchObject({
    names: "workspace",
    candidates: [{ value: "back" }],
  });
  expect(await completionOf("move --template ")).toMatchObject({ names: "template", prefix: "" });
  expect(await completionOf("move --template=a")).toMatchObject({ prefix: "--template=" });
  expect(await completionOf("move demo up ")).toMatchObject({ files: true, names: undefined });
});

it("returns what is typed before", async () => {
  const { typed } = await complete(table, ["--url=u", "move", "--template", "t", "demo", ""]);
  expect(typed).toMatchObject({ path: "move", words: ["demo"], openFlag: undefined });
  expect([...typed.flags]).toEqual([
    ["url", "u"],
    ["template", "t"],
  ]);
});
