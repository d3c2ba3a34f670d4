import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { SessionFiles } from "./session-files.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-config-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const session = { url: "https://slipway.example.com", token: "abc" };

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

it("stores a session for its owner only", async () => {
  const directory = join(root, "a", "slipway");
  const files = new SessionFiles(directory);
  await files.write(session);
  expect(await files.read()).toEqual(session);
  expect(await modeOf(directory)).toBe(0o700);
  expect(await modeOf(join(directory, "url"))).toBe(0o600);
  expect(await modeOf(join(directory, "session"))).toBe(0o600);
});

it("restricts a directory and files that others could read", async () => {
  await mkdir(join(root, "slipway"), { mode: 0o755 });
  await writeFile(join(root, "slipway", "session"), "old", { mode: 0o644 });
  await chmod(join(root, "slipway"), 0o755);
  await new SessionFiles(join(root, "slipway")).write(session);
  expect(await modeOf(join(root, "slipway"))).toBe(0o700);
  expect(await modeOf(join(root, "slipway", "session"))).toBe(0o600);
});

it("reads nothing from an empty directory", async () => {
  const files = new SessionFiles(join(root, "missing"));
  expect(await files.read()).toEqual({ url: undefined, token: undefined });
});

it("forgets the token and keeps the address", async () => {
  const files = new SessionFiles(root);
  await files.write(session);
  await files.forgetToken();
  await files.forgetToken();
  expect(await files.read()).toEqual({ url: session.url, token: undefined });
});
