import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { expect, it } from "vitest";

const entry = fileURLToPath(new URL("../packages/sdk/src/index.ts", import.meta.url));

it("bundles the SDK for a page without anything of Node.js", async () => {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    conditions: ["@slipway/source", "browser"],
    outdir: "out",
    external: ["node:*", "ws"],
  });
  const left = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.map(({ path }) => path),
  );
  expect(left).toEqual([]);
});
