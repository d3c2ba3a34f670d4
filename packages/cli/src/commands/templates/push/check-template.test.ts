import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { memoryTerminal } from "../../../../tests/support/memory-terminal.ts";
import { checkTemplate } from "./check-template.ts";
import { packFiles } from "./pack-files.ts";

async function packed(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const root = await mkdtemp(join(tmpdir(), "slipway-template-"));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  return packFiles(Object.keys(files).map((name) => ({ name, path: join(root, name) })));
}

const agents = "agents:\n  main: { os: linux, arch: amd64 }\n";

it.each(["process", "a driver of another server"])("accepts a template of %s", async (driver) => {
  const { err, errText } = memoryTerminal();
  await checkTemplate(await packed({ "slipway.yaml": `driver: ${driver}\n${agents}` }), "x", err);
  expect(errText()).toBe("");
});

it("prints every problem with its place and a suggestion", async () => {
  const { err, errText } = memoryTerminal();
  const text = `driver: process\nagnets: {}\n${agents.replace("arch", "acrh")}`;
  await expect(
    checkTemplate(await packed({ "slipway.yaml": text }), "box/slipway.yaml", err),
  ).rejects.toThrow("box/slipway.yaml has 2 problems; nothing was uploaded");
  expect(errText()).toContain(
    "box/slipway.yaml:2:1: agnets: unknown key `agnets`; did you mean `agents`?\n",
  );
  expect(errText()).toContain("box/slipway.yaml:4:22: agents.main.acrh: unknown key `acrh`");
});

it("refuses files that the server could not read as a template", async () => {
  const files = { "slipway.yaml": "driver: process\n", "slipway.yml": "driver: process\n" };
  const { err } = memoryTerminal();
  await expect(checkTemplate(await packed(files), "x", err)).rejects.toThrow(
    "found both slipway.yaml and slipway.yml, wanted one of them; nothing was uploaded",
  );
});
