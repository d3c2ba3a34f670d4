import type { Duplex } from "node:stream";

import type { Connection, Server, ServerChannel, ServerConfig, Session } from "ssh2";

import { loadLater } from "../../process/load-later.ts";
import type { GcmAlgorithm, GcmState } from "./gcm-direction.ts";
import { GcmOpener, type TakePayload } from "./gcm-opener.ts";
import { GcmSealer } from "./gcm-sealer.ts";
import {
  fieldOf,
  flagIn,
  libraryChanged,
  methodIn,
  objectIn,
  type PrivateField,
  setField,
} from "./private-fields.ts";

/*
 * The adapter to ssh2, whose version is pinned: the other folders use its documented types only (docs/decisions/ssh.md). Its
 * `Channel.write` mixes up stdout and stderr when both wait for the window of the client, does not wait for the socket, and
 * never ends for a client whose packets have no room. So output goes past it, by the window and the messages of the channel,
 * and so do the channels that ssh2 cannot open.
 */

export interface SshServer extends Pick<Server, "on"> {
  injectSocket(socket: Duplex): void;
}

/** The client's side of a channel, with the room that it grants us. */
export interface OutgoingSide {
  readonly id: number;
  readonly packetSize: number;
  readonly state: string;
  window: number;
}

/** The parts of a channel that its writer uses. */
export interface RawChannel {
  readonly outgoing: OutgoingSide;
  /** Sends a packet of output; of `extendedType` (RFC 4254, 5.2) if it is not stdout. */
  readonly send: (bytes: Uint8Array, extendedType: number | undefined) => void;
  /** Calls `listener` when the client gives more room. A later listener replaces it. */
  readonly onRoom: (listener: () => void) => void;
}

export type ChannelOpened = (error: Error | undefined, channel: ServerChannel) => void;

/** The room that ssh2 grants in each channel and in each packet. */
export const channelWindowBytes = 2 * 1024 * 1024;
export const channelPacketBytes = 32 * 1024;

/** Creates a server for one connection. Throws `SshError` "library-changed", and the error of the loader. */
export function createSshServer(config: ServerConfig): SshServer {
  const constructor = loadLater({ name: "ssh2/lib/server.js", fileBeside: "ssh2.cjs" });
  if (typeof constructor !== "function") throw libraryChanged("its server");
  const server: unknown = Reflect.construct(constructor, [config]);
  if (!isServer(server)) throw libraryChanged("injectSocket");
  return server;
}

export function rawChannelOf(channel: ServerChannel): RawChannel {
  const outgoing = fieldOf(channel, "outgoing");
  const protocol = objectIn(objectIn(channel, "_client"), "_protocol");
  const sendData = methodIn(protocol, "channelData");
  const sendExtended = methodIn(protocol, "channelExtData");
  flagIn(channel, "_waitWindow");
  if (!isOutgoing(outgoing)) throw libraryChanged("the window of a channel");
  return {
    outgoing,
    send: (bytes, extendedType) => {
      if (extendedType === undefined) sendData(outgoing.id, bytes);
      else sendExtended(outgoing.id, bytes, extendedType);
    },
    onRoom: (listener) => {
      setField(channel, "_chunkcb", listener);
      setField(channel, "_waitWindow", true);
    },
  };
}

/** Passes each message of the client to `look` before ssh2 handles it; an error that `look` throws ends the connection. */
export function onMessage(connection: Connection, look: (message: Uint8Array) => void): void {
  const protocol = objectIn(connection, "_protocol");
  const handle = methodIn(protocol, "_onPayload");
  setField(protocol, "_onPayload", (message: Uint8Array) => {
    look(message);
    return handle(message);
  });
}

/** Reports whether keys are being exchanged. Meanwhile, ssh2 keeps all output in memory. */
export function isExchangingKeys(connection: Connection): boolean {
  return fieldOf(objectIn(connection, "_protocol"), "_kexinit") !== undefined;
}

/** Closes a session whose client closed it before it started a program: ssh2 neither answers nor forgets it. */
export function closeUnstarted(connection: Connection, session: Session): void {
  if (fieldOf(session, "_channel") !== undefined) return;
  const info = objectIn(session, "_chanInfo");
  const close = methodIn(objectIn(connection, "_protocol"), "channelClose");
  const forget = methodIn(objectIn(connection, "_chanMgr"), "remove");
  close(Reflect.get(objectIn(info, "outgoing"), "id"));
  forget(Reflect.get(objectIn(info, "incoming"), "id"));
}

/** Joins the unread bytes of a channel into one piece, without granting its client more room. */
export function joinUnread(channel: ServerChannel): void {
  const isWaiting = flagIn(channel, "_waitChanDrain");
  setField(channel, "_waitChanDrain", false);
  const unread: unknown = channel.read();
  setField(channel, "_waitChanDrain", isWaiting);
  if (unread !== null) channel.unshift(unread);
}

/** Makes a session accept requests after the client has ended its input, such as signals, which ssh2 would drop. */
export function takeLateRequests(session: Session): void {
  flagIn(session, "_ending");
  session.on("eof", () => setField(session, "_ending", false));
}

/** Opens a channel to the client's authentication agent. */
export function openAgentChannel(connection: Connection, opened: ChannelOpened): void {
  const add = methodIn(objectIn(connection, "_chanMgr"), "add");
  const open = methodIn(objectIn(connection, "_protocol"), "openssh_authAgent");
  const callback: ChannelOpened & { type?: string } = (error, channel) => opened(error, channel);
  callback.type = "auth-agent@openssh.com";
  open(add(callback), channelWindowBytes, channelPacketBytes);
}

/**
 * Replaces the ciphers that are offered to a client. Call it before the connection is announced, or immediately after
 * that.
 */
export function offerCiphers(connection: Connection, ciphers: readonly string[]): void {
  const protocol = objectIn(connection, "_protocol");
  const offer = objectIn(protocol, "_offer");
  const lists = objectIn(offer, "lists");
  const directions = ["cs", "sc"].map((name): [string, object] => {
    const direction: unknown = Reflect.get(lists, name);
    const others = ["mac", "compress", "lang"].map((list) => [list, algorithms(direction, list)]);
    return [name, { ...Object.fromEntries(others), cipher: ciphers }];
  });
  const shared = ["kex", "serverHostKey"].map((list) => [list, algorithms(lists, list)]);
  const wanted = { ...Object.fromEntries(shared), ...Object.fromEntries(directions) };
  setField(protocol, "_offer", Reflect.construct(offer.constructor, [wanted]));
}

/**
 * Seals and opens packets by our own AES-GCM after each exchange of keys: that of ssh2 allocates and writes each packet in
 * parts, and looks up its key as bytes. Other ciphers, and those of ssh2's addon, stay as they are.
 */
export function replaceGcm(connection: Connection): void {
  const protocol = objectIn(connection, "_protocol");
  connection.on("handshake", () => {
    const cipher = objectIn(protocol, "_cipher");
    const sealing = gcmState(cipher, ["_encSSLName", "_encKey", "_encIV", "outSeqno"]);
    if (sealing !== undefined) {
      const write = methodIn(cipher, "_onWrite");
      setField(protocol, "_cipher", new GcmSealer(sealing, (bytes) => void write(bytes)));
    }
    const decipher = objectIn(protocol, "_decipher");
    const names = ["_decipherSSLName", "_decipherKey", "_decipherIV", "inSeqno"] as const;
    const opening = gcmState(decipher, names);
    if (opening !== undefined) {
      const opener = new GcmOpener(opening, takerOf(decipher));
      // While keys are exchanged, ssh2 replaces the handler of payloads by setting this field.
      const set = (value: unknown): void => {
        opener.takePayload = takerOf({ _onPayload: value });
      };
      Object.defineProperty(opener, "_onPayload" satisfies PrivateField, { set });
      setField(protocol, "_decipher", opener);
    }
  });
}

function takerOf(decipher: object): TakePayload {
  const take = methodIn(decipher, "_onPayload");
  return (payload) => {
    const next = take(payload);
    return typeof next === "number" || next === false ? next : undefined;
  };
}

type GcmFields = readonly [
  algorithm: PrivateField,
  key: PrivateField,
  nonce: PrivateField,
  sequence: PrivateField,
];

function gcmState(owner: object, fields: GcmFields): GcmState | undefined {
  const [algorithm, key, nonce, sequence] = fields.map((name) => fieldOf(owner, name));
  return isGcm(algorithm) &&
    key instanceof Uint8Array &&
    nonce instanceof Uint8Array &&
    typeof sequence === "number"
    ? { algorithm, key, nonce, sequence }
    : undefined;
}

function isGcm(value: unknown): value is GcmAlgorithm {
  return value === "aes-128-gcm" || value === "aes-256-gcm";
}

function isServer(value: unknown): value is SshServer {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "injectSocket") === "function"
  );
}

function isOutgoing(value: unknown): value is OutgoingSide {
  if (typeof value !== "object" || value === null) return false;
  return ["id", "packetSize", "window"].every(
    (name) => typeof Reflect.get(value, name) === "number",
  );
}

/** Returns a list of an offer. */
function algorithms(lists: unknown, name: string): readonly unknown[] {
  const list: unknown = Reflect.get(Object(lists), name);
  const found: unknown = Reflect.get(Object(list), "array");
  if (!Array.isArray(found)) throw libraryChanged(name);
  return found;
}
