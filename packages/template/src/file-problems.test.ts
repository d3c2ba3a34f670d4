import { describe, expect, it } from "vitest";

import { agent, drivers, expectProblem, head, inAgent } from "../tests/support/template-texts.ts";
import { driverProblem } from "./known-drivers.ts";
import { maxAgents, maxProblems } from "./limits.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";

describe("problems of the file", () => {
  it.each([
    ["a syntax error", `${head}agents: [«`, "", "invalid YAML"],
    ["a second document", `${head}${agent}«---\nx: 1\n`, "", "second YAML document"],
    ["a tag", "driver: «!foo process", "", "YAML tag"],
    ["a list", "«- a", "", "found a list, wanted a map"],
    ["a bare word", "«word", "", 'found "word", wanted a map'],
    [
      "a mistyped key",
      `${head}${agent}«paramters: {}`,
      "paramters",
      "unknown key `paramters`; did you mean `parameters`?",
    ],
    ["a strange key", `${head}${agent}«zzz: 1`, "zzz", "known keys: driver, "],
    ["a key that is a list", `${head}${agent}? «[a]\n: 1`, "?", "unknown key"],
    ["a missing key", `«${agent}`, "", "missing key `driver`"],
    ["a key given twice", `${head}${agent}«agents: { b: {} }`, "agents", "duplicate key `agents`"],
    ["an alias without an anchor", `${head}agents: «*x`, "agents", "without an anchor"],
    [
      "a mistyped driver",
      `driver: «proces\n${agent}`,
      "driver",
      "unknown driver `proces`; did you mean `process`? available: process, external",
    ],
    [
      "a driver whose templates have another form",
      `driver: «terraform\n${agent}`,
      "driver",
      "reads .tf files, wanted a template without slipway.yaml",
    ],
    ["a driver that is a number", `driver: «5\n${agent}`, "driver", "found the number 5"],
    ["an icon that is neither", `${head}${agent}icon: «x.svg`, "icon", "wanted a path"],
    [
      "an expression where none is replaced",
      `${head}${agent}display_name: «\${{ owner.name }}`,
      "display_name",
      "not replaced in this field",
    ],
    ["a NUL", `${head}${agent}display_name: «"a\\0"`, "display_name", "found a NUL"],
    [
      "half a surrogate pair",
      `${head}${agent}display_name: «"\\ud800"`,
      "display_name",
      "surrogate",
    ],
    [
      "a text that is too long",
      `${head}${agent}display_name: «${"x".repeat(257)}`,
      "display_name",
      "found 257 characters, wanted at most 256",
    ],
    ["no agent", `${head}«agents: {}`, "agents", "found 0 entries, wanted at least 1"],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });

  it("says which drivers the server has", () => {
    expect(driverProblem("kubernetes", { drivers: ["process", "external"] })).toBe(
      "the driver `kubernetes` (agents are pods of a cluster) is not available on this server; available: process, external",
    );
  });

  it("says what a driver on a cluster with a name is", () => {
    expect(driverProblem("kubernetes/us", { drivers: ["kubernetes", "kubernetes/eu"] })).toBe(
      "the driver `kubernetes/us` (agents are pods of a cluster) is not available on this server; available: kubernetes, kubernetes/eu",
    );
  });

  it("refuses more agents than the limit", () => {
    const agents = Array.from({ length: maxAgents + 1 }, (_, index) => `  a${index}: {}\n`).join(
      "",
    );
    expectProblem(
      `${head}«agents:\n${agents}`,
      "agents",
      `found ${maxAgents + 1} entries, wanted at most ${maxAgents}`,
    );
  });

  it("tells all problems at once, in the order of the file", () => {
    const text = "driver: nope\nagents:\n  Main:\n    os: beos\n    directory: ~\nextra: 1\n";
    const result = parseTemplateDefinition(text, { drivers });
    expect("problems" in result ? result.problems.map(({ line }) => line) : []).toEqual([
      1, 3, 4, 5, 6,
    ]);
  });

  it("stops telling problems at the limit and says so", () => {
    const keys = Array.from({ length: 500 }, (_, index) => `x${index}: 1\n`).join("");
    const result = parseTemplateDefinition(head + agent + keys, { drivers });
    const problems = "problems" in result ? result.problems : [];
    expect(problems).toHaveLength(maxProblems + 1);
    expect(problems.at(-1)?.message).toContain("not listed");
  });
});

describe("problems of expressions", () => {
  const script = (text: string) => inAgent(`scripts:\n  s:\n    run_on: [start]\n    run: ${text}`);
  const path = "agents.main.scripts.s.run";
  it.each([
    ["an unknown name", script("echo «${{ owner.nam }}"), "did you mean `owner.name`?"],
    [
      "an unknown parameter",
      script("echo «${{ parameters.x }}"),
      "unknown parameter in `${{ parameters.",
    ],
    [
      "one in a block",
      script("|\n      a ${{ owner.id }}\n        b «${{ nope }} ${{ owner.id }}\n"),
      "unknown expression",
    ],
    ["one in a folded block", script(">-\n      a\n      b «${{ nope }}\n"), "unknown expression"],
    ["one between quotes and escapes", script('"\\t\\"«${{ nope }}"'), "unknown expression"],
    ["one behind an escaped one", script("$${{ nope }} «${{ nope }}"), "unknown expression"],
    ["one without an end", script("«${{ owner.id"), "without `}}`"],
    ["one in another", script("«${{ a ${{ owner.id }} }}"), "unknown expression"],
  ])("says where %s is", (_, text, message) => {
    expectProblem(text, path, message);
  });

  it("suggests the parameter that was meant", () => {
    const text = `${head}parameters: { color: { default: x } }\nagents:\n  main:\n    env:\n`;
    expectProblem(
      `${text}      A: «\${{ parameters.colour }}`,
      "agents.main.env.A",
      "did you mean `color`?",
    );
  });

  it("points at the text where escapes hide the place", () => {
    expectProblem(script('«"\\x24{{ nope }}"'), path, "unknown expression");
  });
});
