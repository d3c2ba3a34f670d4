import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { dataName, makePrivateDirectory, temporaryDataDirectory } from "./private-directory.ts";

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "slipway-private-"));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
});

const own = (): string => join(temporary, `slipway-agent-${process.geteuid?.()}`);

async function openToOthers(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o777);
}

it("shares the directory of temporary files with other agents of its user", async () => {
  expect(await temporaryDataDirectory(temporary)).toBe(temporary);
  expect((await stat(join(temporary, dataName))).mode & 0o777).toBe(0o700);
  expect(await temporaryDataDirectory(temporary)).toBe(temporary);
});

it.each([
  ["a directory that others write", (path: string) => openToOthers(path)],
  ["a link", (path: string) => symlink("/", path)],
  ["a file", (path: string) => writeFile(path, "")],
])("makes one of its own beside %s", async (_, make) => {
  await make(join(temporary, dataName));
  expect(await temporaryDataDirectory(temporary)).toBe(own());
  expect((await stat(join(own(), dataName))).mode & 0o777).toBe(0o700);
});

it("takes none for private that another user owns, whatever its mode", async () => {
  const mine = join(temporary, "mine");
  expect(await makePrivateDirectory(mine)).toBe(true);
  expect(await makePrivateDirectory(mine)).toBe(true);
  // Only root can give a directory away; other users look at one that root owns.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) await chown(mine, 12_345, 12_345);
  expect(await makePrivateDirectory(isRoot ? mine : "/usr")).toBe(false);
});

it("does not use one of its own name that others write, as they could put another into it", async () => {
  await openToOthers(join(temporary, dataName));
  await openToOthers(own());
  expect(await temporaryDataDirectory(temporary)).toMatch(/slipway-agent-.{6}$/);
});

it("makes one that nobody can name where both are somebody else's", async () => {
  await openToOthers(join(temporary, dataName));
  await openToOthers(join(own(), dataName));
  const directory = await temporaryDataDirectory(temporary);
  expect(directory).toMatch(/slipway-agent-.{6}$/);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});
