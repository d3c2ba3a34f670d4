import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, it } from "vitest";

import { unpack } from "./pull.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-pull-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function tarOf(
  entries: readonly { readonly name: string; readonly mode?: number; readonly link?: string }[],
): Promise<Uint8Array> {
  const tar = pack();
  const collected = buffer(tar);
  for (const { name, mode = 0o644, link } of entries) {
    if (link === undefined) tar.entry({ name, mode }, `text of ${name}`);
    else tar.entry({ name, type: "symlink", linkname: link });
  }
  tar.finalize();
  return collected;
}

it("writes files and folders, and keeps executable bits", async () => {
  const tar = await tarOf([{ name: "./slipway.yaml" }, { name: "bin/run.sh", mode: 0o755 }]);
  const done = await unpack(tar, join(directory, "new"), { overwrite: false });
  expect(done).toEqual({ names: ["slipway.yaml", "bin/run.sh"], leftOut: [] });
  expect(await readFile(join(directory, "new/bin/run.sh"), "utf8")).toBe("text of bin/run.sh");
  expect((await stat(join(directory, "new/bin/run.sh"))).mode & 0o111).not.toBe(0);
  expect((await stat(join(directory, "new/slipway.yaml"))).mode & 0o111).toBe(0);
});

it.each(["../out", "/etc/out", "a/../../out", "a\\..\\out", "C:out"])(
  "writes nothing if a file is named %s",
  async (name) => {
    const tar = await tarOf([{ name: "slipway.yaml" }, { name }]);
    await expect(unpack(tar, directory, { overwrite: true })).rejects.toThrow(
      "outside its directory",
    );
    expect(await readdir(directory)).toEqual([]);
  },
);

it("skips links", async () => {
  const tar = await tarOf([{ name: "slipway.yaml" }, { name: "passwd", link: "/etc/passwd" }]);
  expect(await unpack(tar, directory, { overwrite: false })).toMatchObject({ leftOut: ["passwd"] });
  expect(await readdir(directory)).toEqual(["slipway.yaml"]);
});

it("overwrites existing files only with `overwrite`", async () => {
  await writeFile(join(directory, "b"), "mine");
  const tar = await tarOf([{ name: "a" }, { name: "b" }]);
  await expect(unpack(tar, directory, { overwrite: false })).rejects.toThrow("already exists");
  expect(await readdir(directory)).toEqual(["b"]);
  await unpack(tar, directory, { overwrite: true });
  expect(await readFile(join(directory, "b"), "utf8")).toBe("text of b");
});

it.each([false, true])("writes through no link, with `overwrite` %s", async (overwrite) => {
  const [outside, link] = [join(directory, "outside"), join(directory, "new", "slipway.yaml")];
  await mkdir(join(directory, "new"));
  await symlink(outside, link);
  const tar = await tarOf([{ name: "a" }, { name: "slipway.yaml" }]);
  const unpacked = unpack(tar, join(directory, "new"), { overwrite });
  await expect(unpacked).rejects.toThrow(
    overwrite ? `${link} is not a regular file; nothing was written` : "already exists",
  );
  expect(await readdir(directory)).toEqual(["new"]);
  expect(await readdir(join(directory, "new"))).toEqual(["slipway.yaml"]);
});

it("leaves out what Git would run", async () => {
  const hooks = [".git/hooks/post-checkout", "module/.GIT/config"];
  const tar = await tarOf([
    { name: ".gitignore" },
    ...hooks.map((name) => ({ name, mode: 0o755 })),
  ]);
  expect(await unpack(tar, directory, { overwrite: true })).toEqual({
    names: [".gitignore"],
    leftOut: hooks,
  });
});
