import { existsSync } from "node:fs";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

import type { CipherAlgorithm, Client, ClientChannel, ConnectConfig } from "ssh2";

import { currentCacheDirectory, runBundle } from "../../config/run-bundle.ts";

/* The parts of ssh2 in use; its version is pinned. */

/**
 * Ciphers that are fast without a compiled addon come first (RFC 5647); the connection is inside an encrypted network
 * anyway.
 */
const ciphers: Record<"prepend" | "append" | "remove", CipherAlgorithm[]> = {
  prepend: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
  append: [],
  // The bundle of the library is without it: its WebAssembly takes 4 ms to compile, at every start.
  remove: ["chacha20-poly1305@openssh.com"],
};

/**
 * The interval of probes to a silent server, and the number of them that may stay unanswered: the underlying
 * connection is given up earlier, so that a session outlasts an outage of the network.
 */
const keepaliveMs = 15_000;
const maxUnansweredKeepalives = 24;

export interface SshOptions {
  /** The name of the user to log in; ours and the stock server accept any. */
  readonly username: string;
  /** The socket of the authentication agent to forward; undefined for none. */
  readonly agent: string | undefined;
}

/**
 * The library as one file beside the command's bundle, which loads several times faster than its separate files. The
 * source tree has no such file.
 */
const fileBeside = fileURLToPath(new URL("./ssh2.cjs", import.meta.url));

/** Creates a client that is not connected yet; the library is loaded at its first use, or by `loadSsh`. */
export async function createSshClient(): Promise<Client> {
  const Constructor = await loadSsh();
  return new Constructor();
}

/** Loads the library. */
export async function loadSsh(): Promise<typeof Client> {
  loading ??= load();
  return loading;
}

let loading: Promise<typeof Client> | undefined;

async function load(): Promise<typeof Client> {
  if (!existsSync(fileBeside)) return (await import("ssh2")).Client;
  const cacheDirectory = currentCacheDirectory();
  const loaded = runBundle(fileBeside, { cacheDirectory, command: "ssh-library" });
  if (!isClient(loaded)) throw new TypeError(`${fileBeside} does not export a client`);
  return loaded;
}

function isClient(value: unknown): value is typeof Client {
  return typeof value === "function";
}

/** Returns the settings of a connection over `sock`, which the encrypted network has authenticated. */
export function connectConfig(sock: Duplex, { username, agent }: SshOptions): ConnectConfig {
  return {
    sock,
    username,
    authHandler: [{ type: "none", username }],
    hostVerifier: () => true,
    algorithms: { cipher: ciphers },
    // Agents forward sockets as OpenSSH's server does, under other names.
    strictVendor: false,
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: maxUnansweredKeepalives,
    ...(agent === undefined ? {} : { agent, agentForward: true }),
  };
}

/**
 * Lets a connecting client log in, and open channels, as soon as keys are agreed: it does not wait until the server accepts
 * the service and then the user. A server handles messages in their order (RFC 4253 §6), so that it knows the user by then.
 */
export function logInImmediately(client: Client): void {
  const protocol = property(client, "_protocol");
  const handlers = property(protocol, "_handlers");
  const onAccepted = property(handlers, "SERVICE_ACCEPT");
  if (typeof handlers !== "object" || handlers === null || typeof onAccepted !== "function") {
    throw new TypeError("ssh2 has no handler of accepted services");
  }
  const logIn = (): void => {
    Reflect.set(handlers, "SERVICE_ACCEPT", () => undefined);
    Reflect.apply(onAccepted, undefined, [protocol, "ssh-userauth"]);
  };
  // The library requests the service right after the event.
  client.once("handshake", () => queueMicrotask(logIn));
}

/** Sends a signal, such as `INT`. The library's own function sends none once stdin has ended. */
export function sendSignal(channel: ClientChannel, name: string): void {
  const outgoing: unknown = Reflect.get(channel, "outgoing");
  const client: unknown = Reflect.get(channel, "_client");
  const id = property(outgoing, "id");
  const state = property(outgoing, "state");
  const protocol = property(client, "_protocol");
  const signal = property(protocol, "signal");
  if (typeof id !== "number" || typeof signal !== "function") {
    throw new TypeError("ssh2 has no signals for a channel");
  }
  if (state === "open" || state === "eof") Reflect.apply(signal, protocol, [id, name]);
}

function property(owner: unknown, name: string): unknown {
  return typeof owner === "object" && owner !== null ? Reflect.get(owner, name) : undefined;
}
