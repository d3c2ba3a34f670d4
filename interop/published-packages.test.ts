import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { logInAsAdmin, pushTemplate, startServerProcess } from "@slipway/testkit";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

/*
 * The packages for programs outside this repository, as strangers install them into an empty directory. The tool that
 * packs them checks their manifests and declarations.
 */

const clone = fileURLToPath(new URL("..", import.meta.url));

/** The published packages, and the packages that each may depend on. */
const published = [
  { name: "slipway-sdk", dependencies: ["ws"] },
  { name: "slipway-computesdk", dependencies: ["@computesdk/provider", "@slipway/sdk"] },
];
/** All packages of others that are installed with them. */
const others = ["ws", "@computesdk/cmd", "@computesdk/provider", "computesdk", "daemond"];

const guides = [
  "docs/sdk.md",
  "docs/runs.md",
  "docs/files.md",
  "packages/sdk/README.md",
  "packages/computesdk/README.md",
];
const examples = (await Promise.all(guides.map(examplesOf))).flat();

async function examplesOf(guide: string): Promise<readonly { name: string; code: string }[]> {
  const text = await readFile(join(clone, guide), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], index) => ({
    name: `${guide.replaceAll(/\W/g, "-")}-${index + 1}`,
    code,
  }));
}

const template = `driver: process
presets:
  ready: {}
agents: { main: { os: linux, arch: amd64 } }
`;
const listWorkspaces = `import { Slipway } from "@slipway/sdk";
const { workspaces } = await Slipway.fromEnvironment();
for await (const { name } of workspaces.list()) console.log(name);
`;

/** Compiles only if the declarations have optional fields, and values that may be null, as the API does. */
const checkTypes = `import type { Run, Workspace } from "@slipway/sdk";
export const none: Pick<Workspace["data"], "on_deadline"> = {};
export const code = (run: Run): number | null => run.exit_code;
// @ts-expect-error -- it is null while the run goes on
export const certain = (run: Run): number => run.exit_code;
`;

const opened = new AsyncDisposableStack();
/** The directory of the programs, and the environment in which they find their server. */
let place = "";
let environment = process.env;
let tarballs: readonly string[] = [];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "slipway-published-"));
  opened.defer(() => rm(place, { recursive: true, force: true }));
  // The database may run as another user.
  await chmod(place, 0o711);
  const tool = [join(clone, "tools/build-packages.ts"), "--output", join(place, "packages")];
  tarballs = (await run(process.execPath, tool)).trim().split("\n");
  const programs = [
    ...examples,
    { name: "list", code: listWorkspaces },
    { name: "types", code: checkTypes },
  ];
  for (const { name, code } of programs) await writeFile(join(place, `${name}.ts`), code);
  await writeFile(join(place, "package.json"), '{ "type": "module" }');
  // Without a registry: the packages of others are those of the clone.
  const paths = others.map((name) => join(clone, "node_modules", name));
  await run("npm", ["install", "--offline", "--install-links", ...tarballs, ...paths]);

  const dataDir = join(place, "data");
  const server = opened.use(await startServerProcess({ dataDir, port: 0 }));
  const admin = await logInAsAdmin(server.url);
  for (const name of ["demo", "pool"]) await pushTemplate(admin, name, template);
  const token = admin.headers["Coder-Session-Token"];
  environment = { ...process.env, SLIPWAY_URL: server.url, SLIPWAY_SESSION_TOKEN: token };
});
afterAll(() => opened.disposeAsync());

async function run(program: string, args: readonly string[]): Promise<string> {
  const options = { cwd: place, env: environment, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(program, args, options)).stdout;
}

it.each(published)(
  "$name depends on public packages only, and names nothing of this machine",
  async ({ name, dependencies }) => {
    const path = tarballs.find((one) => basename(one).startsWith(`${name}-`)) ?? "";
    const manifest = await run("tar", ["-xzOf", path, "package/package.json"]);
    expect(Object.keys(JSON.parse(manifest).dependencies)).toEqual(dependencies);
    const contents = await run("tar", ["-xzOf", path]);
    expect(contents).not.toContain(clone);
    expect(contents).not.toContain(relative(place, clone));
  },
);

it.each([
  { module: "nodenext", types: ["node"], lib: [] },
  { module: "preserve", types: [], lib: ["dom"] },
])("compiles the examples of the guides for $module", async ({ lib, ...options }) => {
  const compilerOptions = {
    ...options,
    target: "es2024",
    lib: ["es2024", "esnext.disposable", ...lib],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    typeRoots: [join(clone, "node_modules/@types")],
  };
  const project = join(place, `tsconfig.${options.module}.json`);
  await writeFile(project, JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await run(join(clone, "node_modules/.bin/tsc"), ["--project", project]);
});

it.each(examples)("runs the example $name, which leaves nothing", async ({ name }) => {
  await run(process.execPath, [`${name}.ts`]);
  expect(await run(process.execPath, ["list.ts"])).toBe("");
});

it("is bundled for a page without anything of Node.js", async () => {
  const { metafile } = await build({
    stdin: { contents: 'export * from "@slipway/sdk";', resolveDir: place },
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    outdir: "out",
    external: ["node:*", "ws"],
  });
  const left = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  expect(left).toEqual([]);
});
