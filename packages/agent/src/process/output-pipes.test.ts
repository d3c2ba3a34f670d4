import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, describe, expect, it } from "vitest";

import { OutputPipes } from "./output-pipes.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fifos(): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes("/") && !name.endsWith("/alive"));
}

/** Creates a pipe and closes it again. */
async function open(pipes: OutputPipes): Promise<void> {
  const [pipe] = await pipes.open(1);
  pipe?.closeWriteEnd();
  pipe?.reader.destroy();
}

const modulePath = fileURLToPath(new URL("output-pipes.ts", import.meta.url));

/** Returns the directory of a killed process with an open pipe. */
async function killedAgent(): Promise<string> {
  const before = new Set(readdirSync(folder));
  const script = `
    const { OutputPipes } = await import(${JSON.stringify(modulePath)});
    const pipes = new OutputPipes(${JSON.stringify(folder)});
    await pipes.open(1);
    console.log("open");
    setInterval(() => pipes, 1000);`;
  const flags = ["--conditions=@slipway/source", "--input-type=module"];
  const child = spawn(process.execPath, [...flags, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  return readdirSync(folder).find((name) => !before.has(name)) ?? "";
}

describe("OutputPipes", () => {
  it("uses a pipe again once its writers have gone, and removes its directory", async () => {
    using pipes = new OutputPipes(folder);
    for (let round = 0; round < 3; round += 1) {
      const [pipe] = await pipes.open(1);
      if (pipe === undefined) throw new Error("no pipe");
      writeSync(pipe.writeFd, `round ${round}`);
      pipe.closeWriteEnd();
      const closed = once(pipe.reader, "close");
      expect(Buffer.concat(await pipe.reader.toArray()).toString()).toBe(`round ${round}`);
      await closed;
    }
    expect(fifos()).toHaveLength(1);
    pipes[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives each of those who ask at once all the pipes they ask for", async () => {
    using pipes = new OutputPipes(folder);
    await open(pipes);
    const asked = await Promise.all([pipes.open(2), pipes.open(2), pipes.open(2)]);
    expect(asked.map((found) => found.length)).toEqual([2, 2, 2]);
    for (const pipe of asked.flat()) {
      pipe.closeWriteEnd();
      pipe.reader.destroy();
    }
  });

  it("has pipes ready for the commands after one with input", async () => {
    using pipes = new OutputPipes(folder);
    const run = async (): Promise<void> => {
      const [output, input] = await Promise.all([pipes.open(1), pipes.openInput()]);
      const closed = output.map(({ reader }) => once(reader, "close"));
      for (const pipe of output) {
        pipe.closeWriteEnd();
        pipe.reader.resume();
      }
      input.closeReadEnd();
      input.writer.destroy();
      input.release();
      await Promise.all(closed);
    };
    const newPipesOfRun = async (): Promise<readonly string[]> => {
      const made = new Set(fifos());
      await run();
      return fifos().filter((name) => !made.has(name));
    };
    await run();
    // They are created while commands run.
    await expect.poll(newPipesOfRun).toEqual([]);
    for (let round = 0; round < 3; round += 1) expect(await newPipesOfRun()).toEqual([]);
  });

  it("gives up a pipe that was cut while somebody could write", async () => {
    using pipes = new OutputPipes(folder);
    const [pipe] = await pipes.open(1);
    if (pipe === undefined) throw new Error("no pipe");
    pipe.reader.destroy();
    await expect.poll(() => fifos()).toEqual([]);
    pipe.closeWriteEnd();
  });

  it("removes what killed agents left, and nothing of those that live", async () => {
    using alive = new OutputPipes(folder);
    await open(alive);
    const living = readdirSync(folder);
    const killed = await killedAgent();
    expect(readdirSync(folder)).toContain(killed);
    using next = new OutputPipes(folder);
    await open(next);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(living));
    expect(readdirSync(folder)).not.toContain(killed);
    expect(readdirSync(folder)).toHaveLength(2);
    // The pipes of the living process still work.
    await open(alive);
  });

  it("leaves directories alone that only look like an agent's", async () => {
    mkdirSync(join(folder, "slipway-pipes-foreign"));
    writeFileSync(join(folder, "slipway-pipes-file"), "");
    using pipes = new OutputPipes(folder);
    await open(pipes);
    expect(readdirSync(folder)).toContain("slipway-pipes-foreign");
    expect(readdirSync(folder)).toContain("slipway-pipes-file");
    rmSync(join(folder, "slipway-pipes-foreign"), { recursive: true });
    rmSync(join(folder, "slipway-pipes-file"));
  });

  it("refuses where none can be made, until they can", async () => {
    using pipes = new OutputPipes(join(folder, "absent"));
    await expect(pipes.open(1)).rejects.toThrow("ENOENT");
    mkdirSync(join(folder, "absent"));
    await open(pipes);
  });
});
