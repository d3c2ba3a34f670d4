import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { extract, type Header } from "tar-stream";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";

import { listTemplateFiles, packFiles } from "./pack-files.ts";
import { locateTemplate, openSource, templateName } from "./template-source.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-template-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(name: string, text: string, mode = 0o644): Promise<string> {
  const path = join(root, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

async function unpack(tar: Uint8Array): Promise<Header[]> {
  const reader = extract();
  reader.end(tar);
  const headers: Header[] = [];
  for await (const entry of reader) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

async function packed(path: string): Promise<Uint8Array> {
  return packFiles((await listTemplateFiles(await openSource(path))).files);
}

it("packs the files of a directory by name, without .git and node_modules", async () => {
  await write("slipway.yaml", "driver: process\n");
  await write("b/run.sh", "#!/bin/sh\n", 0o755);
  await write("a.txt", "");
  await write(".git/config", "x");
  await write("b/node_modules/x/index.js", "x");
  const headers = await unpack(await packed(root));
  expect(headers.map(({ name, mode, size }) => ({ name, mode, size }))).toEqual([
    { name: "a.txt", mode: 0o644, size: 0 },
    { name: "b/run.sh", mode: 0o755, size: 10 },
    { name: "slipway.yaml", mode: 0o644, size: 16 },
  ]);
});

it("packs the same files into the same bytes", async () => {
  await write("slipway.yaml", "driver: process\n");
  const first = await packed(root);
  await write("slipway.yaml", "driver: process\n");
  expect(Buffer.compare(await packed(root), first)).toBe(0);
});

it("packs a single file as slipway.yaml", async () => {
  const path = await write("pool.slipway.yaml", "driver: process\n");
  const headers = await unpack(await packed(path));
  expect(headers.map(({ name }) => name)).toEqual(["slipway.yaml"]);
  expect(templateName(await openSource(path), undefined)).toBe("pool");
});

it("refuses a template larger than a server accepts, naming the largest file", async () => {
  await write("slipway.yaml", "driver: process\n");
  await truncate(await write("disk.img", ""), 11 * 1024 * 1024);
  const packing = packed(root);
  await expect(packing).rejects.toThrow("the template is 11.0 MiB, wanted at most 10.0 MiB");
  await expect(packing).rejects.toMatchObject({
    hint: expect.stringContaining("disk.img (11.0 MiB)"),
  });
});

it("skips links and reports them", async () => {
  await write("slipway.yaml", "driver: process\n");
  await symlink("/etc/passwd", join(root, "passwd"));
  const { files, leftOut } = await listTemplateFiles(await openSource(root));
  expect(files.map(({ name }) => name)).toEqual(["slipway.yaml"]);
  expect(leftOut).toEqual(["passwd"]);
});

it("refuses a path that does not exist, and a directory without a template", async () => {
  await expect(openSource(join(root, "missing"))).rejects.toMatchObject({ exitCode: 4 });
  await expect(openSource(root)).rejects.toThrow("has no slipway.yaml");
});

it("names a template after its directory, unless that name is invalid", async () => {
  await write("small-box/slipway.yaml", "");
  const source = await openSource(join(root, "small-box"));
  expect(templateName(source, undefined)).toBe("small-box");
  expect(templateName(source, "other")).toBe("other");
  expect(() => templateName(source, "not a name")).toThrow("the name of the template must be");
});

it.each([
  ["small", "./box", "./box", "small"],
  [undefined, "./box", "./box", undefined],
  [undefined, undefined, ".", undefined],
  ["./box", undefined, "./box", undefined],
  ["..", undefined, "..", undefined],
  ["box.yaml", undefined, "box.yaml", undefined],
])(
  "reads the word %s and the directory %s as %s and %s",
  async (template, directory, path, name) => {
    expect(await locateTemplate({ template, directory })).toEqual({ path, template: name });
  },
);

it("finds the files of a named template here, or in the directory of its name", async () => {
  await write("box/slipway.yaml", "driver: process\n");
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(root);
  const find = (template: string) => locateTemplate({ template, directory: undefined });
  expect(await find("box")).toEqual({ path: "box", template: "box" });
  expect(await find("other")).toEqual({ path: ".", template: "other" });
  process.chdir(join(root, "box"));
  expect(await find("box")).toEqual({ path: ".", template: "box" });
  await write("box/other/slipway.yaml", "driver: process\n");
  expect(await find("other")).toEqual({ path: "other", template: "other" });
});
