import { readFileSync } from "node:fs";

import { expect } from "vitest";

import type { TemplateDefinition } from "../../src/definition.ts";
import { parseTemplateDefinition } from "../../src/parse-definition.ts";

/** The drivers of a server. */
export const drivers = ["process", "external", "docker", "kubernetes", "kubernetes/eu"];
/** The first line of a template. */
export const head = "driver: process\n";
/** The smallest valid agents section of a template. */
export const agent = "agents: { main: {} }\n";

/** Reads an example from the repository. */
export function exampleText(name: string): string {
  return readFileSync(
    new URL(`../../../../examples/${name}.slipway.yaml`, import.meta.url),
    "utf8",
  );
}

/** Parses a valid template. */
export function parsed(text: string): TemplateDefinition {
  const result = parseTemplateDefinition(text, { drivers });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

/** Parses a template with a problem: `«` marks where the only problem is expected. */
export function expectProblem(marked: string, path: string, message: string): void {
  const before = marked.slice(0, marked.indexOf("«")).split("\n");
  const result = parseTemplateDefinition(marked.replace("«", ""), { drivers });
  expect(result).toEqual({
    problems: [
      {
        line: before.length,
        column: (before.at(-1) ?? "").length + 1,
        path,
        message: expect.stringContaining(message),
      },
    ],
  });
}

/** Returns a template whose agent has these lines. */
export const inAgent = (lines: string): string =>
  `${head}agents:\n  main:\n${lines.replaceAll(/^/gm, "    ")}`;
export const inParameter = (lines: string): string =>
  `${head}${agent}parameters:\n  p:\n${lines.replaceAll(/^/gm, "    ")}`;
export const inScript = (entry: string): string =>
  inAgent(`scripts:\n  s: { run: x, run_on: [start], ${entry} }`);
export const inApp = (entries: string): string => inAgent(`apps:\n  a: { ${entries} }`);
export const inSchedule = (text: string): string =>
  `${head}${agent}presets:\n  p:\n    prebuilds:\n      instances: 1\n      schedule: ${text}`;
