import { randomUUID } from "node:crypto";

import { type Clock, errorText, type Logger, Scope, UnfinishedBytes } from "@slipway/runtime";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import { maxClientFrameBytes } from "@slipway/wire/derp/header";

import { ClientSession } from "./client-session.ts";
import { createCounters, type RelayCounters } from "./counters.ts";
import type { KeyPair, RelayCrypto } from "./crypto.ts";
import { Directory } from "./directory.ts";
import { defaultRelayLimits, type RelayLimits, unfinishedLimits } from "./limits.ts";
import { LinkSession } from "./link-session.ts";
import type { Login } from "./login.ts";
import { deriveLinkSecrets, isProven, readMeshLogin } from "./mesh-login.ts";
import { StrangerBudgets } from "./pace.ts";
import type { RelayParts } from "./parts.ts";
import { SealedLink } from "./sealed-link.ts";
import { type PublishedKeys, Strangers } from "./strangers.ts";
import type { RelayLink, RelaySession, RelayTransport } from "./transport.ts";
import { type Defer, Turns } from "./turns.ts";

export interface RelayOptions {
  readonly crypto: RelayCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The secret shared by the relays of one mesh (default: no mesh). */
  readonly meshKey?: string;
  readonly limits?: Partial<RelayLimits>;
  /**
   * The keys for which it carries packets (default: all). Clients with other keys get a small budget for a short
   * time, and are then closed.
   */
  readonly publishedKeys?: PublishedKeys;
  /**
   * Counts the bytes of incomplete frames together with the process's other unfinished messages, and cuts off those
   * that take too long (default: a separate count).
   */
  readonly unfinished?: UnfinishedBytes;
  readonly defer?: Defer;
}

/** Facts about a connection, provided by its owner. */
export interface AcceptOptions {
  /** The relay's keys for this connection (default: new ones). */
  readonly keys?: KeyPair;
  /** The client's address, or another property that strangers cannot choose freely (default: unknown). */
  readonly address?: string;
  /** True if the client is a peer, whatever its key (default: false). */
  readonly isPeer?: boolean;
}

/** The interval at which sessions are checked. */
const tickMs = 1_000;
/** The reconnect times sent to clients when the relay closes: they come back at a random time up to the first. */
const reconnectWithinMs = 2_000;
const tryForMs = 30_000;
/** The interval at which a closing relay checks whether everything was sent. */
const drainStepMs = 10;

/**
 * A DERP relay: carries packets between clients by their keys (docs/protocol/tailnet.md §4). It does not use sockets:
 * its owner passes each connection as a transport, calls the session that `accept` returns, and closes the relay.
 *
 * The relay has a new key pair for each connection, so that a recorded login is worthless on another one.
 */
export class Relay implements AsyncDisposable {
  /** Identifies this relay to those of its mesh, for as long as it lives. */
  readonly id: string = randomUUID();
  readonly #parts: RelayParts;
  readonly #directory: Directory<ClientSession>;
  readonly #strangers: Strangers | undefined;
  readonly #budgets = new StrangerBudgets();
  readonly #sessions = new Set<ClientSession>();
  readonly #links = new Set<LinkSession>();
  readonly #scope = new Scope();
  readonly #meshKey: string;
  #isDraining = false;

  constructor({
    crypto,
    clock,
    logger,
    meshKey = "",
    limits: given = {},
    publishedKeys: keys,
    unfinished = new UnfinishedBytes(unfinishedLimits),
    defer = setImmediate,
  }: RelayOptions) {
    const limits = { ...defaultRelayLimits, ...given };
    const counters = createCounters();
    const turns = new Turns(clock, defer);
    this.#parts = { crypto, clock, logger, limits, counters, turns, unfinished };
    this.#directory = new Directory({ counters, turns });
    if (keys !== undefined) {
      const strangers = new Strangers({ keys, limits, clock, logger });
      this.#strangers = strangers;
      this.#scope.run((signal) => strangers.run(signal));
    }
    this.#meshKey = meshKey;
    this.#scope.run(async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(tickMs, signal);
        this.#tick();
      }
    });
    this.#scope.failed.catch((error: unknown) => {
      logger.error({ error: errorText(error) }, "the relay's timer failed");
    });
  }

  get isClosing(): boolean {
    return this.#isDraining;
  }

  get counters(): Readonly<RelayCounters> {
    return this.#parts.counters;
  }

  /** The number of connections not known to be those of peers or other relays. */
  get strangers(): number {
    return this.#strangers?.size ?? 0;
  }

  /** Creates the key pair of a connection, for an owner that must announce it before the connection is open. */
  createKeys(): KeyPair {
    return this.#parts.crypto.createKeyPair();
  }

  /**
   * Serves a client, or another relay that logs in as one; returns undefined and closes the transport if the relay is
   * closing.
   */
  accept(
    transport: RelayTransport,
    { keys = this.createKeys(), address = "", isPeer = false }: AcceptOptions = {},
  ): RelaySession | undefined {
    if (this.#isDraining) {
      transport.destroy();
      return undefined;
    }
    const owner = {
      directory: this.#directory,
      strangers: isPeer ? undefined : this.#strangers,
      budgets: this.#budgets,
      acceptLink: (login: Login) => this.#acceptLink(login, keys),
      ended: (session: ClientSession) => this.#sessions.delete(session),
      after: (ms: number, act: () => void) => this.#after(ms, act),
    };
    const session = new ClientSession(this.#parts, owner, { transport, keys, address });
    this.#sessions.add(session);
    owner.strangers?.add(session);
    return session;
  }

  /**
   * Logs in to another relay of the mesh, over a connection to it, and learns its keys; this relay's packets for them
   * go over the link until it closes. The owner then dials again. The other end must prove to be the relay with the
   * id `serverId`.
   */
  link(transport: RelayTransport, serverId: string): RelayLink {
    const owner = {
      meshKey: this.#meshKey,
      clientId: this.id,
      serverId,
      announce: this.#directory.announce.bind(this.#directory),
      withdraw: this.#directory.withdraw.bind(this.#directory),
      ended: (session: LinkSession) => this.#links.delete(session),
    };
    const session = new LinkSession(this.#parts, owner, transport);
    this.#links.add(session);
    return session;
  }

  /**
   * Tells all clients to reconnect, sends waiting frames for at most `drainMs`, and closes every connection.
   * Idempotent.
   */
  async close(drainMs = 1_000): Promise<void> {
    if (!this.#isDraining) {
      this.#isDraining = true;
      for (const session of this.#sessions) {
        const reconnectInMs = Math.floor(Math.random() * reconnectWithinMs);
        session.notify(encodeDerpFrame({ type: "restarting", reconnectInMs, tryForMs }));
      }
      this.#parts.turns.flushAll();
      await this.#drained(drainMs);
      for (const session of this.#sessions) session.end();
      for (const link of this.#links) link.close("shutdown");
    }
    await this.#scope.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #acceptLink(
    { key: clientKey, meshProof }: Login,
    keys: KeyPair,
  ): SealedLink | "own-relay" | undefined {
    const login = readMeshLogin(meshProof);
    if (login === undefined) return undefined;
    const { clientId, serverId } = login;
    const ends = { clientId, serverId, clientKey, serverKey: keys.publicKey };
    if (!isProven(login, this.#meshKey, ends)) return undefined;
    if (clientId === this.id) return "own-relay";
    // A login meant for another relay was passed on by someone in between.
    if (serverId !== this.id) return undefined;
    const { crypto } = this.#parts;
    const secret = crypto.sharedSecret({ publicKey: clientKey, privateKey: keys.privateKey });
    if (secret === undefined) return undefined;
    const { toServer, toClient } = deriveLinkSecrets(this.#meshKey, secret, ends);
    return new SealedLink(crypto, { send: toClient, receive: toServer }, maxClientFrameBytes);
  }

  async #drained(drainMs: number): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonic() + drainMs;
    const isDrained = (): boolean => [...this.#sessions].every((session) => session.isDrained);
    while (!isDrained() && clock.monotonic() < untilMs) {
      await clock.sleep(drainStepMs, this.#scope.signal);
    }
  }

  #tick(): void {
    const nowMs = this.#parts.clock.monotonic();
    this.#parts.unfinished.cutOffOverdue(nowMs);
    for (const session of this.#sessions) session.tick(nowMs);
    for (const link of this.#links) link.tick(nowMs);
  }

  #after(ms: number, act: () => void): void {
    this.#scope.run(async (signal) => {
      await this.#parts.clock.sleep(ms, signal);
      act();
    });
  }
}
