import { glob, readFile } from "node:fs/promises";

import { expect, it } from "vitest";

const schema = await readFile("packages/server/src/platform/db/gen/schema.ts", "utf8");
const booleanColumns = new Set(
  [...schema.matchAll(/^ +(\w+): (?:Generated<)?boolean/gm)].map(([, name]) => name ?? ""),
);

/** Matches a comparison with a boolean parameter, for which no generic plan uses an index on `where not deleted`. */
const booleanValue = new RegExp(
  `"(?:\\w+\\.)?(?:${[...booleanColumns].join("|")})", "=", (?!sql\\.lit\\()`,
);

it("knows the columns that are booleans", () => {
  expect([...booleanColumns]).toEqual(expect.arrayContaining(["deleted", "favorite"]));
});

it("has every boolean that a column is compared with in the text of the statement", async () => {
  const found: string[] = [];
  for await (const path of glob("packages/server/src/**/*.ts")) {
    const lines = (await readFile(path, "utf8")).split("\n");
    found.push(
      ...lines.flatMap((line, index) => (booleanValue.test(line) ? [`${path}:${index + 1}`] : [])),
    );
  }
  expect(found).toEqual([]);
});
