import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";

/** The network's treatment of a connection. */
export interface LinkConditions {
  /** The delay of the next message, in milliseconds. */
  readonly delayMs: () => number;
  /** Reports whether a proxy in between holds the body back until it is complete. */
  readonly buffers: () => boolean;
}

/** One end of a connection. Its owner receives nothing after closing it. */
export interface LinkEnd<In, Out> {
  send(message: Out): void;
  receive(onMessage: (message: In) => void): void;
  /** A signal that aborts when this end knows that the connection is over. */
  readonly closed: AbortSignal;
  close(): void;
}

export type ClientEnd = LinkEnd<ServerMessage, ClientMessage>;
export type ServerEnd = LinkEnd<ClientMessage, ServerMessage>;

const giveUpMs = 60_000;

/** The state of a connection. `half-open`: nothing passes, neither messages nor the end. */
type LinkState = "up" | "half-open" | "over";

/** A connection between two processes: messages arrive in order, late, or not at all. */
export class Link {
  readonly client: ClientEnd;
  readonly server: ServerEnd;
  readonly lives: readonly [Life, Life];
  readonly #ends: readonly [End<ServerMessage, ClientMessage>, End<ClientMessage, ServerMessage>];
  #state: LinkState = "up";

  constructor(client: Life, server: Life, scheduler: Scheduler, conditions: LinkConditions) {
    const isUp = (): boolean => this.#state === "up";
    const path = { scheduler, conditions, isUp };
    const toClient = new Direction<ServerMessage>(client, path, conditions.buffers());
    const toServer = new Direction<ClientMessage>(server, path, false);
    const clientEnd = new End(toServer, toClient);
    const serverEnd = new End(toClient, toServer);
    this.client = clientEnd;
    this.server = serverEnd;
    this.#ends = [clientEnd, serverEnd];
    this.lives = [client, server];
    const endings = this.lives.map((life) => life.onEnd(() => this.cut()));
    const settle = (): void => {
      if (!this.isOver) return;
      for (const ending of endings) ending[Symbol.dispose]();
    };
    for (const { closed } of this.#ends) closed.addEventListener("abort", settle, { once: true });
  }

  get isOver(): boolean {
    return this.#ends.every(({ closed }) => closed.aborted);
  }

  /** Cuts the connection: both ends are notified with separate delays; messages in transit are lost. */
  cut(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    for (const end of this.#ends) end.breakOff();
  }

  /**
   * Breaks the connection silently: neither end is notified, except the server after a while, when its kernel gives
   * up on unacknowledged data.
   */
  halfOpen(): void {
    if (this.#state !== "up") return;
    this.#state = "half-open";
    this.lives[1].after(giveUpMs, () => this.#ends[1].breakOff());
  }
}

class End<In, Out> implements LinkEnd<In, Out> {
  readonly #out: Direction<Out>;
  readonly #in: Direction<In>;
  readonly #closed = new AbortController();

  constructor(out: Direction<Out>, incoming: Direction<In>) {
    this.#out = out;
    this.#in = incoming;
    incoming.onEnd = () => this.#closed.abort(new Error("connection lost"));
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  send(message: Out): void {
    if (!this.#closed.signal.aborted) this.#out.send(message);
  }

  receive(onMessage: (message: In) => void): void {
    this.#in.onMessage = (message) => {
      if (!this.#closed.signal.aborted) onMessage(message);
    };
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error("closed"));
    this.#out.end();
  }

  breakOff(): void {
    this.#in.breakOff();
  }
}

interface Path {
  readonly scheduler: Scheduler;
  readonly conditions: LinkConditions;
  readonly isUp: () => boolean;
}

/** The messages in one direction. */
class Direction<T> {
  onMessage: (message: T) => void = () => undefined;
  onEnd: () => void = () => undefined;
  readonly #receiver: Life;
  readonly #path: Path;
  /** The messages that a proxy holds back; undefined without a proxy. */
  readonly #kept: T[] | undefined;
  #lastAtMs = 0;

  constructor(receiver: Life, path: Path, buffers: boolean) {
    this.#receiver = receiver;
    this.#path = path;
    this.#kept = buffers ? [] : undefined;
  }

  send(message: T): void {
    if (this.#kept === undefined) this.#deliver(() => this.onMessage(message));
    else this.#kept.push(message);
  }

  /** Ends after everything that was sent. */
  end(): void {
    for (const message of this.#kept ?? []) this.#deliver(() => this.onMessage(message));
    this.#deliver(() => this.onEnd());
  }

  /** Drops the messages in transit. */
  breakOff(): void {
    this.#receiver.after(this.#path.conditions.delayMs(), () => this.onEnd());
  }

  #deliver(arrive: () => void): void {
    const { scheduler, conditions, isUp } = this.#path;
    const { nowMs } = scheduler;
    // Preserves order: no message overtakes an earlier one.
    this.#lastAtMs = Math.max(nowMs + conditions.delayMs(), this.#lastAtMs + 0.001);
    this.#receiver.after(this.#lastAtMs - nowMs, () => {
      if (isUp()) arrive();
    });
  }
}
