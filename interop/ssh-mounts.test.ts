import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { agents } from "./support/network/agents.ts";
import { ourCommand } from "./support/network/commands.ts";
import { OpenSsh } from "./support/network/openssh.ts";
import { startAgent } from "./support/network/reached-agent.ts";
import { type NetworkServer, ourServer } from "./support/network/servers.ts";

/* A workspace's files as a local file system. `vitest.config.ts` leaves this file out where FUSE is missing. */

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-mounts-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await ourServer.open());
});
afterAll(() => opened.disposeAsync());

it.each(agents.map((agent) => [agent.name, agent] as const))(
  "mounts the home of %s",
  async (_, kind) => {
    await using reached = await startAgent(kind, server, await mkdtemp(join(homes, "a-")));
    const openSsh = await OpenSsh.configure(ourCommand, server, homes);
    const place = await mkdtemp(join(homes, "m-"));
    await openSsh.expect("sshfs", ["-F", openSsh.file, `${reached.host}:`, place]);
    onTestFinished(() => void execFileSync("fusermount", ["-u", place]));
    const bytes = randomBytes(3_000_000);
    await mkdir(join(place, "deep/er"), { recursive: true });
    await writeFile(join(place, "deep/file"), bytes, { mode: 0o600 });
    await rename(join(place, "deep/file"), join(place, "deep/er/file"));
    expect(await readFile(join(reached.home, "deep/er/file"))).toEqual(bytes);
    await writeFile(join(reached.home, "there"), "from there");
    expect(await readFile(join(place, "there"), "utf8")).toBe("from there");
    await rm(join(place, "deep"), { recursive: true });
    await expect(readFile(join(reached.home, "deep/er/file"))).rejects.toThrow("ENOENT");
  },
);
