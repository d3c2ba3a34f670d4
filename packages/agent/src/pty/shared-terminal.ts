import type { Clock } from "@slipway/runtime";

import type { AcceptedConnection } from "../connections/accepted-connection.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { PseudoTerminal } from "../terminal/pseudo-terminal.ts";
import type { TerminalSize } from "../terminal/terminal-size.ts";
import type { TerminalInput, ViewerPlace } from "./messages.ts";
import { OutputHistory } from "./output-history.ts";
import { ResumableViewer, windowBytes } from "./resumable-viewer.ts";
import { PlainViewer, type Viewer } from "./viewer.ts";

/** The output that later viewers see first. */
const replayBytes = 64 * 1024;
/** The maximum output kept for resumable viewers: the output in flight, and the chunk that fills the window. */
const resumeBytes = windowBytes + 64 * 1024;
/** The maximum number of viewers of a terminal, including lost ones. */
const maxViewers = 64;
/** The time without a viewer after which a terminal ends: before the first viewer, and after the last. */
const firstViewerMs = 30_000;
const nextViewerMs = 5 * 60_000;

/**
 * A terminal that outlives its viewers and that several can share. All see its output; later ones first see the
 * latest 64 KiB. It runs as fast as its fastest viewer reads, or at full speed without viewers. While it is lost, a
 * resumable viewer counts as one that does not read.
 *
 *   running ──command ends──► ended ──no viewer can return for the rest──► over
 */
export class SharedTerminal {
  /** Resolves when the command has ended and its output was shown. */
  readonly ended: Promise<void>;
  /** Resolves when no viewer can return for the rest of the output either. */
  readonly over: Promise<void>;
  readonly pid: number;
  readonly #terminal: PseudoTerminal;
  readonly #clock: Clock;
  readonly #history = new OutputHistory(replayBytes);
  readonly #connections = new Map<AcceptedConnection, Viewer>();
  readonly #resumable = new Map<string, ResumableViewer>();
  readonly #closing = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #isEnded = false;
  #isOver = false;
  #waiting: AbortController | undefined;
  /** Resolves when a viewer may be ready. */
  #change = Promise.withResolvers<void>();

  /** Starts the command. Throws `ProcessError` "spawn-failed". */
  constructor(command: PreparedCommand, size: TerminalSize, clock: Clock) {
    this.#clock = clock;
    this.#terminal = new PseudoTerminal(command, size);
    this.pid = this.#terminal.pid;
    this.over = this.#over.promise;
    this.#waitForViewer(firstViewerMs);
    this.ended = this.#run();
  }

  /** Reports whether a viewer can resume here. */
  knows(viewerId: string): boolean {
    return this.#resumable.has(viewerId);
  }

  /** Hangs up the terminal, or drops the rest of its output. Idempotent. */
  close(): void {
    if (this.#isEnded) return this.#finish();
    this.#closing.abort();
    this.#wake();
    return this.#terminal.hangUp();
  }

  /**
   * Shows the terminal on a connection until the connection closes. Returns undefined if it is already closed, if
   * there are too many viewers, or if the terminal has ended.
   */
  attach(connection: AcceptedConnection, place: ViewerPlace | undefined): Viewer | undefined {
    // No event would report its end.
    if (connection.destroyed) return undefined;
    const viewer = this.#viewerOf(connection, place?.id);
    if (viewer === undefined) return undefined;
    this.#waiting?.abort();
    this.#connections.set(connection, viewer);
    connection.on("drain", () => this.#wake());
    connection.once("close", () => this.#leave(connection));
    const rest = place?.received === undefined ? undefined : this.#history.since(place.received);
    const output = rest ?? this.#history.newest(replayBytes);
    viewer.begin(connection, this.#history.end - output.length, output);
    // The position at which it resumes acknowledges output.
    this.#wake();
    if (this.#isEnded) viewer.end();
    return viewer;
  }

  resize(size: TerminalSize): void {
    this.#terminal.resize(size);
  }

  /**
   * Applies messages of a viewer; only the last size counts. Resolves when the terminal has taken the typed keys.
   * Rejects with `TerminalError` "malformed" after it has taken the keys before the fault.
   */
  async take(viewer: Viewer, inputs: readonly TerminalInput[]): Promise<void> {
    const { size } = inputs.findLast((input) => input.size !== undefined) ?? {};
    if (size !== undefined) this.resize(size);
    const typed: string[] = [];
    try {
      for (const input of inputs) if (this.#takeOne(viewer, input)) typed.push(input.data);
    } finally {
      if (typed.length > 0) {
        const data = Buffer.from(typed.join(""));
        await this.#terminal.write(data, this.#clock, this.#closing.signal);
      }
    }
  }

  /** Reports whether the input has keys for the terminal. */
  #takeOne(viewer: Viewer, input: TerminalInput): boolean {
    const { data, received, isBye } = input;
    if (received !== undefined) {
      viewer.receive(received);
      this.#wake();
    }
    if (isBye && viewer.id !== undefined) this.#forget(viewer.id);
    return data !== "" && viewer.accepts(input);
  }

  async #run(): Promise<void> {
    try {
      await this.#terminal.read((chunk, keep) => this.#show(chunk, keep), this.#clock);
    } finally {
      this.#isEnded = true;
      this.#closing.abort();
      for (const viewer of this.#connections.values()) viewer.end();
      if (this.#resumable.size === 0) this.#finish();
      else this.#waitForViewer(nextViewerMs);
    }
  }

  /** Shows output. Returns a promise if it must wait for the viewers. */
  #show(chunk: Buffer, keep: () => void): Promise<void> | undefined {
    this.#history.add(chunk);
    for (const viewer of this.#viewers()) if (viewer.show(chunk)) keep();
    return this.#goesOn() ? undefined : this.#untilItGoesOn();
  }

  async #untilItGoesOn(): Promise<void> {
    while (!this.#goesOn()) {
      this.#change = Promise.withResolvers();
      await this.#change.promise;
    }
  }

  /** True if a viewer is ready, or there is none to wait for. */
  #goesOn(): boolean {
    if (this.#closing.signal.aborted) return true;
    const viewers = this.#viewers();
    return viewers.size === 0 || viewers.values().some(({ isReady }) => isReady);
  }

  /** The connected viewers, and those that can resume. */
  #viewers(): ReadonlySet<Viewer> {
    return new Set([...this.#connections.values(), ...this.#resumable.values()]);
  }

  #viewerOf(connection: AcceptedConnection, id: string | undefined): Viewer | undefined {
    const known = id === undefined ? undefined : this.#resumable.get(id);
    if (known !== undefined) return known;
    if (this.#closing.signal.aborted || !this.#hasRoom()) return undefined;
    if (id === undefined) return new PlainViewer(connection);
    const viewer = new ResumableViewer(id);
    this.#history.grow(resumeBytes);
    this.#resumable.set(id, viewer);
    return viewer;
  }

  /** Drops the oldest lost viewer if there is no room otherwise. */
  #hasRoom(): boolean {
    if (this.#viewers().size < maxViewers) return true;
    const lost = this.#resumable.values().find(({ isLost }) => isLost);
    if (lost === undefined) return false;
    this.#forget(lost.id);
    return true;
  }

  #leave(connection: AcceptedConnection): void {
    this.#connections.delete(connection);
    for (const viewer of this.#resumable.values()) viewer.lose(connection);
    this.#wake();
    if (this.#connections.size === 0 && !this.#isOver) this.#waitForViewer(nextViewerMs);
  }

  #forget(viewerId: string): void {
    this.#resumable.delete(viewerId);
    this.#wake();
    if (this.#isEnded && this.#resumable.size === 0) this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    this.#resumable.clear();
    this.#waiting?.abort();
    this.#over.resolve();
  }

  #wake(): void {
    this.#change.resolve();
  }

  #waitForViewer(ms: number): void {
    this.#waiting?.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#clock.sleep(ms, waiting.signal).then(
      () => this.close(),
      () => undefined,
    );
  }
}
