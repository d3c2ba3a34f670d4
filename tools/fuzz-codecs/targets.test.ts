import { glob, readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { targets } from "./targets.ts";

/* Only names are compared here; `npm run fuzz:codecs` runs the targets. */

/** The sources of the packages that read the data of peers, relays and coordinators. */
const sources = "packages/{wire,tailnet,relay}/src/**/*.ts";
const parser = /\b(?:parse|read|open)[A-Z]\w*|\b\w+Reader\b/g;
const exported = /(?<=^export (?:async )?(?:function\*?|class|const) )\w+/gm;
/** Exports with such names that need no separate target. */
const others = new Set([
  // These open sockets.
  "openStunListener",
  "openUdpSocket",
  // These are covered by the target of a larger part.
  "readUint16",
  "readUint32",
  "readUint32Le",
  "readUint64Le",
  "parseOptions",
  "readReports",
  "FrameReader",
  "parseHeader",
  "readUpdates",
  "readLogin",
  "readMeshLogin",
  // JSON over HTTP, which the platform bounds and parses.
  "readAgentJson",
  "readRefusal",
]);

async function readAll(pattern: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const path of glob(pattern)) {
    if (!path.endsWith(".test.ts")) texts.push(await readFile(path, "utf8"));
  }
  return texts;
}

it("has every exported parser of the network in a target", async () => {
  const names = (await readAll(sources)).flatMap((text) => text.match(exported) ?? []);
  const parsers = new Set(names.filter((name) => name.match(parser)?.[0] === name));
  expect(parsers.size).toBeGreaterThan(30);
  const targetTexts = await readAll("tools/fuzz-codecs/targets/*.ts");
  const used = new Set(targetTexts.flatMap((text) => text.match(parser) ?? []));
  expect([...parsers].filter((name) => !used.has(name) && !others.has(name))).toEqual([]);
});

it.each(targets)("takes its own seeds: $name", async ({ seeds, check, maxBytes }) => {
  for (const seed of await seeds()) await check(seed.subarray(0, maxBytes));
});
