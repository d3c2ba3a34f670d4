import { systemClock } from "@slipway/runtime";
import { type RecordedLine, readRecording, recordedChunks } from "@slipway/testkit/recordings";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import type { DerpFrame } from "@slipway/wire/derp/frame";
import { parseDerpFrame } from "@slipway/wire/derp/frame";
import { encodeServerInfo } from "@slipway/wire/derp/login";
import { expect, it } from "vitest";

import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { encodeSentPackets } from "./packets.ts";
import { RelaySession } from "./relay-session.ts";
import { SendQueue } from "./send-queue.ts";

/*
 * Agents and commands at a stock relay: our client receives what that relay sent, in the recorded chunks, and sends what
 * the recorded peers sent. Skipped in a checkout without the recordings beside it: set SLIPWAY_SHARED.
 */

function chunksOf(
  records: readonly RecordedLine[],
  id: number,
  dir: "c" | "s",
): readonly Uint8Array[] {
  return recordedChunks(records, id)
    .filter(({ from }) => from === dir)
    .map(({ bytes }) => bytes);
}

function framesOf(chunks: readonly Uint8Array[]): readonly DerpFrame[] {
  const bytes = joinBytes(chunks);
  const frames: DerpFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + Buffer.from(bytes.subarray(at + 1, at + 5)).readUInt32BE();
    const frame = parseDerpFrame(bytes, at, end);
    if (frame !== undefined) frames.push(frame);
    at = end;
  }
  return frames;
}

/** The peer's end of one recorded connection, replaced by our client. */
class Replay {
  readonly received: string[] = [];
  readonly #sent: Uint8Array[] = [];
  readonly #queue = new SendQueue(Infinity);
  readonly #session: RelaySession;

  constructor(login: Extract<DerpFrame, { type: "client-info" }>, isHome: boolean) {
    this.#session = new RelaySession({
      stream: {
        start: () => undefined,
        send: (pieces, done) => {
          this.#sent.push(...pieces.map((piece) => Uint8Array.from(piece)));
          done();
        },
        end: () => undefined,
        destroy: () => undefined,
      },
      identity: { publicKey: login.key, privateKey: new Uint8Array(32) },
      // The stock peers' keys are unknown, but their boxes and the contents of the relay's boxes are known.
      crypto: {
        ...nobleCrypto,
        randomBytes: () => login.nonce,
        sealBox: () => login.box,
        openBox: () => encodeServerInfo({ bytesPerSecond: undefined, burstBytes: undefined }),
      },
      clock: systemClock,
      queue: this.#queue,
      isHome,
      loginByMs: Infinity,
      owner: {
        opened: () => undefined,
        packets: (source, packets) => {
          for (const packet of packets) this.received.push(encodeHex(source) + encodeHex(packet));
        },
        peerGone: () => undefined,
        health: () => undefined,
        restarting: () => undefined,
        hurried: () => undefined,
        ended: (error) => {
          throw error;
        },
      },
    });
  }

  receive(chunk: Uint8Array): void {
    this.#session.receive(chunk);
  }

  async send(destination: Uint8Array, packet: Uint8Array): Promise<void> {
    for (const frame of encodeSentPackets(destination, [packet])) this.#queue.push(frame);
    await this.#session.drain();
  }

  get sent(): string {
    return encodeHex(joinBytes(this.#sent));
  }
}

it.each(["relay", "relay-websocket"])("takes and sends what stock peers did: %s", async (name) => {
  const lines = readRecording(`command/${name}`);
  const ids = lines.flatMap(({ kind, path, id }) =>
    kind === "upgrade" && path === "/derp" ? [id] : [],
  );
  expect(ids).toHaveLength(3);
  for (const id of ids) {
    const theirs = framesOf(chunksOf(lines, id, "c"));
    const [login] = theirs;
    if (login?.type !== "client-info") throw new Error("no login");
    const replay = new Replay(
      login,
      theirs.some(({ type }) => type === "note-preferred"),
    );
    for (const chunk of chunksOf(lines, id, "s")) replay.receive(chunk);
    const packets = framesOf(chunksOf(lines, id, "s")).flatMap((frame) =>
      frame.type === "recv-packet" ? [encodeHex(frame.source) + encodeHex(frame.packet)] : [],
    );
    expect(replay.received).toEqual(packets);
    expect(packets.length).toBeGreaterThan(0);
    for (const frame of theirs) {
      if (frame.type === "send-packet") await replay.send(frame.destination, frame.packet);
    }
    expect(replay.sent).toBe(encodeHex(joinBytes(chunksOf(lines, id, "c"))));
  }
});
