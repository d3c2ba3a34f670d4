import { mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { type Header, pack } from "tar-stream";
import { expect, it, onTestFinished } from "vitest";

import { unpackTemplate } from "./unpack-service.ts";

type Entry = Partial<Header> & { readonly name: string } & { readonly text?: string };

function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) tar.entry(header, text ?? "");
  tar.finalize();
  return buffer(tar);
}

async function makeParent(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "slipway-unpack-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "templates");
}

const definition = { name: "slipway.yaml", text: "driver: docker\n" };

it("unpacks files, directories and links, and removes them", async () => {
  const parent = await makeParent();
  const archive = await tarOf([
    definition,
    { name: "docker/", type: "directory" },
    { name: "docker/Dockerfile", text: "FROM debian" },
    { name: "bin/run", mode: 0o4777, text: "#!/bin/sh" },
    { name: "link", type: "symlink", linkname: "docker/Dockerfile" },
    { name: "same", type: "link", linkname: "bin/run" },
  ]);
  const unpacked = await unpackTemplate(archive, parent);
  const at = (name: string): string => join(unpacked.directory, name);
  expect(await readFile(at("link"), "utf8")).toBe("FROM debian");
  expect(await readlink(at("link"))).toBe("docker/Dockerfile");
  expect(await readFile(at("same"), "utf8")).toBe("#!/bin/sh");
  expect((await stat(at("bin/run"))).mode & 0o7777).toBe(0o755);
  expect((await stat(at("docker/Dockerfile"))).mode & 0o7777).toBe(0o644);
  expect((await stat(parent)).mode & 0o777).toBe(0o700);
  await unpacked[Symbol.asyncDispose]();
  expect(await readdir(parent)).toEqual([]);
});

it("finds the definition in the only folder", async () => {
  const parent = await makeParent();
  const archive = await tarOf([
    { name: "top/slipway.yaml", text: "driver: docker\n" },
    { name: "top/Dockerfile", text: "FROM debian" },
  ]);
  await using unpacked = await unpackTemplate(archive, parent);
  expect((await readdir(unpacked.directory)).toSorted()).toEqual(["Dockerfile", "slipway.yaml"]);
});

it("writes no file through a link of the same name", async () => {
  const parent = await makeParent();
  const archive = await tarOf([
    definition,
    { name: "a", text: "first" },
    { name: "b", type: "symlink", linkname: "a" },
    { name: "b", text: "second" },
  ]);
  await using unpacked = await unpackTemplate(archive, parent);
  expect(await readFile(join(unpacked.directory, "a"), "utf8")).toBe("first");
  expect(await readFile(join(unpacked.directory, "b"), "utf8")).toBe("second");
});

it.each([
  ["a path that leads out", { name: "../evil", text: "x" }],
  ["a link that leads out", { name: "l", type: "symlink", linkname: "../../etc" } as const],
  ["a device", { name: "d", type: "character-device" } as const],
])("refuses an archive with %s and leaves nothing", async (_, entry) => {
  const parent = await makeParent();
  const archive = await tarOf([definition, entry]);
  await expect(unpackTemplate(archive, parent)).rejects.toThrow("cannot be unpacked");
  expect(await readdir(parent).catch(() => [])).toEqual([]);
});

it("leaves nothing of an archive that cannot be written", async () => {
  const parent = await makeParent();
  const archive = await tarOf([
    definition,
    { name: "same", type: "link", linkname: "no/such/file" },
  ]);
  await expect(unpackTemplate(archive, parent)).rejects.toThrow("ENOENT");
  expect(await readdir(parent)).toEqual([]);
});
