import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { openSocketPair } from "@slipway/testkit/compliance";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import {
  beginKeyExchange,
  byte,
  execute,
  expectService,
  numberOf,
  openRawSshClient,
  string,
  uint32,
} from "../support/raw-ssh-client.ts";
import { message } from "../support/ssh-messages.ts";
import { openSshWorkspace, type SshWorkspace } from "../support/ssh-workspace.ts";

let workspace: SshWorkspace;

beforeEach(async () => {
  workspace = await openSshWorkspace();
});

const yes = byte(1);

/** The memory of the process in bytes, after a garbage collection. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-attack-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// A busy machine is slow at floods.
describe("a client that wants memory", { timeout: 120_000 }, () => {
  it("opens and closes sessions without end, none of which remain", async () => {
    const { client, flood } = await openRawSshClient(workspace.port);
    const count = 5000;
    const before = heldBytes();
    await flood(2 * count, (index) =>
      index % 2 === 0
        ? Buffer.concat([message.openChannel, string("session"), uint32(1e6), uint32(1), uint32(1)])
        : Buffer.concat([message.close, uint32(Math.floor(index / 2))]),
    );
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
    expect((heldBytes() - before) / count).toBeLessThan(1000);
  });

  it("sends input byte by byte to a command that does not read, which takes few pieces", async () => {
    const { client, flood } = await openRawSshClient(workspace.port);
    const go = join(openFolder(), "go");
    const wait = `until [ -e ${go} ]; do sleep 0.05; done`;
    const channel = await execute(client, `${wait}; exec wc -c`);
    // So many that other growth in the meantime is negligible.
    const count = 60_000;
    const before = heldBytes();
    const one = Buffer.concat([message.data, uint32(numberOf(channel)), string("x")]);
    await flood(count, () => one);
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
    expect((heldBytes() - before) / count).toBeLessThan(50);
    writeFileSync(go, "");
    channel.end();
    expect(await text(channel)).toBe(`${count}\n`);
  });

  it("begins to exchange keys and does not go on: the output that waits for it is not produced", async () => {
    const folder = openFolder();
    workspace = await openSshWorkspace({ settings: { maxTimeoutMs: 1000 } });
    const { client, send, closed } = await openRawSshClient(workspace.port);
    const script = `read line; while echo >> ${folder}/lines; do head -c 1000000 /dev/zero; done`;
    const channel = await execute(client, script);
    send(message.adjustWindow, uint32(numberOf(channel)), uint32(0xfffffff0));
    send(message.data, uint32(numberOf(channel)), string("go\n"));
    beginKeyExchange(client);
    await closed;
    const { length } = readFileSync(join(folder, "lines"), "utf8");
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(10);
    await expectService(workspace.port);
  });

  it("asks without end and without reading, and is held up until it reads", async () => {
    const [ours, theirs] = await openSocketPair();
    workspace.accept(theirs);
    const { client, flood } = await openRawSshClient(workspace.port, { sock: ours });
    const paused = once(theirs, "pause");
    ours.pause();
    const ping = Buffer.concat([message.globalRequest, string("keepalive@openssh.com"), yes]);
    const flooding = flood(40_000, () => ping);
    await paused;
    expect(theirs.writableLength).toBeLessThan(2_000_000);
    await expectService(workspace.port);
    ours.resume();
    await flooding;
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
  });
});
