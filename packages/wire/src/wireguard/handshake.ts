import type { KeyPair } from "./crypto.ts";
import type { LocalIdentity, RemoteIdentity } from "./identity.ts";
import {
  encodeHandshakeResponse,
  encodeInitiation,
  type HandshakeResponse,
  type Initiation,
} from "./message.ts";
import { NoiseState } from "./noise-state.ts";

/*
 *  initiator                              responder
 *  startHandshake  --- initiation --->    openInitiation, readTimestamp
 *  finish          <--- response ----     respond
 *  a session                              a session, to be confirmed by the first message in it
 */

/** The keys of a session, as seen from one side. */
export interface SessionKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** No peer shares a key beforehand (docs/protocol/tailnet.md §5). */
const presharedKey = new Uint8Array(32);
const nothing = new Uint8Array(0);

export interface HandshakeStart {
  /** The index to which the response must be sent. */
  readonly sender: number;
  readonly ephemeral: KeyPair;
  readonly timestamp: Uint8Array;
}

/** An initiation that waits for its response. */
export class PendingHandshake {
  readonly sender: number;
  readonly #local: LocalIdentity;
  readonly #ephemeral: KeyPair;
  readonly #state: NoiseState;

  constructor(local: LocalIdentity, start: HandshakeStart, state: NoiseState) {
    this.sender = start.sender;
    this.#local = local;
    this.#ephemeral = start.ephemeral;
    this.#state = state;
  }

  /**
   * Returns the keys that a response establishes; undefined for a forgery, after which the genuine one is still
   * accepted.
   */
  finish({ ephemeral, encryptedEmpty }: HandshakeResponse): SessionKeys | undefined {
    const { crypto, keys } = this.#local;
    const first = crypto.dh(this.#ephemeral.privateKey, ephemeral);
    const second = crypto.dh(keys.privateKey, ephemeral);
    if (first === undefined || second === undefined) return undefined;
    const state = this.#state.copy();
    mixResponse(state, ephemeral, [first, second]);
    if (state.open(state.mixPresharedKey(presharedKey), encryptedEmpty) === undefined) {
      return undefined;
    }
    const [send, receive] = state.split();
    return { send, receive };
  }
}

/** Returns an initiation, without its MACs, and the state for its response; undefined if no shared secret results. */
export function startHandshake(
  local: LocalIdentity,
  remote: RemoteIdentity,
  start: HandshakeStart,
): { readonly message: Uint8Array; readonly pending: PendingHandshake } | undefined {
  const { sender, ephemeral, timestamp } = start;
  const secret = local.crypto.dh(ephemeral.privateKey, remote.publicKey);
  if (secret === undefined) return undefined;
  const state = NoiseState.start(local.crypto, remote.publicKey);
  state.mixKey(ephemeral.publicKey);
  state.mixHash(ephemeral.publicKey);
  const encryptedStatic = state.seal(state.mixKeyForMessage(secret), local.keys.publicKey);
  const timestampKey = state.mixKeyForMessage(remote.staticSecret);
  const encryptedTimestamp = state.seal(timestampKey, timestamp);
  const fields = { sender, ephemeral: ephemeral.publicKey, encryptedStatic, encryptedTimestamp };
  return {
    message: encodeInitiation(fields),
    pending: new PendingHandshake(local, start, state),
  };
}

/** An initiation whose sender is known, if the timestamp proves it. */
export class OpenedInitiation {
  /** The static key that the sender claims. */
  readonly remoteKey: Uint8Array;
  /** The index at which the sender wants the response. */
  readonly sender: number;
  readonly #local: LocalIdentity;
  readonly #initiation: Initiation;
  readonly #state: NoiseState;

  constructor(
    local: LocalIdentity,
    initiation: Initiation,
    opened: { readonly state: NoiseState; readonly remoteKey: Uint8Array },
  ) {
    this.remoteKey = opened.remoteKey;
    this.sender = initiation.sender;
    this.#local = local;
    this.#initiation = initiation;
    this.#state = opened.state;
  }

  /** Returns the timestamp, which proves that the sender has the static key; undefined for a forgery. */
  readTimestamp({ staticSecret }: RemoteIdentity): Uint8Array | undefined {
    const key = this.#state.mixKeyForMessage(staticSecret);
    return this.#state.open(key, this.#initiation.encryptedTimestamp);
  }

  /** Returns the response, without its MACs, and the keys of the session; call it once, after `readTimestamp`. */
  respond(
    sender: number,
    ephemeral: KeyPair,
  ): { readonly message: Uint8Array; readonly keys: SessionKeys } | undefined {
    const { crypto } = this.#local;
    const first = crypto.dh(ephemeral.privateKey, this.#initiation.ephemeral);
    const second = crypto.dh(ephemeral.privateKey, this.remoteKey);
    if (first === undefined || second === undefined) return undefined;
    const state = this.#state;
    mixResponse(state, ephemeral.publicKey, [first, second]);
    const encryptedEmpty = state.seal(state.mixPresharedKey(presharedKey), nothing);
    const [receive, send] = state.split();
    const receiver = this.#initiation.sender;
    const fields = { sender, receiver, ephemeral: ephemeral.publicKey, encryptedEmpty };
    return { message: encodeHandshakeResponse(fields), keys: { send, receive } };
  }
}

/** Decrypts the sender of an initiation; undefined for a forgery. */
export function openInitiation(
  local: LocalIdentity,
  initiation: Initiation,
): OpenedInitiation | undefined {
  const { crypto, keys } = local;
  const secret = crypto.dh(keys.privateKey, initiation.ephemeral);
  if (secret === undefined) return undefined;
  const state = NoiseState.start(crypto, keys.publicKey);
  state.mixKey(initiation.ephemeral);
  state.mixHash(initiation.ephemeral);
  const remoteKey = state.open(state.mixKeyForMessage(secret), initiation.encryptedStatic);
  if (remoteKey === undefined) return undefined;
  return new OpenedInitiation(local, initiation, { state, remoteKey });
}

function mixResponse(
  state: NoiseState,
  ephemeral: Uint8Array,
  secrets: readonly [Uint8Array, Uint8Array],
): void {
  state.mixHash(ephemeral);
  state.mixKey(ephemeral);
  state.mixKey(secrets[0]);
  state.mixKey(secrets[1]);
}
