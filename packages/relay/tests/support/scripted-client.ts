import { encodeHex } from "@slipway/wire/bytes/hex";
import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxServerFrameBytes } from "@slipway/wire/derp/header";
import { encodeClientInfo } from "@slipway/wire/derp/login";

import type { KeyPair } from "../../src/crypto.ts";
import { sodiumCrypto } from "../../src/crypto.ts";
import { deriveLinkSecrets, encodeMeshLogin, type LinkEnds } from "../../src/mesh-login.ts";
import type { AcceptOptions, Relay } from "../../src/relay.ts";
import { SealedLink } from "../../src/sealed-link.ts";
import type { RelaySession, RelayTransport } from "../../src/transport.ts";
import { endTurns } from "./test-relay.ts";

interface ClientOptions {
  readonly keys?: KeyPair;
  readonly meshKey?: string;
  /** Facts about the connection, provided by its owner. */
  readonly accepted?: AcceptOptions;
}

/** A client controlled by the test, on an in-memory transport. It reads everything until told to stop. */
export class ScriptedClient {
  readonly keys: KeyPair;
  /** The received frames, including keep-alives. */
  readonly frames: DerpFrame[] = [];
  /** The received bytes, and the most bytes that the relay handed over without an acknowledgment. */
  receivedBytes = 0;
  isOpen = true;
  isPaused = false;
  readonly #relay: Relay;
  readonly #meshKey: string;
  #link: SealedLink | undefined;
  readonly #reader = new DerpFrameReader(maxServerFrameBytes);
  readonly #session: RelaySession | undefined;
  #isReading = true;
  #unread: (() => void) | undefined;

  constructor(
    relay: Relay,
    { keys = sodiumCrypto.createKeyPair(), meshKey = "", accepted = {} }: ClientOptions = {},
  ) {
    this.keys = keys;
    this.#relay = relay;
    this.#meshKey = meshKey;
    this.#session = relay.accept(this.#transport(), accepted);
    endTurns(relay);
  }

  get key(): string {
    return encodeHex(this.keys.publicKey);
  }

  /** The key of this connection's relay. */
  get relayKey(): Uint8Array {
    const [first] = this.frames;
    if (first?.type !== "server-key") throw new Error("the relay did not send its key");
    return first.key;
  }

  /** The received packets, as the source's key and the text. */
  get packets(): readonly (readonly [string, string])[] {
    return this.frames.flatMap((frame) =>
      frame.type === "recv-packet"
        ? [[encodeHex(frame.source), Buffer.from(frame.packet).toString()] as const]
        : [],
    );
  }

  /** The received frames of one type. */
  all<T extends DerpFrame["type"]>(type: T): readonly Extract<DerpFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<DerpFrame, { type: T }> => {
      return frame.type === type;
    });
  }

  login(): this {
    const { relayKey } = this;
    this.sendBytes(this.loginBytes());
    if (this.#meshKey === "") return this;
    const { privateKey } = this.keys;
    const secret = sodiumCrypto.sharedSecret({ publicKey: relayKey, privateKey });
    if (secret === undefined) throw new Error("the relay's key is not usable");
    const { toServer, toClient } = deriveLinkSecrets(
      this.#meshKey,
      secret,
      this.linkEnds(relayKey),
    );
    const keys = { send: toServer, receive: toClient };
    this.#link = new SealedLink(sodiumCrypto, keys, maxServerFrameBytes);
    return this;
  }

  /** The ends of its link, if it logs in as a relay. */
  linkEnds(serverKey: Uint8Array): LinkEnds {
    const { id: serverId } = this.#relay;
    return { clientId: "scripted", serverId, clientKey: this.keys.publicKey, serverKey };
  }

  loginBytes(relayKey: Uint8Array = this.relayKey): Uint8Array {
    const nonce = sodiumCrypto.randomBytes(24);
    const { publicKey: key, privateKey } = this.keys;
    const meshKey =
      this.#meshKey === "" ? "" : encodeMeshLogin(this.#meshKey, this.linkEnds(relayKey));
    const info = encodeClientInfo({ meshKey, canAckPings: true });
    const box = sodiumCrypto.sealBox(info, { nonce, publicKey: relayKey, privateKey });
    return encodeDerpFrame({ type: "client-info", key, nonce, box });
  }

  /** Sends a frame, sealed if it is a relay. */
  send(frame: DerpFrame): void {
    const bytes = encodeDerpFrame(frame);
    for (const piece of this.#link?.seal([bytes]) ?? [bytes]) this.sendBytes(piece);
  }

  sendPacket(to: ScriptedClient | Uint8Array, packet: string | Uint8Array): void {
    const destination = to instanceof ScriptedClient ? to.keys.publicKey : to;
    this.send({ type: "send-packet", destination, packet: Buffer.from(packet) });
  }

  sendBytes(bytes: Uint8Array): void {
    // The session keeps and modifies its input.
    this.#session?.receive(Uint8Array.from(bytes));
    endTurns(this.#relay);
  }

  /** Leaves all further data from the relay unread. */
  stopReading(): void {
    this.#isReading = false;
  }

  startReading(): void {
    this.#isReading = true;
    const sent = this.#unread;
    this.#unread = undefined;
    sent?.();
    endTurns(this.#relay);
  }

  disconnect(): void {
    this.isOpen = false;
    this.#session?.closed();
    endTurns(this.#relay);
  }

  #transport(): RelayTransport {
    const close = (): void => {
      this.isOpen = false;
      this.#session?.closed();
    };
    return {
      send: (pieces, sent) => {
        for (const piece of pieces) this.#receive(piece);
        if (this.#isReading) sent();
        else this.#unread = sent;
      },
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
      },
      end: close,
      destroy: close,
    };
  }

  #receive(piece: Uint8Array): void {
    this.receivedBytes += piece.length;
    this.#reader.read(Uint8Array.from(piece), (bytes, start, end) => {
      const frame = parseDerpFrame(bytes, start, end);
      if (frame !== undefined) this.frames.push(frame);
    });
  }
}
