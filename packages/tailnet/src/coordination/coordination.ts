import { abortable, type Clock, type Logger, Scope, Wake, withDeadline } from "@slipway/runtime";
import type { CoordinateResponse, DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { CoordinationError } from "./errors.ts";
import { coordinationLimits as limits, coordinationTimes as times } from "./limits.ts";
import type { PeerAction, PeerOutcome } from "./peer-action.ts";
import { type PeerEvent, PeerMap } from "./peer-map.ts";
import type { PeerNode } from "./peer-node.ts";
import type { PeerState } from "./peer-state.ts";
import { readUpdates } from "./peer-update.ts";
import { PendingRequests } from "./pending-requests.ts";
import { type SelfIdentity, SelfNode, type SelfPlace } from "./self-node.ts";
import type { CoordinationSession } from "./service.ts";

export interface CoordinationOptions {
  readonly self: SelfIdentity;
  /**
   * An agent accepts connections and tells its peers when it is ready; a client opens tunnels and gets a token by
   * which it resumes.
   */
  readonly role: "agent" | "client";
  readonly clock: Clock;
  readonly logger: Logger;
  /** Carries actions out on the tunnel and its paths, immediately and in order. */
  readonly apply: (actions: readonly PeerAction[]) => void;
  /** Resolves when a peer answers over the tunnel; rejects with the signal's reason. */
  readonly probe: (node: PeerNode, signal: AbortSignal) => Promise<unknown>;
  /** Receives the relays in each session, and whenever they change. */
  readonly onDerpMap: (map: DERPMap) => void;
}

/** The prefix of the one error that does not end the stream (docs/protocol/rpc.md §6.3). */
const readyErrorPrefix = "ready for handshake error";
/** The time for the coordinator to end the stream of a peer that leaves (docs/protocol/tailnet.md §2.3). */
const leaveMs = { agent: 5_000, client: 1_000 } as const;

/**
 * This side as a peer of the coordinator, over any number of sessions, one at a time. It publishes this side's node
 * and keeps the tunnel's peers as the coordinator reports them; they outlive sessions. Its opener closes it.
 */
export class Coordination implements AsyncDisposable {
  readonly #options: CoordinationOptions;
  readonly #self: SelfNode;
  readonly #peers: PeerMap;
  readonly #scope = new Scope();
  readonly #wake = new Wake();
  readonly #watchers = new Set<() => void>();
  #session: { readonly requests: PendingRequests; readonly ended: Promise<void> } | undefined;
  #isLeaving = false;

  constructor(options: CoordinationOptions) {
    this.#options = options;
    this.#self = new SelfNode(options.self);
    this.#peers = new PeerMap({
      ownNodeKey: options.self.nodeKey,
      saysReady: options.role === "agent",
    });
    this.#scope.run((signal) => this.#watchTimes(signal));
  }

  /** Rejects if `apply` or `onDerpMap` threw outside a session; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /** Returns a peer's state, for diagnostics. */
  stateOf(id: string): PeerState {
    return this.#peers.stateOf(id);
  }

  /** Records changes of where this side can be reached, and publishes them if they make a difference. */
  updateSelf(changes: Partial<SelfPlace>): void {
    if (!this.#self.change(changes)) return;
    const node = this.#self.at(this.#options.clock.now());
    if (node !== undefined) this.#session?.requests.publish(node);
  }

  /** Requests a tunnel to a peer, now and in each later session. Throws `CoordinationError` "too-many-peers". */
  addDestination(id: string): void {
    const outcomes = this.#receive({ type: "destination-added", id });
    if (outcomes.some(({ type }) => type === "drop")) {
      throw new CoordinationError("too-many-peers", `more than ${limits.maxPeers} peers`);
    }
    this.#session?.requests.addTunnel(id);
  }

  removeDestination(id: string): void {
    this.#receive({ type: "destination-removed", id });
    this.#session?.requests.removeTunnel(id);
  }

  /** Notes that the tunnel has just completed a handshake, which keeps a lost peer. */
  noteHandshake(nodeKey: Uint8Array): void {
    this.#receive({ type: "handshake", nodeKey });
  }

  /** Resolves to a peer's node once it is installed. */
  async installed(id: string, signal: AbortSignal): Promise<PeerNode> {
    for (;;) {
      const state = this.#peers.stateOf(id);
      if (state.type === "installed" || state.type === "lost") return state.node;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      try {
        await abortable(promise, AbortSignal.any([signal, this.#scope.signal]));
      } finally {
        this.#watchers.delete(resolve);
      }
    }
  }

  /**
   * Serves one session. Its streams share their fate: it rejects when one of them ends, with `CoordinationError` or the
   * error of the session, and with the signal's reason. It resolves when this side has left by `close`.
   */
  async serve(session: CoordinationSession, signal: AbortSignal): Promise<void> {
    if (this.#isLeaving) throw new CoordinationError("closed", "the peer has left");
    if (this.#session !== undefined) throw new CoordinationError("busy", "already serving");
    const requests = this.#firstRequests();
    const ended = Promise.withResolvers<void>();
    this.#session = { requests, ended: ended.promise };
    try {
      await this.#run(session, requests, signal);
    } finally {
      requests.finish();
      this.#session = undefined;
      this.#receive({ type: "stream-lost" });
      ended.resolve();
    }
  }

  /** Says goodbye to the coordinator, which notifies the peers; gives up after a while. Idempotent. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    const session = this.#session;
    session?.requests.leave();
    if (session !== undefined) {
      const { role, clock } = this.#options;
      await withDeadline(leaveMs[role], clock, (limit) => abortable(session.ended, limit)).catch(
        // The coordinator detects it by itself.
        () => undefined,
      );
    }
    await this.#scope.close(new CoordinationError("closed", "the peer has left"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Returns what to send first: the node, and the tunnels of earlier sessions. */
  #firstRequests(): PendingRequests {
    const requests = new PendingRequests();
    const node = this.#self.at(this.#options.clock.now());
    if (node !== undefined) requests.publish(node);
    for (const id of this.#peers.destinations) requests.addTunnel(id);
    return requests;
  }

  async #run(
    session: CoordinationSession,
    requests: PendingRequests,
    signal: AbortSignal,
  ): Promise<void> {
    const either = AbortSignal.any([signal, this.#scope.signal]);
    await using scope = new Scope(either);
    const left = Promise.withResolvers<void>();
    scope.run(async (ended) => {
      await this.#coordinate(session, requests, ended);
      left.resolve();
    });
    scope.run((ended) => this.#takeDerpMaps(session, ended));
    const gone = session.closed.then((reason): never => {
      throw new CoordinationError("session-ended", reason);
    });
    await abortable(Promise.race([left.promise, scope.failed, gone]), either);
  }

  /** Reads the coordinator's responses until this side has left. */
  async #coordinate(
    session: CoordinationSession,
    requests: PendingRequests,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const response of session.coordinate(requests, signal)) this.#take(response);
    if (this.#isLeaving) return;
    throw new CoordinationError("stream-ended", "the coordinator ended the stream");
  }

  async #takeDerpMaps(session: CoordinationSession, signal: AbortSignal): Promise<void> {
    for await (const map of session.derpMaps(signal)) this.#options.onDerpMap(map);
    if (this.#isLeaving) return;
    throw new CoordinationError("stream-ended", "the coordinator ended the relay stream");
  }

  #take(response: CoordinateResponse): void {
    const { logger } = this.#options;
    const { updates, dropped } = readUpdates(response);
    for (const { id, reason } of dropped)
      logger.warn({ peer: id, reason }, "dropped update of a peer");
    for (const update of updates) this.#receive(update);
    const { error } = response;
    if (error === "") return;
    if (!error.startsWith(readyErrorPrefix))
      throw new CoordinationError("coordinator-error", error);
    logger.warn({ error }, "coordinator refused a handshake");
  }

  #receive(event: PeerEvent): readonly PeerOutcome[] {
    const outcomes = this.#peers.receive(event, this.#options.clock.monotonic());
    this.#carryOut(outcomes);
    this.#wake.wake();
    return outcomes;
  }

  #carryOut(outcomes: readonly PeerOutcome[]): void {
    const actions: PeerAction[] = [];
    const readyFor: string[] = [];
    for (const outcome of outcomes) {
      switch (outcome.type) {
        case "say-ready":
          readyFor.push(outcome.id);
          break;
        case "probe":
          this.#scope.run((signal) => this.#probe(outcome, signal));
          break;
        case "drop":
          this.#options.logger.warn(
            { peer: outcome.id, reason: outcome.reason },
            "dropped update of a peer",
          );
          break;
        case "install":
        case "reset":
        case "remove":
          actions.push(outcome);
      }
    }
    if (actions.length > 0) this.#options.apply(actions);
    // Peers begin as soon as they hear of it, so the tunnel must know them by then.
    for (const id of readyFor) this.#session?.requests.sayReady(id);
    if (actions.length > 0) for (const watcher of this.#watchers) watcher();
  }

  async #probe(
    { id, node }: { readonly id: string; readonly node: PeerNode },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger, probe } = this.#options;
    const answer = await withDeadline(times.probeMs, clock, (limit) =>
      probe(node, AbortSignal.any([signal, limit])),
    ).then(
      () => "answered" as const,
      () => "silent" as const,
    );
    if (signal.aborted) return;
    logger.debug({ peer: id, answer }, "probed a peer that is gone");
    this.#receive({ type: answer, id, node });
  }

  async #watchTimes(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const now = clock.monotonic();
      const wake = this.#peers.nextWake ?? Number.POSITIVE_INFINITY;
      if (wake <= now) this.#carryOut(this.#peers.tick(now));
      else await this.#wake.waitUntil(wake, now, clock, signal);
    }
  }
}
