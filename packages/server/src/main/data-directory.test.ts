import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { lockFile, openDataDirectory } from "./data-directory.ts";

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "slipway-test-")));
  file = join(directory, "lock");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const modulePath = fileURLToPath(new URL("data-directory.ts", import.meta.url));

/** Starts another process, which reports whether it got the lock and holds it until it is killed. */
async function startOther(): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const script = `
    const { lockFile } = await import(${JSON.stringify(modulePath)});
    const lock = await lockFile(${JSON.stringify(file)});
    console.log(lock === undefined ? "refused" : "locked");
    setInterval(() => lock, 1000);`;
  const flags = ["--conditions=@slipway/source", "--input-type=module"];
  const child = spawn(process.execPath, [...flags, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(child.stdout, "data");
  return { child, said: String(said).trim() };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

describe("lockFile", () => {
  it("is refused while another process has the lock, and given when that was killed", async () => {
    const { child, said } = await startOther();
    expect(said).toBe("locked");
    expect(await lockFile(file)).toBeUndefined();
    await end(child);
    using lock = await lockFile(file);
    expect(lock).toBeDefined();
  });

  it("is held when the same process was refused it", async () => {
    using lock = await lockFile(file);
    expect(lock).toBeDefined();
    expect(await lockFile(file)).toBeUndefined();
    const { child, said } = await startOther();
    await end(child);
    expect(said).toBe("refused");
  });

  it("can be taken again when it was let go", async () => {
    (await lockFile(file))?.[Symbol.dispose]();
    using lock = await lockFile(file);
    expect(lock).toBeDefined();
  });

  it("is the owner's alone", async () => {
    using _ = await lockFile(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("openDataDirectory", () => {
  // Only Linux has abstract sockets.
  it.runIf(process.platform === "linux")(
    "is not kept out by a socket that every user of the machine can open",
    async () => {
      const name = createHash("sha256").update(directory).digest("hex").slice(0, 32);
      const squatter = createServer().listen(`\0slipway-${name}`);
      await once(squatter, "listening");
      await using opened = await openDataDirectory(directory);
      expect(opened.path).toBe(directory);
      await expect(openDataDirectory(directory)).rejects.toMatchObject({
        code: "data-directory-in-use",
      });
      squatter.close();
    },
  );
});
