import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxClientFrameBytes } from "@slipway/wire/derp/header";
import { encodeServerInfo, parseClientInfo } from "@slipway/wire/derp/login";
import type { ServerInfo } from "@slipway/wire/derp/login";

import { nobleCrypto } from "../../src/crypto/noble-crypto.ts";
import type { DerpNode } from "../../src/relay/derp-map.ts";
import type {
  RelayDialer,
  RelayReceiver,
  RelayStream,
  RelayTransport,
} from "../../src/relay/relay-stream.ts";

/** A relay controlled by the test, on in-memory streams. */
export class ScriptedRelay implements RelayDialer {
  readonly canUpgrade = true;
  readonly connections: ScriptedConnection[] = [];
  /** Every attempt, including failed ones. */
  readonly dialed: RelayTransport[] = [];
  /** The errors of the next attempts. */
  readonly failures: Error[] = [];

  get last(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("nobody connected");
    return connection;
  }

  async dial(_node: DerpNode, transport: RelayTransport): Promise<RelayStream> {
    this.dialed.push(transport);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const connection = new ScriptedConnection();
    this.connections.push(connection);
    return connection;
  }
}

/** One connection of a client. It reads everything until told to stop. */
export class ScriptedConnection implements RelayStream {
  /** The received frames, and the writes in which they arrived. */
  readonly frames: DerpFrame[] = [];
  writes = 0;
  state: "open" | "ended" | "destroyed" = "open";
  readonly #keys = nobleCrypto.createKeyPair();
  readonly #reader = new DerpFrameReader(maxClientFrameBytes);
  #receiver: RelayReceiver | undefined;
  #isReading = true;
  #unread: (() => void) | undefined;

  start(receiver: RelayReceiver): void {
    this.#receiver = receiver;
  }

  send(pieces: readonly Uint8Array[], sent: () => void): void {
    this.writes += 1;
    for (const piece of pieces) {
      this.#reader.read(Uint8Array.from(piece), (bytes, start, end) => {
        const frame = parseDerpFrame(bytes, start, end);
        if (frame !== undefined) this.frames.push(frame);
      });
    }
    if (this.#isReading) sent();
    else this.#unread = sent;
  }

  end(): void {
    this.state = "ended";
  }

  destroy(): void {
    if (this.state === "open") this.state = "destroyed";
  }

  stopReading(): void {
    this.#isReading = false;
  }

  startReading(): void {
    this.#isReading = true;
    const sent = this.#unread;
    this.#unread = undefined;
    sent?.();
  }

  say(frame: DerpFrame): void {
    this.sayBytes(encodeDerpFrame(frame));
  }

  sayBytes(bytes: Uint8Array): void {
    this.#receiver?.receive(Uint8Array.from(bytes));
  }

  hangUp(): void {
    this.#receiver?.closed(undefined);
  }

  greet(): void {
    this.say({ type: "server-key", key: this.#keys.publicKey });
  }

  /** Sends the greeting, waits for the login, and responds to it. */
  async accept(info: Partial<ServerInfo> = {}): Promise<void> {
    this.greet();
    // The client writes at the end of its turn.
    await Promise.resolve();
    this.answer(info);
    await Promise.resolve();
  }

  /** Responds to the received login. */
  answer({ bytesPerSecond, burstBytes }: Partial<ServerInfo> = {}): void {
    const nonce = nobleCrypto.randomBytes(24);
    const info = encodeServerInfo({ bytesPerSecond, burstBytes });
    this.say({
      type: "server-info",
      nonce,
      box: nobleCrypto.sealBox(this.#boxKey(), nonce, info),
    });
  }

  /** The contents of the received login. */
  login(): ReturnType<typeof parseClientInfo> {
    const { nonce, box } = this.#clientInfo();
    const json = nobleCrypto.openBox(this.#boxKey(), nonce, box);
    if (json === undefined) throw new Error("the box of the login does not open");
    return parseClientInfo(json);
  }

  all<T extends DerpFrame["type"]>(type: T): readonly Extract<DerpFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<DerpFrame, { type: T }> => {
      return frame.type === type;
    });
  }

  /** The texts of the received packets. */
  get packets(): readonly string[] {
    return this.all("send-packet").map(({ packet }) => Buffer.from(packet).toString());
  }

  #clientInfo(): Extract<DerpFrame, { type: "client-info" }> {
    const [first] = this.all("client-info");
    if (first === undefined) throw new Error("no login has arrived");
    return first;
  }

  #boxKey(): Uint8Array {
    const key = nobleCrypto.boxKey(this.#keys.privateKey, this.#clientInfo().key);
    if (key === undefined) throw new Error("the client's key is not usable");
    return key;
  }
}
