import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { agents } from "./support/network/agents.ts";
import { InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { startAgent } from "./support/network/reached-agent.ts";
import { type NetworkServer, ourServer } from "./support/network/servers.ts";

/* GnuPG of a workspace with the keys of this machine. `vitest.config.ts` leaves this file out where it is missing. */

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;

beforeAll(async () => {
  // The path of a socket may have 107 bytes.
  homes = await mkdtemp(join(tmpdir(), "gpg-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await ourServer.open());
});
afterAll(() => opened.disposeAsync());

async function openCommand(): Promise<InstalledCommand> {
  const home = await mkdtemp(join(homes, "c-"));
  const command = await InstalledCommand.install(ourCommand, home);
  const { client } = server;
  const token = client.headers["Coder-Session-Token"] ?? "";
  await command.expect(["login", client.serverUrl, "--token", token]);
  await mkdir(join(home, ".gnupg"));
  await chmod(join(home, ".gnupg"), 0o700);
  return command;
}

it.each(agents.map((agent) => [agent.name, agent] as const))(
  "signs in a workspace of %s with a key that stays here",
  async (_, kind) => {
    const command = await openCommand();
    const gpg = (words: readonly string[], input = ""): string =>
      execFileSync("gpg", ["--batch", ...words], {
        env: command.environment,
        input,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "pipe"],
      });
    const stopAgent = (): void =>
      void execFileSync("gpgconf", ["--kill", "gpg-agent"], { env: command.environment });
    gpg([
      "--passphrase",
      "",
      "--quick-gen-key",
      "Ada <ada@example.com>",
      "ed25519",
      "sign",
      "never",
    ]);
    await using reached = await startAgent(kind, server, await mkdtemp(join(homes, "a-")));
    const sign = ["ssh", reached.workspace.name, "--forward-gpg", "--"];
    const text = `text of ${kind.name}`;
    const words = `echo ${text} | gpg --batch --armor --sign`;
    try {
      const signed = await command.expect([...sign, words]);
      expect(gpg(["--decrypt"], signed)).toBe(`${text}\n`);
      // Again, with what the first time has left.
      expect(gpg(["--decrypt"], await command.expect([...sign, words]))).toBe(`${text}\n`);
      const keys = join(reached.home, ".gnupg/private-keys-v1.d");
      expect(await readdir(keys).catch(() => [])).toEqual([]);
    } finally {
      stopAgent();
    }
    // The agent here has ended.
    const { code, stderr } = await command.run([...sign, "true"]);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no GPG agent is running on this machine"),
    });
  },
);
