import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

import { buildAgent } from "./agent-bundle.ts";

const manifest = JSON.stringify({
  name: "@slipway/parts",
  sideEffects: false,
  type: "module",
  exports: "./src/index.ts",
});

const files = {
  "packages/parts/package.json": manifest,
  "packages/parts/src/index.ts":
    'export { one } from "./one.ts";\nexport {\n  inner as two,\n} from "./two.ts";\nexport const own = "own";\n',
  "packages/parts/src/one.ts": 'console.log("one runs"); export const one = "one";',
  "packages/parts/src/two.ts":
    'console.log("two runs"); export const inner = "two"; export type Two = typeof inner;',
  "packages/program/src/main.ts":
    'if (process.argv[2] === "a") void import("./a.ts"); else void import("./b.ts");',
  "packages/program/src/a.ts": 'import { one } from "@slipway/parts";\nconsole.log("a", one);',
  "packages/program/src/b.ts":
    'import {\n  own,\n  two as second,\n  type Two,\n} from "@slipway/parts";\nconst found: Two = second;\nconsole.log("b", own, found);',
} as const;

it("runs of a package only the files whose names a part of the program imports", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "slipway-bundle-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await mkdir(join(folder, "node_modules/@slipway"), { recursive: true });
  await symlink(join(folder, "packages/parts"), join(folder, "node_modules/@slipway/parts"));
  const entry = join(folder, "packages/program/src/main.ts");
  const output = join(folder, "main.cjs");
  await buildAgent({ entry, output, force: true, format: "cjs" });
  const run = async (part: string): Promise<readonly string[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, [output, part]);
    return stdout.trimEnd().split("\n");
  };
  expect(await run("a")).toEqual(["one runs", "a one"]);
  expect(await run("b")).toEqual(["one runs", "two runs", "b own two"]);
});
