import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/*
 * Route files have the same names in the contract and in the server, so that one leads to the other. The storeys
 * `network` and `gateway` have no folders of resources.
 */

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** Returns the route files below a folder, as resource and name: `users/key-routes.ts`. */
function routeFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /(^|[/-])routes\.ts$/.test(path))
    .map((path) => `${path.split("/")[0] ?? ""}/${basename(path)}`);
}

it("each file of routes of the contract has its counterpart in the server", () => {
  const handled = new Set(routeFiles(`${packages}/server/src/features`));
  const reaching = new Set(
    ["network", "gateway"].flatMap((storey) =>
      routeFiles(`${packages}/server/src/${storey}`).map((file) => basename(file)),
    ),
  );
  const defined = routeFiles(`${packages}/api/src`);
  expect(defined.length).toBeGreaterThan(20);
  const missing = defined.filter((file) => !handled.has(file) && !reaching.has(basename(file)));
  expect(missing).toEqual([]);
});
