import { type RecordedLine, readRecording, recordedChunks } from "@slipway/testkit/recordings";
import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { encodeClientInfo } from "@slipway/wire/derp/login";
import { expect, it } from "vitest";

import { endTurns, openTestRelay } from "../tests/support/test-relay.ts";
import { sodiumCrypto } from "./crypto.ts";
import type { Relay } from "./relay.ts";
import type { RelaySession } from "./transport.ts";

/*
 * Agents and commands of a stock deployment, whose bytes are sent to our relay in the recorded order; each must get the
 * bytes that the stock relay sent. Skipped in a checkout without the recordings beside it: set SLIPWAY_SHARED.
 */

/** Returns what one end of a connection sent. */
function bytesOf(records: readonly RecordedLine[], id: number, dir: "c" | "s"): Uint8Array {
  const sent = recordedChunks(records, id).filter(({ from }) => from === dir);
  return joinBytes(sent.map(({ bytes }) => bytes));
}

/** The first frames of the stock relay: its key, and the response to the login. */
function greetingOf(sent: Uint8Array): {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
} {
  const key = parseDerpFrame(sent, 0, 45);
  const info = parseDerpFrame(sent, 45, 103);
  if (key?.type !== "server-key" || info?.type !== "server-info") throw new Error("no greeting");
  return { key: key.key, nonce: info.nonce, box: info.box };
}

/** One peer of the recording, connected to our relay. */
class Replay {
  readonly #relay: Relay;
  readonly #received: Uint8Array[] = [];
  readonly #session: RelaySession | undefined;

  constructor(relay: Relay) {
    this.#relay = relay;
    this.#session = relay.accept({
      send: (pieces, sent) => {
        this.#received.push(...pieces.map((piece) => Uint8Array.from(piece)));
        sent();
      },
      pause: () => undefined,
      resume: () => undefined,
      end: () => this.#session?.closed(),
      destroy: () => this.#session?.closed(),
    });
  }

  get received(): Uint8Array {
    return joinBytes(this.#received);
  }

  send(bytes: Uint8Array): void {
    this.#session?.receive(bytes);
    endTurns(this.#relay);
  }

  close(): void {
    this.#session?.closed();
    endTurns(this.#relay);
  }
}

it.each(["relay", "relay-websocket"])("sends what the stock relay sent: %s", (name) => {
  const lines = readRecording(`command/${name}`);
  const ids = lines
    .filter(({ kind, path }) => kind === "upgrade" && path === "/derp")
    .map(({ id }) => id);
  expect(ids).toHaveLength(3);
  const greetings = ids.map((id) => greetingOf(bytesOf(lines, id, "s")));
  // The stock relay's keys are unknown, but its boxes and the contents of the clients' boxes are known.
  const infos = greetings.values();
  const nonces = greetings.values();
  const login = encodeClientInfo({ meshKey: "", canAckPings: true });
  const { relay } = openTestRelay({
    crypto: {
      ...sodiumCrypto,
      randomBytes: () => nonces.next().value?.nonce ?? new Uint8Array(24),
      openBox: (box) => (box.length === login.length + 16 ? login : undefined),
      sealBox: () => infos.next().value?.box ?? new Uint8Array(16),
    },
  });
  const replays = new Map<number, Replay>();
  for (const line of lines) {
    if (line.kind === "upgrade" && line.path === "/derp") {
      replays.set(line.id, new Replay(relay));
    }
    const replay = replays.get(line.id);
    if (replay === undefined) continue;
    const isData = line.kind === "raw" || (line.kind === "ws" && line.op === 2);
    if (isData && line.dir === "c") replay.send(parseHex(line.hex ?? ""));
    if (line.kind === "close") replay.close();
  }
  for (const [id, replay] of replays) {
    const [key, ...wanted] = framesOf(bytesOf(lines, id, "s"));
    const [ownKey, ...received] = framesOf(replay.received);
    expect(ownKey?.length).toBe(key?.length);
    // The stock relay keeps path messages in a separate queue, and sends from either.
    for (const isDisco of [true, false]) {
      const ofKind = (frames: readonly string[]): readonly string[] =>
        frames.filter((frame) => frame.startsWith("5453f09f92ac", 74) === isDisco);
      const [ours, theirs] = [ofKind(received), ofKind(wanted)];
      expect(ours.slice(0, theirs.length)).toEqual(theirs);
      // A command left while the last packet for it was in flight.
      expect(ours.length - theirs.length).toBeLessThanOrEqual(1);
    }
  }
});

function framesOf(bytes: Uint8Array): readonly string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Buffer.from(bytes.subarray(at + 1, at + 5)).readUInt32BE();
    const frame = parseDerpFrame(bytes, at, at + 5 + length);
    const again = frame && encodeHex(encodeDerpFrame(frame));
    expect(again).toBe(encodeHex(bytes.subarray(at, at + 5 + length)));
    frames.push(again ?? "");
    at += 5 + length;
  }
  return frames;
}
