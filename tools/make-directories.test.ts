import { glob, readFile } from "node:fs/promises";

import { expect, it } from "vitest";

/** A call of Node.js's function that makes all missing directories, which never ends where none can be made. */
const endlessCall = /\bmkdir(?:Sync)?\([^;]*?\brecursive: true/s;

it("tells a call that may never end", () => {
  expect(endlessCall.test("await mkdir(dirname(path), {\n  mode,\n  recursive: true,\n});")).toBe(
    true,
  );
  expect(endlessCall.test("mkdirSync(path, { mode });\nrmSync(path, { recursive: true });")).toBe(
    false,
  );
});

it("has the product make directories by `makeDirectories`", async () => {
  const sources = glob("packages/*/src/**/*.ts", {
    exclude: (path) => /\.test\.ts$|^packages\/(testkit|simulation)$/.test(path),
  });
  const found: string[] = [];
  for await (const path of sources) {
    if (endlessCall.test(await readFile(path, "utf8"))) found.push(path);
  }
  expect(found).toEqual([]);
});
