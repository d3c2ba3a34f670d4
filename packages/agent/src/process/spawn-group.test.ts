import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { OutputPipes } from "./output-pipes.ts";
import { spawnGroup, type SpawnedGroup } from "./spawn-group.ts";

async function spawnWithInput(
  text: string,
  host: ReturnType<typeof openCommandHost>,
): Promise<SpawnedGroup> {
  const options = { pipes: host.pipes, joinOutput: false, hasInput: true };
  const group = await spawnGroup(shellCommand(text), options);
  host.groups.started(group.pid);
  group.stderr.resume();
  return group;
}

it("gives a command its input, to its end", async () => {
  using host = openCommandHost();
  const group = await spawnWithInput("cat; echo end", host);
  group.stdin?.end("hello ");
  expect(Buffer.concat(await group.stdout.toArray()).toString()).toBe("hello end\n");
});

it("gives a command input that it can open by name, also after its end", async () => {
  using host = openCommandHost();
  const group = await spawnWithInput("read go; exec cat /dev/stdin /dev/stdin", host);
  group.stdin?.end("go\nhello");
  expect(Buffer.concat(await group.stdout.toArray()).toString()).toBe("hello");
});

it("waits for a command that does not read", async () => {
  using host = openCommandHost();
  const group = await spawnWithInput("read go < /dev/null; sleep 1000", host);
  expect(group.stdin?.write(Buffer.alloc(1_000_000))).toBe(false);
  expect(group.stdin?.writableLength).toBe(1_000_000);
});

it("survives a command that ends without reading", async () => {
  using host = openCommandHost();
  const group = await spawnWithInput("exit 3", host);
  group.stdout.resume();
  expect(await group.exit).toEqual({ kind: "exited", exitCode: 3 });
  const { stdin } = group;
  if (stdin === undefined) throw new Error("no input");
  stdin.write("nobody reads this");
  await expect.poll(() => stdin.closed).toBe(true);
  expect(stdin.errored).toMatchObject({ code: "EPIPE" });
});

function openPipes(): { readonly pipes: OutputPipes; readonly names: () => readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "slipway-spawn-"));
  const pipes = new OutputPipes(folder);
  onTestFinished(() => {
    pipes[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  return { pipes, names: () => readdirSync(folder, { recursive: true }).map(String) };
}

it("removes the pipe of an input once its command has ended", async () => {
  const { pipes, names } = openPipes();
  const options = { pipes, joinOutput: true, hasInput: true };
  const { stdin, stdout, exit } = await spawnGroup(shellCommand("cat"), options);
  // The free pipes for the next commands are created meanwhile.
  await expect.poll(names).toHaveLength(12);
  stdin?.end();
  stdout.resume();
  await exit;
  await expect.poll(names).toHaveLength(11);
});

it("leaves no pipe of a command that cannot start", async () => {
  const { pipes, names } = openPipes();
  const command = { ...shellCommand(""), file: "/no/such/program" };
  await expect(spawnGroup(command, { pipes, joinOutput: false })).rejects.toMatchObject({
    code: "spawn-failed",
  });
  await expect.poll(names).toEqual([expect.any(String), expect.stringMatching(/alive$/)]);
});
