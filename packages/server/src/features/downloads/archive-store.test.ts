import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { type Logger, silentLogger, systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { archiveNames } from "./archive-file.ts";
import { type ArchiveSource, ArchiveStore } from "./archive-store.ts";

const gz = { architecture: "amd64", compression: "tar.gz" } as const;
const zst = { architecture: "amd64", compression: "tar.zst" } as const;

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-downloads-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Builds archives with a shell program, which gets the options of `tools/build-archive.ts` as $1 to $6. */
function making(directory: string, script: string): ArchiveSource {
  return { kind: "made", directory, command: ["/bin/sh", "-c", script, "sh"] };
}

function openStore(
  source: ArchiveSource,
  { clock = systemClock, logger = silentLogger } = {},
): ArchiveStore {
  const store = new ArchiveStore({ source, clock, logger });
  onTestFinished(() => store[Symbol.asyncDispose]());
  return store;
}

/** Writes the archive, and one line per run. */
const makes = `echo run >>"$6/runs"; printf 'archive %s %s' "$2" "$4" >"$6/slipway-linux-$2.$4"`;

describe("an archive that is made", () => {
  it("is made once for all who ask at once, and kept", async () => {
    const directory = await makeDirectory();
    const store = openStore(making(directory, makes));
    const files = await Promise.all(Array.from({ length: 8 }, () => store.open(gz)));
    expect(new Set(files).size).toBe(1);
    const file = await store.open(gz);
    expect(file.sha256).toEqual(createHash("sha256").update("archive amd64 tar.gz").digest());
    expect(await text(file.read({ first: 8, last: file.bytes - 1 }))).toBe("amd64 tar.gz");
    expect(await readFile(join(directory, "runs"), "utf8")).toBe("run\n");
  });

  it("is made after another one, not beside it", async () => {
    const directory = await makeDirectory();
    const alone = `mkdir "$6/lock" || exit 1; ${makes}; sleep 0.05; rmdir "$6/lock"`;
    const store = openStore(making(directory, alone));
    const files = await Promise.all(archiveNames.map((name) => store.open(name)));
    expect(files).toHaveLength(4);
  });

  it("stays what it was while the server runs, whatever becomes of the file", async () => {
    const directory = await makeDirectory();
    const store = openStore(making(directory, makes));
    const file = await store.open(gz);
    const path = join(directory, "slipway-linux-amd64.tar.gz");
    await rm(path);
    await writeFile(path, "another");
    expect(await text(file.read({ first: 0, last: file.bytes - 1 }))).toBe("archive amd64 tar.gz");
  });

  it("is tried again a while after a failure, not at every request", async () => {
    const directory = await makeDirectory();
    const clock = createFakeClock();
    const fails = `echo run >>"$6/runs"; echo "first" >&2; echo "no space left" >&2; exit 3`;
    const errors: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      child: () => logger,
      error: (fields) => void errors.push(fields),
    };
    const store = openStore(making(directory, fails), { clock, logger });
    for (let count = 0; count < 3; count += 1) {
      await expect(store.open(gz)).rejects.toMatchObject({
        code: "unavailable",
        detail: expect.stringContaining("SLIPWAY_DOWNLOADS_DIR"),
      });
    }
    expect(errors).toEqual([{ error: "no space left" }]);
    expect(await readFile(join(directory, "runs"), "utf8")).toBe("run\n");
    await clock.advance(60_000);
    await expect(store.open(gz)).rejects.toThrow("could not be made");
    expect(await readFile(join(directory, "runs"), "utf8")).toBe("run\nrun\n");
    // One failure does not affect another archive.
    await expect(store.open(zst)).rejects.toThrow("could not be made");
  });

  it("is not waited for longer than a proxy waits, and goes on", async () => {
    const directory = await makeDirectory();
    const clock = createFakeClock();
    const waits = `until [ -e "$6/go" ]; do sleep 0.02; done; ${makes}`;
    const store = openStore(making(directory, waits), { clock });
    const early = store.open(gz);
    const refused = expect(early).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 5,
    });
    await clock.advance(20_000);
    await refused;
    await writeFile(join(directory, "go"), "");
    expect((await store.open(gz)).bytes).toBe("archive amd64 tar.gz".length);
    expect(await readFile(join(directory, "runs"), "utf8")).toBe("run\n");
  });

  it("is waited for by who can, with its progress", async () => {
    const directory = await makeDirectory();
    const waits = `echo begins >&2; until [ -e "$6/go" ]; do sleep 0.02; done; ${makes}`;
    const store = openStore(making(directory, waits));
    const lines: string[] = [];
    const { signal } = new AbortController();
    const begun = Promise.withResolvers<void>();
    const file = store.wait(gz, (line) => begun.resolve(void lines.push(line)), signal);
    const canceling = new AbortController();
    const canceled = store.wait(gz, () => undefined, canceling.signal);
    await begun.promise;
    canceling.abort(new Error("canceled"));
    await expect(canceled).rejects.toThrow("canceled");
    await writeFile(join(directory, "go"), "");
    expect(await file).toMatchObject({ path: join(directory, "slipway-linux-amd64.tar.gz") });
    expect(lines).toEqual(["begins"]);
  });

  it("is given up when the server stops", async () => {
    const directory = await makeDirectory();
    const store = openStore(making(directory, `echo $$ >"$6/pid"; exec sleep 600`));
    const waiting = expect(store.open(gz)).rejects.toThrow("shutting down");
    const readPid = () => readFile(join(directory, "pid"), "utf8").catch(() => "");
    // The file exists before the shell has written to it.
    await expect.poll(readPid).toMatch(/\n$/);
    const pid = Number(await readPid());
    await store.stop();
    await waiting;
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("is not made without the program", async () => {
    const command = ["/no/such/program"];
    const store = openStore({ kind: "made", directory: await makeDirectory(), command });
    await expect(store.open(gz)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a ready archive", () => {
  it("is taken from its directory, or not there", async () => {
    const directory = await makeDirectory();
    await writeFile(join(directory, "slipway-linux-amd64.tar.gz"), "ready");
    const store = openStore({ kind: "ready", directory });
    expect((await store.open(gz)).bytes).toBe(5);
    await expect(store.open(zst)).rejects.toMatchObject({ code: "not-found" });
  });
});

it("says that there are no downloads", async () => {
  const store = openStore({ kind: "off", reason: "Downloads are turned off." });
  await expect(store.open(gz)).rejects.toMatchObject({
    code: "not-found",
    detail: "Downloads are turned off.",
  });
});
