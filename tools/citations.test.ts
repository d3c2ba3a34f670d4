import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/* Citations of the protocols have one form, `docs/protocol/rpc.md §2.2`, and lead to a heading. */

const root = fileURLToPath(new URL("..", import.meta.url));
const documents = (await readdir(`${root}/docs/protocol`)).filter((name) => name.endsWith(".md"));
const headings = new Map(
  await Promise.all(
    documents.map(async (name) => {
      const text = await readFile(`${root}/docs/protocol/${name}`, "utf8");
      const numbers = [...text.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number]) => number);
      return [name, new Set(numbers)] as const;
    }),
  ),
);

/** A document with the sections that follow it: `docs/protocol/rest.md §1.2, §1.3 and §1.4`. */
const citation = /docs\/protocol\/([a-z]+\.md)((?:(?:,? (?:and |or |to )?)§\d+(?:\.\d+)*)*)/g;
/** A document's name outside a citation of the standard form. */
const otherForm = new RegExp(String.raw`(?<![/\w-])(?:${documents.join("|")})\b`, "g");

/** Lists the citations of a text that do not resolve, and those of another form. */
function faultsOf(text: string): readonly string[] {
  const faults: string[] = [];
  for (const [whole, name = "", sections = ""] of text.matchAll(citation)) {
    const found = headings.get(name);
    const missing = [...sections.matchAll(/§([\d.]*\d)/g)].some(([, number = ""]) => {
      return found?.has(number) !== true;
    });
    if (found === undefined || missing) faults.push(whole);
  }
  return [...faults, ...[...text.matchAll(otherForm)].map(([whole]) => whole)];
}

function sources(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--", "*.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  return listed.split("\0").filter((path) => path !== "" && path !== "tools/citations.test.ts");
}

it("every citation of a protocol leads to a heading", async () => {
  const faults = await Promise.all(
    sources().map(async (path) => {
      const text = await readFile(`${root}/${path}`, "utf8").catch(() => "");
      return faultsOf(text).map((fault) => `${path}: ${fault}`);
    }),
  );
  expect(faults.flat()).toEqual([]);
});

it.each([
  ["docs/protocol/rest.md §1.2 and §1.3", []],
  ["docs/protocol/rest.md, which", []],
  ["docs/protocol/rest.md §1.2 and §99.3", ["docs/protocol/rest.md §1.2 and §99.3"]],
  ["docs/protocol/nothing.md §1", ["docs/protocol/nothing.md §1"]],
  ["`rest.md` section 1.2", ["rest.md"]],
])("knows the faults of %s", (text, faults) => {
  expect(faultsOf(text)).toEqual(faults);
});
