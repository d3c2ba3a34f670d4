import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* The features of the server may call each other's services, but not in a cycle: of any two, one is above the other. */

const source = fileURLToPath(new URL("../packages/server/src", import.meta.url));

const storeys = new Set(["platform", "features", "network", "gateway"]);

function importsByFolder(): ReadonlyMap<string, ReadonlySet<string>> {
  const imports = new Map<string, Set<string>>();
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((one) => one.endsWith(".ts") && !one.endsWith(".test.ts"))) {
    const from = folderOf(file);
    const text = readFileSync(join(source, file), "utf8");
    for (const [, path = ""] of text.matchAll(/ from "(\.\.?\/[^"]+)"/g)) {
      const to = folderOf(normalize(join(dirname(file), path)));
      if (from === to || !file.includes(sep)) continue;
      imports.set(from, (imports.get(from) ?? new Set()).add(to));
    }
  }
  return imports;
}

/** Returns the folder of a file, with its storey: `features/users`. */
function folderOf(file: string): string {
  const [top = "", second = ""] = dirname(file).split(sep);
  return storeys.has(top) ? `${top}/${second}` : top;
}

/** Returns a path through imports that returns to a folder it has visited; undefined if there is none. */
function findCircle(imports: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const done = new Set<string>();
  const walk = (folder: string, way: readonly string[]): string | undefined => {
    if (way.includes(folder)) return [...way.slice(way.indexOf(folder)), folder].join(" → ");
    if (done.has(folder)) return undefined;
    for (const next of imports.get(folder) ?? []) {
      const circle = walk(next, [...way, folder]);
      if (circle !== undefined) return circle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of imports.keys()) {
    const circle = walk(folder, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

it("no folders of the server import each other in a circle", () => {
  expect(findCircle(importsByFolder())).toBeUndefined();
});

it("finds a circle", () => {
  const imports = new Map([
    ["a", new Set(["b"])],
    ["b", new Set(["c", "d"])],
    ["d", new Set(["b"])],
  ]);
  expect(findCircle(imports)).toBe("b → d → b");
});
