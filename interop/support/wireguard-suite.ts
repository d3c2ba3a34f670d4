import { afterAll, beforeAll, expect, it } from "vitest";

import { modes } from "./tcp-conversation.ts";
import { buildTcpPeer, peerAddress, type PeerKind, TcpPeer } from "./tcp-peer.ts";
import { TunnelLink, type TunnelLinkOptions } from "./tunnel-link.ts";

const lossy = { delayMs: 5, lossRate: 0.01, duplicateRate: 0.01, lateRate: 0.02, lateMs: 5 };

/** Tests our tunnel and stack against wireguard-go in the modes of `tcp-go/conversation.go`, comparing every byte. */
export function testWireguardPeer(kind: PeerKind): void {
  let built: ReturnType<typeof buildTcpPeer>;

  beforeAll(() => {
    built = buildTcpPeer();
  });

  afterAll(() => {
    built.remove();
  });

  async function open(options: Partial<TunnelLinkOptions> = {}) {
    const link = await TunnelLink.open({ peerAddress, ...options });
    return { link, peer: await TcpPeer.open(built.program, kind, link) };
  }

  it.each(["we", "they"])(
    "carries a gigabyte each way when %s begin the handshake",
    async (who) => {
      const opened = await open();
      await using peer = opened.peer;
      if (who === "we") await peer.call("echo", 1000);
      else await peer.beCalled("echo", 1000);
      await peer.call("upload", 1e9);
      await peer.call("download", 1e9);
      await peer.beCalled("both", 1e8);
    },
  );

  it.each(modes)("calls and is called: %s", async (mode) => {
    const opened = await open();
    await using peer = opened.peer;
    await peer.call(mode, 3e7);
    await peer.beCalled(mode, 3e7);
    await expect.poll(() => peer.connections).toBe(0);
    expect(opened.link.handshakes).toBe(1);
  });

  it.each(modes)("puts up with loss, duplicates and another order: %s", async (mode) => {
    const opened = await open({ path: lossy });
    await using peer = opened.peer;
    await peer.call(mode, 2e6);
    await peer.beCalled(mode, 2e6);
  });

  it("has a hundred connections at once, half of them from the peer", async () => {
    const opened = await open({ path: lossy });
    await using peer = opened.peer;
    const each = Array.from({ length: 13 }, () => modes).flat();
    await Promise.all(
      each.flatMap((mode) => [peer.call(mode, 500_000), peer.beCalled(mode, 500_000)]),
    );
    await expect.poll(() => peer.connections).toBe(0);
  });

  it("goes on while sessions end every few seconds", async () => {
    // A session of two minutes takes two of our seconds.
    const opened = await open({ speed: 60 });
    await using peer = opened.peer;
    await peer.beCalled("echo", 1000);
    await Promise.all([peer.call("both", 4e8), peer.beCalled("both", 4e8)]);
    expect(opened.link.handshakes).toBeGreaterThanOrEqual(3);
  });
}
