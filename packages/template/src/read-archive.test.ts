import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";

import { maxArchiveBytes, maxArchiveEntries, maxDefinitionBytes } from "./limits.ts";
import { readTemplateArchive } from "./read-archive.ts";

type Type = "file" | "directory" | "symlink" | "link" | "fifo" | "character-device";
interface Item {
  readonly name: string;
  readonly body?: string;
  readonly type?: Type;
  readonly linkname?: string;
}

async function tar(...items: readonly Item[]): Promise<Uint8Array> {
  const archive = pack();
  for (const { name, body = "", type = "file", linkname } of items) {
    archive.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) }, body);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const definition = { name: "slipway.yaml", body: "driver: process\n" };

async function expectProblem(items: readonly Item[], text: string): Promise<void> {
  expect(await readTemplateArchive(await tar(...items))).toEqual({
    problem: expect.stringContaining(text),
  });
}

describe("readTemplateArchive", () => {
  it("finds the definition and the read-me at the top", async () => {
    const items = [
      definition,
      { name: "README.md", body: "# Box\n" },
      { name: "lib/", type: "directory" as const },
    ];
    expect(await readTemplateArchive(await tar(...items))).toEqual({
      definitionPath: "slipway.yaml",
      definitionText: "driver: process\n",
      readme: "# Box\n",
    });
  });

  it.each([
    "./slipway.yaml",
    "slipway.yml",
    "./slipway.yml",
    "box/slipway.yaml",
    "./box/slipway.yml",
  ])("finds %s", async (name) => {
    const result = await readTemplateArchive(
      await tar({ name: "./", type: "directory" }, { ...definition, name }),
    );
    expect(result).toMatchObject({ definitionText: "driver: process\n", readme: "" });
  });

  it("takes the read-me of the folder in which the definition is", async () => {
    const result = await readTemplateArchive(
      await tar(
        { ...definition, name: "box/slipway.yaml" },
        { name: "box/README.md", body: "hello" },
      ),
    );
    expect(result).toMatchObject({ definitionPath: "box/slipway.yaml", readme: "hello" });
  });

  it("prefers the top to a folder", async () => {
    const result = await readTemplateArchive(
      await tar({ ...definition, name: "old/slipway.yaml", body: "x" }, definition),
    );
    expect(result).toMatchObject({ definitionPath: "slipway.yaml" });
  });

  it("takes links within the template", async () => {
    const items: Item[] = [
      definition,
      { name: "a/b", type: "symlink", linkname: "../slipway.yaml" },
    ];
    expect(await readTemplateArchive(await tar(...items))).toMatchObject({
      definitionPath: "slipway.yaml",
    });
  });

  it.each([
    ["at the top", "main.tf", ""],
    ["as JSON", "main.tf.json", ""],
    ["of OpenTofu", "main.tofu", ""],
    ["in the only folder", "box/main.tf", "box/"],
  ])("finds a configuration %s", async (_case, name, configurationFolder) => {
    const folder = configurationFolder;
    expect(
      await readTemplateArchive(
        await tar({ name, body: "x" }, { name: `${folder}README.md`, body: "# it" }),
      ),
    ).toEqual({ configurationFolder, readme: "# it" });
  });

  it("prefers slipway.yaml to a configuration", async () => {
    expect(
      await readTemplateArchive(await tar(definition, { name: "main.tf", body: "x" })),
    ).toMatchObject({
      definitionPath: "slipway.yaml",
    });
  });

  it("finds no configuration in a folder beside others", async () => {
    await expectProblem(
      [{ name: "modules/main.tf", body: "x" }, { name: "README.md" }],
      "looked for slipway.yaml (or slipway.yml), or .tf files, at the top of the archive",
    );
  });

  it("says what it found otherwise", async () => {
    await expectProblem([{ name: "a.txt" }, { name: "b/c.txt" }], "found a.txt, b/c.txt");
    await expectProblem([{ name: "a/b/slipway.yaml" }], "found it only at a/b/slipway.yaml");
    await expectProblem(
      [{ name: "a/slipway.yaml" }, { name: "b/x" }],
      "found it only at a/slipway.yaml",
    );
    await expectProblem([{ name: "a/", type: "directory" }], "found no file");
    await expectProblem([], "found an empty archive");
  });

  it.each([
    ["an absolute path", { name: "/etc/passwd" }, "relative to the template"],
    ["a path out of the template", { name: "a/../../b" }, "without `..`"],
    ["a path out of it for Windows", { name: "a\\..\\b" }, "without `..`"],
    ["a drive", { name: "C:/x" }, "relative to the template"],
    [
      "a link out of it",
      { name: "a", type: "symlink", linkname: "../x" },
      "links within the template only",
    ],
    [
      "an absolute link",
      { name: "a", type: "link", linkname: "/etc/shadow" },
      "links within the template only",
    ],
    ["a pipe", { name: "a", type: "fifo" }, "found a fifo at a"],
    ["a device", { name: "a", type: "character-device" }, "found a character-device at a"],
  ] satisfies [string, Item, string][])("refuses %s", async (_, item, text) => {
    await expectProblem([definition, item], text);
  });

  it.each<[string, readonly Item[], string]>([
    [
      "an entry below a link",
      [
        { name: "a/b/c", type: "symlink", linkname: "../.." },
        { name: "a/b/c/d", type: "symlink", linkname: "../x" },
      ],
      "found a/b/c/d below a link",
    ],
    [
      "one that comes before the link, in other letters",
      [{ name: "A/b/x" }, { name: "a/B", type: "symlink", linkname: "../x" }],
      "found A/b/x below a link",
    ],
    [
      "a directory below a link",
      [
        { name: "a", type: "symlink", linkname: "b" },
        { name: "a/c/", type: "directory" },
      ],
      "found a/c below a link",
    ],
    [
      "a link that leads through another",
      [
        { name: "q/r/s/p", type: "symlink", linkname: "../../.." },
        { name: "evil", type: "symlink", linkname: "q/r/s/p/../.." },
      ],
      'found a link from evil to "q/r/s/p/../.." through another link',
    ],
    [
      "a hard link that leads through another, relative to the top",
      [
        { name: "a/p", type: "symlink", linkname: "../b" },
        { name: "a/evil", type: "link", linkname: "a/p/x" },
      ],
      "found a link from a/evil",
    ],
    [
      "a hard link to a link, which leads elsewhere from there",
      [
        { name: "a/b/up", type: "symlink", linkname: "../../x" },
        { name: "evil", type: "link", linkname: "a/b/up" },
      ],
      'found a link from evil to "a/b/up" through another link',
    ],
    [
      "a link that leads through another one beside it",
      [
        { name: "a/p", type: "symlink", linkname: "../b" },
        { name: "a/evil", type: "symlink", linkname: "./p/x" },
      ],
      "found a link from a/evil",
    ],
  ])("refuses %s", async (_, items, problem) => {
    await expectProblem([definition, ...items], problem);
  });

  it("takes links to links, and to what is beside a link", async () => {
    const items: readonly Item[] = [
      definition,
      { name: "dir/p", type: "symlink", linkname: "../slipway.yaml" },
      { name: "dir/pp", type: "symlink", linkname: "p" },
      { name: "dir/q", type: "symlink", linkname: "../dir/./x" },
      { name: "dir/x", body: "y" },
    ];
    expect(await readTemplateArchive(await tar(...items))).toHaveProperty("definitionText");
  });

  it("refuses a size below 0", async () => {
    const bytes = Buffer.from(await tar({ name: "x" }, definition));
    // A size in base 256 (GNU), whose first byte marks it as negative.
    bytes.fill(0xff, 124, 136);
    bytes[135] = 0x7f;
    bytes.write(" ".repeat(8), 148, "latin1");
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    expect(await readTemplateArchive(bytes)).toEqual({
      problem: "is not a tar archive: Invalid header",
    });
  });

  it("refuses two definitions, a link as definition, and one that is no text", async () => {
    await expectProblem(
      [definition, { name: "slipway.yml" }],
      "found both slipway.yaml and slipway.yml",
    );
    await expectProblem([definition, definition], "found both");
    await expectProblem(
      [{ name: "x" }, { name: "slipway.yaml", type: "symlink", linkname: "x" }],
      "found a link at slipway.yaml",
    );
    const latin = await tar({ name: "slipway.yaml", body: "é" });
    latin.set([0xff, 0xff], 512);
    expect(await readTemplateArchive(latin)).toEqual({ problem: "slipway.yaml is not UTF-8 text" });
  });

  it("keeps its limits", async () => {
    const large = { name: "slipway.yaml", body: "x".repeat(maxDefinitionBytes + 1) };
    await expectProblem([large], `found ${maxDefinitionBytes + 1} bytes in slipway.yaml`);
    const items = Array.from({ length: maxArchiveEntries + 1 }, (_, index) => ({
      name: `f${index}`,
    }));
    await expectProblem(items, `more than ${maxArchiveEntries} entries`);
    expect(await readTemplateArchive(new Uint8Array(maxArchiveBytes + 1))).toMatchObject({
      problem: expect.stringContaining(`wanted at most ${maxArchiveBytes}`),
    });
  });

  it("names the compression of a compressed archive", async () => {
    expect(await readTemplateArchive(gzipSync(await tar(definition)))).toEqual({
      problem: "found a gzip archive, wanted a plain tar",
    });
  });

  it("gives a problem for an archive truncate off at any point, and never hangs", async () => {
    const whole = await tar(definition, { name: "README.md", body: "x".repeat(600) });
    for (let length = 1; length < whole.length; length += 97) {
      const result = await readTemplateArchive(whole.slice(0, length));
      const text = "definitionText" in result ? result.definitionText : definition.body;
      expect("configurationFolder" in result).toBe(false);
      expect(text).toBe(definition.body);
    }
  });

  it("never throws, whatever the bytes", async () => {
    const whole = await tar(definition, { name: "README.md", body: "x" });
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), byte: fc.nat({ max: 255 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 2_000 }),
          fc.array(change, { minLength: 1, maxLength: 4 }),
        ),
        async (input) => {
          const bytes = input instanceof Uint8Array ? input : whole.slice();
          if (Array.isArray(input)) for (const { at, byte } of input) bytes[at] = byte;
          const result = await readTemplateArchive(bytes);
          expect("problem" in result || "definitionText" in result).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
