import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { installPrograms } from "./install-programs.ts";

it("installs the programs of a release, and removes those of an earlier one", async () => {
  const runtimeDir = mkdtempSync(join(tmpdir(), "slipway-programs-"));
  onTestFinished(() => rmSync(runtimeDir, { recursive: true }));
  const options = { agentCommand: ["agent"], runtimeDir, isPublic: false };
  await installPrograms({ ...options, programs: { old: ["/bin/echo"], kept: ["/bin/false"] } });
  const programs = { kept: ["/bin/echo", "it's", "$HOME"] };
  const { programsDir } = await installPrograms({ ...options, programs });
  expect(readdirSync(programsDir)).toEqual(["kept"]);
  const output = execFileSync(join(programsDir, "kept"), ["a b"], { encoding: "utf8" });
  expect(output).toBe("it's $HOME a b\n");
});
