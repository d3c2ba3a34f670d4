import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { packageDirectory, packageVersion } from "./own-package.ts";

it("has the version of package.json", async () => {
  const text = await readFile(new URL("package.json", packageDirectory), "utf8");
  expect(JSON.parse(text)).toMatchObject({ version: packageVersion });
});
