import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

import { namesAttribute } from "./named-attributes.ts";

const text = "value = data.coder_workspace_owner.me.ssh_private_key\n";

async function openDirectory(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-attributes-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return directory;
}

it.each([
  ["main.tf", true],
  ["modules/one/outputs.tf", true],
  ["main.tf.json", true],
  ["main.tofu", true],
  [".terraform/modules/one/main.tf", true],
  [".terraform/providers/one/main.tf", false],
  ["README.md", false],
])("looks for an attribute in %s: %j", async (name, expected) => {
  const directory = await openDirectory({ "other.tf": "locals {}\n", [name]: text });
  expect(await namesAttribute(directory, "ssh_private_key")).toBe(expected);
});

it("reads no links and no pipes", async () => {
  const directory = await openDirectory({ "elsewhere/secret": text });
  await symlink("elsewhere/secret", join(directory, "link.tf"));
  await promisify(execFile)("mkfifo", [join(directory, "pipe.tf")]);
  await mkdir(join(directory, "folder.tf"));
  expect(await namesAttribute(directory, "ssh_private_key")).toBe(false);
});
