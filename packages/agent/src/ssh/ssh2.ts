import type { Duplex } from "node:stream";

import type { Connection, Server, ServerChannel, ServerConfig, Session } from "ssh2";

import { loadLater } from "../process/load-later.ts";
import { SshError } from "./errors.ts";
import type { GcmAlgorithm, GcmState } from "./gcm/gcm-direction.ts";
import { GcmOpener, type TakePayload } from "./gcm/gcm-opener.ts";
import { GcmSealer } from "./gcm/gcm-sealer.ts";

/*
 * All that we use of ssh2, whose version is pinned. Its `Channel.write` mixes up stdout and stderr when both wait for the
 * window of the client, does not wait for the socket, and never ends for a client whose packets have no room. So output
 * goes past it, by the window and the messages of the channel, and so do the channels that ssh2 cannot open.
 */

export interface SshServer extends Pick<Server, "on"> {
  injectSocket(socket: Duplex): void;
}

/** The client's side of a channel: the room that it gives us. */
export interface OutgoingSide {
  readonly id: number;
  readonly packetSize: number;
  readonly state: string;
  window: number;
}

/** A channel as its writer sees it. */
export interface ChannelInside {
  readonly outgoing: OutgoingSide;
  /** Sends a packet of output; of `extendedType` (RFC 4254, 5.2) if it is not stdout. */
  readonly send: (bytes: Uint8Array, extendedType: number | undefined) => void;
  /** Has `listener` called when the client gives more room; the last one counts. */
  readonly onRoom: (listener: () => void) => void;
}

export type ChannelOpened = (error: Error | undefined, channel: ServerChannel) => void;

/** The room that ssh2 gives in each channel, and in each packet. */
export const channelWindowBytes = 2 * 1024 * 1024;
export const channelPacketBytes = 32 * 1024;

/** Makes a server for one connection. Throws `SshError` "library-changed", and the error of the loader. */
export function createSshServer(config: ServerConfig): SshServer {
  const constructor = loadLater({ name: "ssh2/lib/server.js", fileBeside: "ssh2.cjs" });
  if (typeof constructor !== "function") throw changed("its server");
  const server: unknown = Reflect.construct(constructor, [config]);
  if (!isServer(server)) throw changed("injectSocket");
  return server;
}

export function insideOf(channel: ServerChannel): ChannelInside {
  const outgoing: unknown = Reflect.get(channel, "outgoing");
  const protocol = part(part(channel, "_client"), "_protocol");
  const sendData = method(protocol, "channelData");
  const sendExtended = method(protocol, "channelExtData");
  if (!isOutgoing(outgoing) || typeof Reflect.get(channel, "_waitWindow") !== "boolean") {
    throw changed("the window of a channel");
  }
  return {
    outgoing,
    send: (bytes, extendedType) => {
      if (extendedType === undefined) sendData(outgoing.id, bytes);
      else sendExtended(outgoing.id, bytes, extendedType);
    },
    onRoom: (listener) => {
      Reflect.set(channel, "_chunkcb", listener);
      Reflect.set(channel, "_waitWindow", true);
    },
  };
}

/** Has `look` see each message of the client before ssh2 handles it; an error that it throws ends the connection. */
export function onMessage(connection: Connection, look: (message: Uint8Array) => void): void {
  const protocol = part(connection, "_protocol");
  const handle = method(protocol, "_onPayload");
  Reflect.set(protocol, "_onPayload", (message: Uint8Array) => {
    look(message);
    return handle(message);
  });
}

/** Reports whether keys are being exchanged; until that is done, ssh2 keeps all that is to be sent in memory. */
export function isExchangingKeys(connection: Connection): boolean {
  return Reflect.get(part(connection, "_protocol"), "_kexinit") !== undefined;
}

/** Closes a session whose client has closed it before it started anything: ssh2 neither answers nor forgets it then. */
export function closeUnstarted(connection: Connection, session: Session): void {
  if (Reflect.get(session, "_channel") !== undefined) return;
  const info = part(session, "_chanInfo");
  const close = method(part(connection, "_protocol"), "channelClose");
  const forget = method(part(connection, "_chanMgr"), "remove");
  close(Reflect.get(part(info, "outgoing"), "id"));
  forget(Reflect.get(part(info, "incoming"), "id"));
}

/** Joins all that a channel holds unread to one piece, without giving its client more room. */
export function joinUnread(channel: ServerChannel): void {
  const isWaiting: unknown = Reflect.get(channel, "_waitChanDrain");
  if (typeof isWaiting !== "boolean") throw changed("the room of a channel");
  Reflect.set(channel, "_waitChanDrain", false);
  const unread: unknown = channel.read();
  Reflect.set(channel, "_waitChanDrain", isWaiting);
  if (unread !== null) channel.unshift(unread);
}

/** Replaces the ciphers that are offered to a client; before its connection is announced, or at once after that. */
export function offerCiphers(connection: Connection, ciphers: readonly string[]): void {
  const protocol = part(connection, "_protocol");
  const offer = part(protocol, "_offer");
  const lists = part(offer, "lists");
  const directions = ["cs", "sc"].map((name): [string, object] => {
    const direction = part(lists, name);
    const others = ["mac", "compress", "lang"].map((list) => [list, algorithms(direction, list)]);
    return [name, { ...Object.fromEntries(others), cipher: ciphers }];
  });
  const shared = ["kex", "serverHostKey"].map((list) => [list, algorithms(lists, list)]);
  const wanted = { ...Object.fromEntries(shared), ...Object.fromEntries(directions) };
  Reflect.set(protocol, "_offer", Reflect.construct(offer.constructor, [wanted]));
}

/**
 * Has our own AES-GCM seal and open packets after each exchange of keys: that of ssh2 allocates and writes each packet in
 * parts, and looks up its key as bytes. Other ciphers, and those of ssh2's addon, stay as they are.
 */
export function replaceGcm(connection: Connection): void {
  const protocol = part(connection, "_protocol");
  connection.on("handshake", () => {
    const cipher = part(protocol, "_cipher");
    const sealing = gcmState(cipher, ["_encSSLName", "_encKey", "_encIV", "outSeqno"]);
    if (sealing !== undefined) {
      const write = method(cipher, "_onWrite");
      Reflect.set(protocol, "_cipher", new GcmSealer(sealing, (bytes) => void write(bytes)));
    }
    const decipher = part(protocol, "_decipher");
    const names = ["_decipherSSLName", "_decipherKey", "_decipherIV", "inSeqno"] as const;
    const opening = gcmState(decipher, names);
    if (opening !== undefined) {
      const opener = new GcmOpener(opening, takerOf(decipher));
      // Where ssh2 has the payloads handled while keys are exchanged.
      const set = (value: unknown): void => {
        opener.takePayload = takerOf({ _onPayload: value });
      };
      Object.defineProperty(opener, "_onPayload", { set });
      Reflect.set(protocol, "_decipher", opener);
    }
  });
}

function takerOf(decipher: object): TakePayload {
  const take = method(decipher, "_onPayload");
  return (payload) => {
    const next = take(payload);
    return typeof next === "number" || next === false ? next : undefined;
  };
}

type GcmFields = readonly [algorithm: string, key: string, nonce: string, sequence: string];

function gcmState(owner: object, fields: GcmFields): GcmState | undefined {
  const [algorithm, key, nonce, sequence] = fields.map((name): unknown => Reflect.get(owner, name));
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

/** Has a session take requests after the client has ended its input, such as signals, which ssh2 drops then. */
export function takeLateRequests(session: Session): void {
  const isEnding: unknown = Reflect.get(session, "_ending");
  if (typeof isEnding !== "boolean") throw changed("the end of a session's input");
  session.on("eof", () => Reflect.set(session, "_ending", false));
}

/** Opens a channel to the client's authentication agent. */
export function openAgentChannel(connection: Connection, opened: ChannelOpened): void {
  const add = method(part(connection, "_chanMgr"), "add");
  const open = method(part(connection, "_protocol"), "openssh_authAgent");
  const callback: ChannelOpened & { type?: string } = (error, channel) => opened(error, channel);
  callback.type = "auth-agent@openssh.com";
  open(add(callback), channelWindowBytes, channelPacketBytes);
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

function part(owner: object, name: string): object {
  const found: unknown = Reflect.get(owner, name);
  if (typeof found !== "object" || found === null) throw changed(name);
  return found;
}

function algorithms(owner: object, name: string): readonly unknown[] {
  const found: unknown = Reflect.get(part(owner, name), "array");
  if (!Array.isArray(found)) throw changed(name);
  return found;
}

function method(owner: object, name: string): (...args: readonly unknown[]) => unknown {
  const found: unknown = Reflect.get(owner, name);
  if (typeof found !== "function") throw changed(name);
  return (...args) => Reflect.apply(found, owner, args);
}

function changed(name: string): SshError {
  return new SshError("library-changed", `ssh2 lacks ${name}`);
}
