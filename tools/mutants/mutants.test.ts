import { access, readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { type Mutant, MutantError, plant, projectOf } from "./mutant.ts";
import { mutantSets } from "./sets.ts";

const mutants = [...mutantSets.values()].flat();

describe.each([...mutantSets])("the mutants of %s", (_, set) => {
  it.each(set)("fit the code: $name", async (mutant) => {
    const text = await readFile(mutant.file, "utf8");
    expect(plant(mutant, text)).not.toBe(text);
    const { project, files } = mutant.suite;
    for (const file of files) {
      await access(file);
      expect(projectOf(file), file).toBe(project);
    }
  });
});

it("have names of their own", () => {
  const names = mutants.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe("plant", () => {
  const mutant: Mutant = {
    name: "off-by-one",
    breaks: "the last one is left out",
    file: "list.ts",
    find: "<=",
    replace: "<",
    suite: { project: "unit", files: ["list.test.ts"] },
  };

  it("replaces the one place", () => {
    expect(plant(mutant, "a <= b; c < d")).toBe("a < b; c < d");
    expect(plant({ ...mutant, replace: "$&" }, "a <= b")).toBe("a $& b");
  });

  it.each(["a < b", "a <= b; c <= d"])("refuses code that has moved on: %s", (text) => {
    expect(() => plant(mutant, text)).toThrow(MutantError);
  });
});
