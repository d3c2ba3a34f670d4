import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Account } from "@slipway/runtime/ownership";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { makeWorkspace, workspacePaths } from "./workspace-directory.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Without root, workspaces have the server's user. */
const users: readonly [string, Account | undefined][] = [
  ["the server's user", undefined],
  ...(process.getuid?.() === 0
    ? [["a user without a name", { uid: 61_150, gid: 61_150 }] satisfies [string, Account]]
    : []),
];

describe.each(users)("a workspace of %s", (_name, user) => {
  it.each(["-lic", "-ic"])("has a prompt that names it, in a bash with %s", async (options) => {
    const { home } = await makeWorkspace(directory, user);
    const { stdout } = await promisify(execFile)("bash", [options, 'echo "${PS1@P}"'], {
      env: { ...process.env, HOME: home, CODER_WORKSPACE_NAME: "dev" },
      cwd: home,
      ...user,
    });
    expect(stdout.trim()).toMatch(/^dev:~[#$]$/);
  });

  it("keeps a home that exists as it is", async () => {
    const { home } = workspacePaths(directory);
    await mkdir(home);
    await makeWorkspace(directory, user);
    expect(await readdir(home)).toEqual([]);
  });
});
