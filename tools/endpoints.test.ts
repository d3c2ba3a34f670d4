import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/*
 * `docs/endpoints.md` has a row for each agent endpoint, with existing tests. Rows of the agents' own HTTP API, which is
 * on no page, have such tests too.
 */

const root = fileURLToPath(new URL("..", import.meta.url));
const readText = (path: string): Promise<string> => readFile(`${root}/${path}`, "utf8");

interface Row {
  readonly endpoint: string;
  /** The tests with our agent and with stock agents. */
  readonly cells: readonly string[];
}

function readRows(text: string): readonly Row[] {
  const lines = text.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => {
    const [endpoint = "", ...cells] = line.slice(1, -1).split("|");
    return {
      endpoint: endpoint.trim().replaceAll("`", ""),
      cells: cells.map((cell) => cell.trim()),
    };
  });
}

/** Reports whether a file has a test of this title, with or without a table of cases. */
async function hasTest(path: string, title: string): Promise<boolean> {
  const source = await readText(path).catch(() => "");
  const starts = source.matchAll(/\bit(?:\.\w+)*\(/g);
  return starts.some(({ index }) => {
    const call = source.slice(index, index + maxCallLength);
    return call.includes(`${JSON.stringify(title)},`);
  });
}

/** The maximum length of an `it` call up to its title, which a table of cases may precede. */
const maxCallLength = 1_000;

async function faultsOf(rows: readonly Row[], endpoints: readonly string[]): Promise<string[]> {
  const listed = rows.map(({ endpoint }) => endpoint);
  const missing = endpoints.filter((endpoint) => !listed.includes(endpoint));
  const unknown = listed.filter(
    (endpoint) => !endpoints.includes(endpoint) && !endpoint.includes(" /api/v0/"),
  );
  const bad = await Promise.all(rows.map(faultsOfRow));
  return [
    ...missing.map((endpoint) => `${endpoint} has no row`),
    ...unknown.map((endpoint) => `${endpoint} is not an endpoint`),
    ...bad.flat(),
  ];
}

async function faultsOfRow({ endpoint, cells }: Row): Promise<string[]> {
  const faults = await Promise.all(
    cells.map(async (cell) => {
      const [, path, title] = /^\[`([^`]+)`\]\(\.\.\/\1\): (.+)$/.exec(cell) ?? [];
      if (path === undefined || title === undefined) return [`${endpoint} names no test: ${cell}`];
      return (await hasTest(path, title)) ? [] : [`${path} has no test ${JSON.stringify(title)}`];
    }),
  );
  return cells.length === 2 ? faults.flat() : [`${endpoint} has ${cells.length} cells, wanted 2`];
}

async function readEndpoints(): Promise<readonly string[]> {
  const page: unknown = JSON.parse(await readText("docs/protocol/agents.openapi.json"));
  const paths: unknown = Reflect.get(Object(page), "paths");
  return Object.entries(Object(paths)).flatMap(([path, operations]) =>
    Object.keys(Object(operations)).map(
      (method) => `${method.toUpperCase()} ${path.replace("/api/v2", "")}`,
    ),
  );
}

it("every endpoint of agents has a test with our agent and with stock ones", async () => {
  const rows = readRows(await readText("docs/endpoints.md"));
  const endpoints = await readEndpoints();
  expect(endpoints.length).toBeGreaterThan(20);
  expect(await faultsOf(rows, endpoints)).toEqual([]);
});

const own = "tools/endpoints.test.ts";
const link = `[\`${own}\`](../${own})`;
const good = `${link}: finds fault with a row that proves nothing: %s`;

it.each([
  [`| \`GET /a\` | ${good} | ${good} |`, []],
  ["", ["GET /a has no row"]],
  [`| \`GET /a\` | ${good} | ${good} |\n| \`POST /api/v0/b\` | ${good} | ${good} |`, []],
  [`| \`GET /a\` | ${good} | |`, ["GET /a names no test: "]],
  [`| \`GET /a\` | ${good} |`, ["GET /a has 1 cells, wanted 2"]],
  [`| \`GET /a\` | ${good} | ${link}: finds |`, [`${own} has no test "finds"`]],
  [`| \`GET /a\` | ${good} | [\`no.ts\`](../no.ts): x |`, ['no.ts has no test "x"']],
  [
    `| \`GET /a\` | ${good} | ${good} |\n| \`GET /b\` | x | ${good} |`,
    ["GET /b is not an endpoint", "GET /b names no test: x"],
  ],
])("finds fault with a row that proves nothing: %s", async (text, faults) => {
  expect(await faultsOf(readRows(text), ["GET /a"])).toEqual(faults);
});
