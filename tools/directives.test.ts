import { glob, readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { findBadDirectives } from "./directives.ts";

it("finds a suppression that has no reason, or is for more than one line", () => {
  const disable = ["oxlint", "disable"].join("-");
  const text = [
    `// ${disable}-next-line no-console -- the terminal is what this file is about`,
    `// ${disable}-next-line no-console`,
    `foo(); // ${disable}-line no-console -- `,
    `/* ${disable} no-console -- all of it */`,
    ["// @ts", "expect-error the upstream type lacks this field"].join("-"),
    ["// @ts", "expect-error"].join("-"),
  ].join("\n");
  expect(findBadDirectives(text)).toEqual([2, 3, 4, 6]);
});

it("finds none in this repository", async () => {
  const sources = glob("{*,{tools,bench,interop,packages}/**/*}.{ts,tsx}", { exclude: isNotOurs });
  const bad: string[] = [];
  for await (const path of sources) {
    const lines = findBadDirectives(await readFile(path, "utf8"));
    bad.push(...lines.map((line) => `${path}:${line}`));
  }
  expect(bad).toEqual([]);
});

function isNotOurs(path: string): boolean {
  return /(^|\/)(node_modules|dist|gen)$/.test(path);
}
