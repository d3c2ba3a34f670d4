import { afterAll, beforeAll, expect, it } from "vitest";

import { PipeLink } from "./peer-link.ts";
import { modes } from "./tcp-conversation.ts";
import { buildTcpPeer, type PeerKind, TcpPeer } from "./tcp-peer.ts";

/** Tests our network stack against a peer in the modes of `tcp-go/conversation.go`, comparing every byte. */
export function testTcpPeer(kind: PeerKind): void {
  let built: ReturnType<typeof buildTcpPeer>;

  beforeAll(() => {
    built = buildTcpPeer();
  });

  afterAll(() => {
    built.remove();
  });

  it("carries a gigabyte each way", async () => {
    await using peer = await TcpPeer.open(built.program, kind);
    await peer.call("upload", 1e9);
    await peer.call("download", 1e9);
  });

  it.each(modes)("calls and is called: %s", async (mode) => {
    await using peer = await TcpPeer.open(built.program, kind);
    await peer.call(mode, 3e7);
    await peer.beCalled(mode, 3e7);
    await expect.poll(() => peer.connections).toBe(0);
  });

  it.each(modes)("puts up with loss, duplicates and another order at 20 ms: %s", async (mode) => {
    const path = { delayMs: 10, lossRate: 0.01, duplicateRate: 0.01, lateRate: 0.02, lateMs: 5 };
    await using peer = await TcpPeer.open(built.program, kind, new PipeLink(path));
    await peer.call(mode, 2e6);
    await peer.beCalled(mode, 2e6);
  });

  it("has two hundred connections at once, half of them from the peer", async () => {
    const path = { delayMs: 5, lossRate: 0.01, duplicateRate: 0, lateRate: 0, lateMs: 0 };
    await using peer = await TcpPeer.open(built.program, kind, new PipeLink(path));
    const each = Array.from({ length: 25 }, () => modes).flat();
    await Promise.all(
      each.flatMap((mode) => [peer.call(mode, 500_000), peer.beCalled(mode, 500_000)]),
    );
    await expect.poll(() => peer.connections).toBe(0);
  });
}
