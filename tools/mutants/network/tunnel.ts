import type { Mutant } from "../mutant.ts";

const tailnet = "packages/tailnet/src";
const wire = "packages/wire/src";
const sessions = {
  project: "unit",
  files: ["packages/tailnet/src/tunnel/tunnel-sessions.test.ts"],
} as const;
const paths = {
  project: "unit",
  files: [
    "packages/tailnet/src/path/path-driver.test.ts",
    "packages/tailnet/src/path/path-hostile.test.ts",
  ],
} as const;
const turns = {
  project: "unit",
  files: [
    "packages/tailnet/src/path/received-turns.test.ts",
    "packages/tailnet/src/path/path-driver.test.ts",
  ],
} as const;
const memory = {
  project: "unit",
  files: [
    "packages/tailnet/src/stack/tcp-limits.test.ts",
    "packages/wire/src/tcp/receive-queue.test.ts",
  ],
} as const;

/** Faults in what peers make a tunnel do and hold. */
export const tunnelFaults: readonly Mutant[] = [
  {
    name: "anybody-renews-a-session",
    breaks: "a packet with a forged address makes a peer begin a handshake",
    file: `${tailnet}/tunnel/tunnel.ts`,
    find: "publicKey !== undefined && isProven",
    replace: "publicKey !== undefined",
    suite: sessions,
  },
  {
    name: "an-address-proves-a-sender",
    breaks: "a datagram on UDP counts as one that a relay has vouched for",
    file: `${tailnet}/path/path-driver.ts`,
    find: "deliver(others, peer.nodeKey, false)",
    replace: "deliver(others, peer.nodeKey, true)",
    suite: paths,
  },
  {
    name: "calls-for-paths-are-free",
    breaks: "a peer calls for direct paths without end",
    file: `${tailnet}/path/path-selector.ts`,
    find: "if (peer?.takeCall(now) !== true) return;",
    replace: "if (peer === undefined) return;",
    suite: paths,
  },
  {
    name: "unacknowledged-data-is-free",
    breaks: "a peer that acknowledges nothing makes the stack hold what it likes",
    file: `${wire}/tcp/connection.ts`,
    find: "established.receiver.heldBytes + established.sender.heldBytes",
    replace: "established.receiver.heldBytes",
    suite: memory,
  },
  {
    name: "ended-connections-hold-memory",
    breaks: "connections that are gone count until all others are reset",
    file: `${tailnet}/stack/tcp-layer.ts`,
    find: `    this.#memory.forget(link);
`,
    replace: "",
    suite: memory,
  },
  {
    name: "the-modest-pay",
    breaks: "the memory of a greedy peer is taken from a modest one",
    file: `${tailnet}/stack/tcp-memory.ts`,
    find: "share.bytes > (most?.bytes ?? 0)",
    replace: "most === undefined",
    suite: memory,
  },
  {
    name: "read-blocks-are-counted",
    breaks: "blocks that were read count for ever",
    file: `${wire}/tcp/byte-blocks.ts`,
    find: `        this.#count -= 1;
`,
    replace: "",
    suite: memory,
  },
  {
    name: "tiny-packets-are-free",
    breaks: "packets cost what their bytes do, however many they are",
    file: `${tailnet}/path/received-turns.ts`,
    find: "return length + receivedCostBytes;",
    replace: "return length;",
    suite: turns,
  },
  {
    name: "a-flood-stays-first",
    breaks: "others wait until all that one sender has sent is done",
    file: `${tailnet}/path/received-turns.ts`,
    find: `      this.#lines.delete(sender);
      const slice = this.#takeSlice(line);
      if (line.batches.length > 0) this.#lines.set(sender, line);
`,
    replace: `      const slice = this.#takeSlice(line);
      if (line.batches.length === 0) this.#lines.delete(sender);
`,
    suite: turns,
  },
  {
    name: "waiting-packets-are-kept-without-end",
    breaks: "what waits for its turn counts for nothing",
    file: `${tailnet}/path/received-turns.ts`,
    find: `      line.cost += cost;
`,
    replace: "",
    suite: turns,
  },
  {
    name: "small-packets-keep-their-chunks",
    breaks: "a packet of 13 bytes that waits holds 64 KiB",
    file: `${tailnet}/path/received-turns.ts`,
    find: "kept.push(Uint8Array.from(datagram));",
    replace: "kept.push(datagram);",
    suite: turns,
  },
  {
    name: "addresses-take-no-turns",
    breaks: "what comes by UDP is decrypted however long the turn has lasted",
    file: `${tailnet}/path/path-driver.ts`,
    find: `      this.#received.receive(this.#selector.ownerOf(source) ?? unknownSender, datagrams, (some) =>
        this.#receiveUdp(some, source),
      ),
`,
    replace: `      this.#receiveUdp(datagrams, source),
`,
    suite: turns,
  },
];
