import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { buildAgent } from "./agent-bundle.ts";

describe("buildAgent", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const build = async (force = false): Promise<number | undefined> =>
    (await buildAgent({ entry: at("main.ts"), output: at("dist/agent.js"), force })).bytes;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-bundle-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    await rm(at("dist"), { recursive: true, force: true });
    await writeFile(
      at("main.ts"),
      'import old from "./old.cjs"; class Agent {} await Promise.resolve(); process.stdout.write(`${old.join("a", "b")} ${Agent.name}`);',
    );
    await writeFile(at("old.cjs"), 'module.exports = require("node:path");');
  });

  it("makes one file that runs, with CommonJS inside and its names kept", async () => {
    const bytes = await build();
    const text = await readFile(at("dist/agent.js"), "utf8");
    expect(Buffer.byteLength(text)).toBe(bytes);
    const { stdout } = await promisify(execFile)(process.execPath, [at("dist/agent.js")]);
    expect(stdout).toBe("a/b Agent");
  });

  it("makes a file of ASCII, whatever the sources have in comments, texts and patterns", async () => {
    await writeFile(
      at("main.ts"),
      `class Agent {
        /** From 1 – 9. */
        text = "–\u{1f6a2}".replace(/[–]/, (dash) => String.raw({ raw: [dash, "!"] }, 1));
      }
      process.stdout.write(new Agent().text);`,
    );
    await buildAgent({
      entry: at("main.ts"),
      output: at("dist/agent.js"),
      force: true,
      keepLines: true,
    });
    const text = await readFile(at("dist/agent.js"), "utf8");
    expect(text).toContain("From 1");
    expect(text).not.toMatch(/[^\0-~]/);
    const { stdout } = await promisify(execFile)(process.execPath, [at("dist/agent.js")]);
    expect(stdout).toBe("–1!\u{1f6a2}");
  });

  it("leaves V8 room for the hidden classes of small objects, however many modules there are", async () => {
    const names = Array.from({ length: 1_600 }, (_, index) => `./module-${index}.cjs`);
    await Promise.all(names.map((name) => writeFile(at(name), "exports.value = 1;")));
    const same = 'new Function("one", "other", "return %HaveSameMap(one, other)")';
    await writeFile(
      at("main.ts"),
      `${names.map((name) => `import ${JSON.stringify(name)};`).join("\n")}
      const create = (type) => { const made = { type }; made["size"] = 1; return made; };
      process.stdout.write(String(${same}(create("one"), create("other"))));`,
    );
    await build();
    const args = ["--allow-natives-syntax", at("dist/agent.js")];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe("true");
  });

  it("does nothing when the bundle is newer than all its inputs", async () => {
    await build();
    expect(await build()).toBeUndefined();
    expect(await build(true)).toBeGreaterThan(0);
  });

  it("builds again when an input has changed or is gone", async () => {
    await build();
    const later = new Date(Date.now() + 60_000);
    await utimes(at("old.cjs"), later, later);
    expect(await build()).toBeGreaterThan(0);

    await rm(at("old.cjs"));
    await expect(build()).rejects.toThrow("Could not resolve");
  });

  it("counts the parts of the bundler among the inputs", async () => {
    await build();
    const tools = dirname(fileURLToPath(import.meta.url));
    const bundler = await readFile(join(tools, "agent-bundle.ts"), "utf8");
    const parts = [...bundler.matchAll(/from "\.\/(.+)"/g)].map(([, name = ""]) => name);
    expect(parts).not.toEqual([]);
    const inputs: unknown = JSON.parse(await readFile(at("dist/agent.js.inputs.json"), "utf8"));
    const wanted = ["agent-bundle.ts", ...parts].map((name) => join(tools, name));
    expect(inputs).toEqual(expect.arrayContaining(wanted));
  });

  it("builds again when the bundle or the list of its inputs is gone", async () => {
    await build();
    await rm(at("dist/agent.js"));
    expect(await build()).toBeGreaterThan(0);
    await rm(at("dist/agent.js.inputs.json"));
    expect(await build()).toBeGreaterThan(0);
  });
});
