import { access, chmod, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { allowTraversalTo, publishCommands } from "./publish-commands.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-test-"));
  await mkdir(join(root, "private"));
  await mkdir(join(root, "public"));
  await chmod(root, 0o755);
  await chmod(join(root, "private"), 0o700);
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function publishCommand(command: readonly string[]): Promise<readonly string[]> {
  return (await publishCommands([command], join(root, "runtime")))[0] ?? [];
}

async function write(name: string, mode: number): Promise<string> {
  const path = join(root, name);
  await writeFile(path, `the text of ${name}`);
  await chmod(path, mode);
  return path;
}

it("publishes the files that other users cannot get at, and leaves the rest of a command alone", async () => {
  const command = [
    await write("private/node", 0o755),
    await write("public/readable.js", 0o644),
    await write("public/unreadable.js", 0o600),
    "/no/such/file",
    "run",
  ];
  const [program = "", ...args] = await publishCommand(command);
  expect(args[0]).toBe(command[1]);
  expect(args.slice(2)).toEqual(["/no/such/file", "run"]);
  for (const [path, original, mode] of [
    [program, "private/node", 0o755],
    [args[1] ?? "", "public/unreadable.js", 0o644],
  ] as const) {
    expect(dirname(dirname(path))).toBe(join(root, "runtime"));
    expect(basename(path)).toBe(basename(original));
    expect(await readFile(path, "utf8")).toBe(`the text of ${original}`);
    expect((await lstat(path)).mode & 0o777).toBe(mode);
    expect((await lstat(dirname(path))).mode & 0o777).toBe(0o755);
  }
  // The original stays as it is.
  expect((await lstat(command[2] ?? "")).mode & 0o777).toBe(0o600);
  expect(await publishCommand(command)).toEqual([program, ...args]);
});

it("removes what was published before", async () => {
  const file = await write("private/agent.js", 0o644);
  const [before = ""] = await publishCommand([file]);
  await rm(file);
  await write("private/agent.js", 0o755);
  const [after = ""] = await publishCommand([file]);
  expect(after).not.toBe(before);
  await access(after);
  await expect(access(before)).rejects.toThrow("ENOENT");
});

it("opens our folders for traversal only, and names another one that is closed", async () => {
  await mkdir(join(root, "private/data/workspaces"), { recursive: true, mode: 0o700 });
  const own = [join(root, "private/data"), join(root, "private/data/workspaces")];
  const traversal = allowTraversalTo(join(root, "private/data/workspaces"), own);
  await expect(traversal).rejects.toThrow(`cannot traverse ${join(root, "private")}`);
  await allowTraversalTo(join(root, "private/data/workspaces"), [join(root, "private"), ...own]);
  expect((await lstat(join(root, "private"))).mode & 0o777).toBe(0o711);
});
