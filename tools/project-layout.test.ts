import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* The files and folders that developer pages name exist. */

const root = fileURLToPath(new URL("..", import.meta.url));

const packages = readdirSync(`${root}/packages`);

/** The places where a path may start besides the root of the repository, a package, and the folder of its page. */
const starts = [
  "packages",
  "packages/server/src",
  "packages/server/tests/support",
  "packages/cli/src",
];

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/architecture.md",
  "docs/claims.md",
  "docs/project-layout.md",
  "docs/style.md",
  ...readdirSync(`${root}/docs/decisions`).map((name) => `docs/decisions/${name}`),
  ...packages.map((name) => `packages/${name}/README.md`),
].filter((page) => existsSync(join(root, page)));

/** A source file by its extension, or a folder that ends with a slash. */
const code = /`((?:[\w.-]+\/)+(?:[\w.-]+\.(?:ts|js|md|sh|json|proto))?)`/g;
/** The path of a node or an arrow in a diagram: `agent/scripts` for `packages/agent/src/scripts`. */
const diagram = /<br>([a-z][\w./-]*(?:, [a-z][\w./-]*)*)/g;

/** Returns the paths on a page that do not exist from any place where a path may start. */
function absentPaths(page: string, text: string): readonly string[] {
  const folder = dirname(page);
  const places = [
    "",
    folder,
    `${folder}/src`,
    ...starts,
    ...packages.map((name) => `packages/${name}`),
  ];
  const exists = (path: string): boolean => {
    const [first = "", ...rest] = path.split("/");
    const inSources = [`packages/${first}/src`, ...rest].join("/");
    const found = [...places.map((place) => join(place, path)), inSources];
    return found.some(
      (each) => existsSync(join(root, each)) || existsSync(join(root, `${each}.ts`)),
    );
  };
  const drawn = [...text.matchAll(diagram)].flatMap(([, names = ""]) => names.split(", "));
  const named = [...text.matchAll(code)].map(([, path = ""]) => path);
  return [...drawn, ...named].filter((path) => !exists(path));
}

it.each(pages)("every path on %s exists", (page) => {
  expect(absentPaths(page, readFileSync(join(root, page), "utf8"))).toEqual([]);
});

it("finds a path that is not there", () => {
  const text =
    "`tools/layers.test.ts`, `main/nothing.ts`, `main/`, `nowhere/`, a[call<br>rpc/caller, rpc/none]";
  expect(absentPaths("docs/project-layout.md", text)).toEqual([
    "rpc/none",
    "main/nothing.ts",
    "nowhere/",
  ]);
});
