import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { evaluateDefinition, unstorableField } from "@slipway/server/testing";
import {
  mayFailToRender,
  parseTemplateDefinition,
  renderDefinition,
  resolveParameters,
  type TemplateDefinition,
  TemplateFormatError,
} from "@slipway/template";

import { expectSame, expectThat, valueOf } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

const examples = join(import.meta.dirname, "../../../examples");
const drivers = ["process", "external", "docker"];
/** The time limit: that of `parse-definition.ts`, plus some regular expressions that never end. */
const maxMs = 1_500;
/** The maximum length of a message in characters, for human readers. */
const maxMessage = 1_000;

/** The reader of `slipway.yaml`, and the users of an accepted definition. */
export const templateTarget: FuzzTarget = {
  name: "template",
  maxBytes: 16 * 1024,
  maxMs,
  words: [
    ..."agents: scripts: metadata: apps: env: volumes: parameters: options: presets: prebuilds:".split(
      " ",
    ),
    ..."driver: run: run_on: cron: interval: timeout: url: command: health: type: default:".split(
      " ",
    ),
    ..."validation: regex: min: max: schedule: windows: instances: display_name: icon: order:".split(
      " ",
    ),
    ..."process external number bool list(string) start stop true false null ~ *a &a <<:".split(
      " ",
    ),
    "${{ parameters.x }}",
    "${{ owner.name }}",
    "\n  ",
    "\n    - ",
    "{",
    "[",
    "!!int",
    "|\n",
    "\t",
  ],
  seeds: () => [
    ...readdirSync(examples)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => new Uint8Array(readFileSync(join(examples, name)))),
    utf8(smallest),
    utf8(machine),
    utf8("a: &a [*a, *a]\n"),
  ],
  check: (input) => {
    const text = textOf(input);
    const parsed = parseTemplateDefinition(text, { drivers });
    if ("definition" in parsed) return useDefinition(parsed.definition);
    expectThat(parsed.problems.length > 0, "a refused file has a problem");
    expectSame("the field that cannot be stored", unstorableField(parsed.problems), undefined);
    const lines = text.split("\n");
    for (const { line, column, message, path } of parsed.problems) {
      const length = lines[line - 1]?.length;
      expectThat(length !== undefined, `line ${line} exists`);
      expectThat(column >= 1 && column <= (length ?? 0) + 1, `column ${column} exists`);
      expectThat(message.length > 0 && message.length <= maxMessage, `message "${message}"`);
      expectThat(!/undefined|\[object|NaN/.test(message), `message "${message}"`);
      expectThat(path.length <= maxMessage * 10, "a path is bounded");
    }
  },
};

const smallest = `driver: process
parameters:
  size: { type: number, default: 2, validation: { min: 1, max: 9 } }
  zone: { default: a, options: [{ name: A, value: a }, { name: B, value: b }] }
presets:
  Small: { parameters: { size: 1 }, prebuilds: { instances: 1 } }
agents:
  main:
    os: linux
    arch: amd64
    env: { WHO: "\${{ owner.username }}", SIZE: "\${{ parameters.size }}" }
    scripts: { prepare: { run: "echo $SIZE \${{ workspace.name }}", run_on: [start] } }
    metadata: { load: { run: cat /proc/loadavg, interval: 10s } }
    apps: { web: { url: "http://localhost:80" } }
`;

const machine = `driver: external
parameters: { vm: {} }
agents: { main: { auth: aws-instance-identity, instance_id: "\${{ parameters.vm }}" } }
`;

const values = {
  owner: { id: "i", username: "u", name: "n", email: "e" },
  workspace: { id: "w", name: "n" },
  template: { name: "t", version: "v" },
};

/** Checks that an accepted definition can be stored, and built with any values it allows. */
function useDefinition(definition: TemplateDefinition): void {
  expectSame("the field that cannot be stored", unstorableField(definition), undefined);
  evaluateDefinition(definition, { id: 1, inputs: { nothing: "x" } });
  for (const preset of [undefined, ...definition.presets.map(({ name }) => name)]) {
    const given = definition.parameters
      .filter((parameter) => parameter.default === undefined)
      .map(({ name }) => ({ name, value: "1" }));
    const choice = preset === undefined ? { given } : { given, preset };
    const resolved = resolveParameters(definition, choice);
    if ("problems" in resolved) continue;
    const render = () => renderDefinition(definition, { ...values, parameters: resolved.values });
    // Not every text is a valid machine name or address.
    const agents = mayFailToRender(definition) ? valueOf(render, TemplateFormatError) : render();
    if (agents === undefined) continue;
    expectSame("the number of agents", agents.length, definition.agents.length);
  }
}
