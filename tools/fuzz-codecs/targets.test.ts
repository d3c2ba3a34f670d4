import { glob, readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { targets } from "./targets.ts";

/* Only names are compared here; `npm run fuzz:codecs` runs the targets. */

/** The entries of the packages that read what peers, relays and coordinators send. */
const entries = ["wire", "tailnet", "relay"].flatMap((name) =>
  ["index", "testing"].map((entry) => `packages/${name}/src/${entry}.ts`),
);
const parser = /\b(?:parse|read|open)[A-Z]\w*|\b\w+Reader\b/g;
/** Exports with such names that read nothing from outside: they open sockets, or have a target by what they are part of. */
const others = new Set(["openStunListener"]);

it("has every exported parser of the network in a target", async () => {
  const texts = await Promise.all(entries.map((path) => readFile(path, "utf8").catch(() => "")));
  const names = new Set(texts.flatMap((text) => text.match(parser) ?? []));
  expect(names.size).toBeGreaterThan(30);
  const sources: string[] = [];
  for await (const path of glob("tools/fuzz-codecs/targets/*.ts")) {
    sources.push(await readFile(path, "utf8"));
  }
  const used = new Set(sources.flatMap((source) => source.match(parser) ?? []));
  expect([...names].filter((name) => !used.has(name) && !others.has(name))).toEqual([]);
});

it.each(targets)("takes its own seeds: $name", async ({ seeds, check, maxBytes }) => {
  for (const seed of await seeds()) await check(seed.subarray(0, maxBytes));
});
