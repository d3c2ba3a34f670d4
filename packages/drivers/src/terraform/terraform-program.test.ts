import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { checkProgram } from "./terraform-program.ts";

const { signal } = new AbortController();

async function programThatPrints(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-program-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "tofu");
  await writeFile(path, `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
  return path;
}

it.each([
  ["OpenTofu v1.12.6", "OpenTofu", "1.12.6"],
  ["Terraform v1.11.4\non linux_amd64", "Terraform", "1.11.4"],
  ["OpenTofu v1.6.0-beta1", "OpenTofu", "1.6.0-beta1"],
])("accepts %j", async (text, product, version) => {
  const path = await programThatPrints(text);
  expect(await checkProgram(path, signal)).toEqual({ path, product, version });
});

it.each([
  ["Terraform v1.5.7", "is Terraform 1.5.7, wanted OpenTofu or Terraform 1.6 or later"],
  ["hello", 'says "hello'],
])("refuses %j", async (text, reason) => {
  await expect(checkProgram(await programThatPrints(text), signal)).rejects.toMatchObject({
    code: "disabled",
    message: expect.stringContaining(reason),
  });
});

it("refuses a program that does not exist", async () => {
  await expect(checkProgram("/nonexistent/tofu", signal)).rejects.toMatchObject({
    message: expect.stringContaining("/nonexistent/tofu does not exist, wanted OpenTofu"),
  });
});
