import { expect, it } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
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
