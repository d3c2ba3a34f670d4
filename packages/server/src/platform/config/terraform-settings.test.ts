import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { readTerraformSettings } from "./terraform-settings.ts";

function read(source: Readonly<Record<string, string>>) {
  const problems: string[] = [];
  const settings = readTerraformSettings(
    source,
    (name, wanted) => void problems.push(`${name} ${wanted}`),
  );
  return { ...settings, problems };
}

it("finds tofu on the PATH before terraform", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-path-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const PATH = `relative:/nonexistent:${directory}`;
  await writeFile(join(directory, "tofu"), "", { mode: 0o644 });
  await writeFile(join(directory, "terraform"), "", { mode: 0o755 });
  expect(read({ PATH }).program).toEqual({ path: join(directory, "terraform") });
  await rm(join(directory, "tofu"));
  await writeFile(join(directory, "tofu"), "", { mode: 0o755 });
  expect(read({ PATH }).program).toEqual({ path: join(directory, "tofu") });
});

it("is off without a program, and where the operator says so", () => {
  expect(read({}).program).toMatchObject({ refusal: expect.stringContaining("SLIPWAY_TERRAFORM") });
  expect(read({ SLIPWAY_TERRAFORM: "off" }).program).toMatchObject({
    refusal: expect.stringContaining("turned off"),
  });
});

it("passes on the listed variables only", () => {
  const source = {
    SLIPWAY_TERRAFORM_ENV: "AWS_PROFILE, MISSING",
    AWS_PROFILE: "dev",
    AWS_SECRET: "x",
  };
  expect(read(source).environment).toEqual({ AWS_PROFILE: "dev" });
});

it.each(["SLIPWAY_SECRET_KEY", "A-B", "1A", "A=B"])("refuses to pass on %s", (name) => {
  expect(read({ SLIPWAY_TERRAFORM_ENV: name }).problems).toHaveLength(1);
});
