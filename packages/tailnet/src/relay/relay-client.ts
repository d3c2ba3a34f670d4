import {
  Backoff,
  type Clock,
  defaultBackoff,
  type Logger,
  Scope,
  settlesWithin,
  TokenBucket,
  Wake,
} from "@slipway/runtime";
import type { ServerInfo } from "@slipway/wire/derp/login";

import type { DerpRegion } from "./derp-map.ts";
import { type DialedRegion, RegionDialer } from "./dial-region.ts";
import { RelayError, type RelayRung } from "./errors.ts";
import {
  connectTimeoutMs,
  drainTimeoutMs,
  maxBackoffMs,
  maxQueuedBytes,
  maxRestartWaitMs,
  maxTextLength,
  packetOverheadBytes,
  steadyAfterMs,
} from "./limits.ts";
import type { LoginCrypto, RelayIdentity } from "./login-crypto.ts";
import { encodeSentPackets } from "./packets.ts";
import type { TakePackets } from "./packets.ts";
import { RelaySession, type SessionOwner } from "./relay-session.ts";
import type { RelayDialer, RelayTransport } from "./relay-stream.ts";
import { SendQueue } from "./send-queue.ts";

/*
 *   connecting --login--> connected --end--> waiting --delay--> connecting …      any --close--> closed
 */
export type RelayConnection =
  | { readonly type: "connecting" }
  | { readonly type: "connected"; readonly transport: RelayTransport; readonly sinceMs: number }
  | { readonly type: "waiting" }
  | { readonly type: "closed" };

/** The failure of an attempt or of a connection; the time is wall-clock time. */
export interface RelayFailure {
  readonly rung: RelayRung;
  readonly message: string;
  readonly atMs: number;
}

/** The state of a region's connection, for diagnostics. Times are wall-clock times. */
export interface RelayStatus {
  readonly regionId: number;
  readonly isHome: boolean;
  readonly connection: RelayConnection;
  readonly lastFailure: RelayFailure | undefined;
  /** The reason for WebSockets, if an upgrade was refused. */
  readonly forcedWebSocket: string | undefined;
  /** The problem that the relay reports; empty if there is none. */
  readonly problem: string;
  /** The number of packets dropped before sending, because too many waited or the relay asked for fewer. */
  readonly droppedPackets: number;
}

export interface RelayClientOptions {
  readonly region: DerpRegion;
  readonly identity: RelayIdentity;
  readonly crypto: LoginCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: RelayDialer;
  readonly isHome: boolean;
  /** Uses WebSockets from the first attempt (docs/protocol/tailnet.md §3.4). */
  readonly forceWebSocket: boolean;
  readonly onPackets: TakePackets;
  readonly onPeerGone: (key: Uint8Array, reason: number) => void;
  /** Called when the status has changed, except for its counts. */
  readonly onStatus: () => void;
}

/**
 * A client of a region's relay: logs in, answers pings, and reconnects whenever the connection ends. Its opener
 * closes it.
 *
 * Packets of one turn leave in one write. If they cannot be sent they wait, and the oldest make room.
 */
export class RelayClient implements AsyncDisposable {
  readonly #options: RelayClientOptions;
  readonly #dialer: RegionDialer;
  readonly #queue = new SendQueue(maxQueuedBytes);
  readonly #scope = new Scope();
  /** Ends the delay before the next attempt. */
  readonly #retry = new Wake();
  /** Triggers a check of the session's deadline: each packet moves the deadline, but few need to wake anything. */
  readonly #deadline = new Wake();
  readonly #backoff = new Backoff({ ...defaultBackoff, maxMs: maxBackoffMs });
  #connection: RelayConnection = { type: "connecting" };
  #session: RelaySession | undefined;
  /** The rate that the relay requested at its last login. */
  #budget: TokenBucket | undefined;
  #throttled = 0;
  #isHome: boolean;
  #problem = "";
  #lastFailure: RelayFailure | undefined;
  /** The wait requested by a restarting relay. */
  #restartInMs: number | undefined;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#dialer = new RegionDialer(options.region, options);
    this.#isHome = options.isHome;
    this.#scope.run((signal) => this.#run(signal));
  }

  get isConnected(): boolean {
    return this.#connection.type === "connected";
  }

  /** Rejects if the client itself has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  get status(): RelayStatus {
    return {
      regionId: this.#options.region.regionId,
      isHome: this.#isHome,
      connection: this.#connection,
      lastFailure: this.#lastFailure,
      forcedWebSocket: this.#dialer.refusal,
      problem: this.#problem,
      droppedPackets: this.#queue.dropped + this.#throttled,
    };
  }

  /** Sends packets to a peer; they are copied. Packets larger than a relay carries are dropped. */
  send(peerKey: Uint8Array, packets: readonly Uint8Array[]): void {
    if (this.#connection.type === "closed") return;
    for (const frame of encodeSentPackets(peerKey, this.#keepToBudget(packets))) {
      this.#queue.push(frame);
    }
    this.#session?.flushSoon();
  }

  /** Tells the relay whether it is this client's home. */
  setHome(isHome: boolean): void {
    this.#isHome = isHome;
    this.#session?.setHome(isHome);
  }

  /**
   * Checks that the connection is still there, for example after a change of the network, and ends a wait
   * immediately.
   */
  check(): void {
    this.#session?.check();
    if (this.#connection.type !== "waiting") return;
    this.#backoff.reset();
    this.#retry.wake();
  }

  /** Sends what waits, for at most a second, and closes. Idempotent. */
  async close(): Promise<void> {
    const session = this.#session;
    const isOpen = this.isConnected;
    if (this.#connection.type !== "closed") this.#change({ type: "closed" });
    if (isOpen && session !== undefined) {
      await settlesWithin(session.drain(), drainTimeoutMs, this.#options.clock);
      session.end();
    }
    await this.#scope.close();
    this.#queue.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#connect(signal);
      if (signal.aborted || this.#connection.type === "closed") return;
      this.#change({ type: "waiting" });
      await this.#retry.wait(this.#delayMs(), this.#options.clock, signal);
      if (this.#connection.type === "waiting") this.#change({ type: "connecting" });
    }
  }

  /** Opens one connection, and returns when it has ended or could not be opened. */
  async #connect(signal: AbortSignal): Promise<void> {
    try {
      const loginByMs = this.#options.clock.monotonic() + connectTimeoutMs;
      const dialed = await this.#dialer.dial(signal);
      const error = await this.#serve(dialed, loginByMs, signal);
      this.#note(error);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RelayError)) throw error;
      this.#note(error);
    }
  }

  async #serve(
    { stream, transport }: DialedRegion,
    loginByMs: number,
    signal: AbortSignal,
  ): Promise<RelayError> {
    const { identity, crypto, clock } = this.#options;
    const ended = Promise.withResolvers<RelayError>();
    const owner = this.#ownerOf(transport, ended.resolve);
    const session = new RelaySession({
      stream,
      identity,
      crypto,
      clock,
      queue: this.#queue,
      isHome: this.#isHome,
      loginByMs,
      owner,
    });
    this.#session = session;
    const watch = new Scope(signal);
    try {
      stream.start(session);
      watch.run((stop) => this.#watch(session, stop));
      return await Promise.race([ended.promise, watch.failed]);
    } finally {
      await watch.close();
      session.destroy();
      this.#session = undefined;
      this.#budget = undefined;
    }
  }

  /** Ends a session that has missed its deadline, or whose client is closed. */
  async #watch(session: RelaySession, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    signal.addEventListener("abort", () => session.destroy(), { once: true });
    while (!signal.aborted) {
      const nowMs = clock.monotonic();
      session.tick(nowMs);
      await this.#deadline.waitUntil(session.deadlineMs, nowMs, clock, signal);
    }
  }

  #ownerOf(transport: RelayTransport, ended: (error: RelayError) => void): SessionOwner {
    const { clock, logger, onPackets, onPeerGone, onStatus } = this.#options;
    let openedAtMs: number | undefined;
    return {
      opened: (info) => {
        openedAtMs = clock.monotonic();
        this.#opened(info, transport);
      },
      packets: onPackets,
      peerGone: onPeerGone,
      health: (problem) => {
        this.#problem = problem.slice(0, maxTextLength);
        if (problem !== "") logger.warn({ problem: this.#problem }, "relay reports a problem");
        onStatus();
      },
      restarting: (reconnectInMs) => {
        this.#restartInMs = Math.min(reconnectInMs, maxRestartWaitMs);
      },
      hurried: () => {
        this.#deadline.wakeBefore(this.#session?.deadlineMs ?? Infinity);
      },
      ended: (error) => {
        const lastedMs = clock.monotonic() - (openedAtMs ?? Infinity);
        if (lastedMs >= steadyAfterMs) this.#backoff.reset();
        ended(error);
      },
    };
  }

  #opened({ bytesPerSecond, burstBytes }: ServerInfo, transport: RelayTransport): void {
    const { clock } = this.#options;
    if (bytesPerSecond !== undefined) {
      const burst = burstBytes ?? bytesPerSecond;
      this.#budget = new TokenBucket({ burst, perSecond: bytesPerSecond });
    }
    this.#problem = "";
    this.#deadline.wake();
    if (this.#connection.type === "closed") return;
    this.#change({ type: "connected", transport, sinceMs: clock.now() });
  }

  #keepToBudget(packets: readonly Uint8Array[]): readonly Uint8Array[] {
    const budget = this.#budget;
    if (budget === undefined) return packets;
    const nowMs = this.#options.clock.monotonic();
    const kept = packets.filter(({ length }) =>
      budget.tryTake(packetOverheadBytes + length, nowMs),
    );
    this.#throttled += packets.length - kept.length;
    return kept;
  }

  #delayMs(): number {
    const restartInMs = this.#restartInMs;
    this.#restartInMs = undefined;
    return restartInMs ?? this.#backoff.next();
  }

  #note(error: RelayError): void {
    if (this.#connection.type === "closed") return;
    const { clock, logger, region } = this.#options;
    const { rung, message } = error;
    this.#lastFailure = { rung, message: message.slice(0, maxTextLength), atMs: clock.now() };
    logger.debug({ regionId: region.regionId, rung, error: message }, "cannot reach the relay");
  }

  #change(connection: RelayConnection): void {
    this.#connection = connection;
    this.#options.onStatus();
  }
}
