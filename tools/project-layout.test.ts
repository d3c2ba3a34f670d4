import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* The files that the page on the layout names are there. */

const root = fileURLToPath(new URL("..", import.meta.url));
/** A path on the page starts at the root of the repository or in one of these folders. */
const starts = ["", "packages/server/src/", "packages/cli/src/", "packages/server/tests/support/"];

function absentPaths(text: string): readonly string[] {
  const paths = [...text.matchAll(/`([\w./-]+\.(?:ts|js))`/g)].map(([, path]) => path ?? "");
  const inPlaces = paths.filter((path) => path.includes("/"));
  return inPlaces.filter((path) => !starts.some((start) => existsSync(`${root}${start}${path}`)));
}

it("every path on the page exists", () => {
  expect(absentPaths(readFileSync(`${root}/docs/project-layout.md`, "utf8"))).toEqual([]);
});

it("finds a path that is not there", () => {
  expect(absentPaths("`layers.ts`, `tools/layers.test.ts`, `main/nothing.ts`")).toEqual([
    "main/nothing.ts",
  ]);
});
