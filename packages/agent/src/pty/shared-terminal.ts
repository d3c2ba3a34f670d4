import type { Clock } from "@slipway/runtime";

import type { AcceptedConnection } from "../connections/accepted-connection.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { PseudoTerminal } from "../terminal/pseudo-terminal.ts";
import type { TerminalSize } from "../terminal/terminal-size.ts";
import type { TerminalInput, ViewerPlace } from "./messages.ts";
import { OutputHistory } from "./output-history.ts";
import { ResumableViewer, windowBytes } from "./resumable-viewer.ts";
import { PlainViewer, type Viewer } from "./viewer.ts";

/** The output that those who come later are shown first. */
const replayBytes = 64 * 1024;
/** The most that is kept for viewers that may resume: what may be under way, and the chunk that fills it. */
const resumeBytes = windowBytes + 64 * 1024;
/** The viewers of one terminal at once, lost ones included. */
const maxViewers = 64;
/** The time without a viewer after which a terminal ends, before its first one and after its last. */
const firstViewerMs = 30_000;
const nextViewerMs = 5 * 60_000;

/**
 * A terminal that outlives its viewers, and that several may share. All see its output; who comes later first sees the
 * newest 64 KiB. It goes on as fast as its fastest viewer reads, or at full speed without one. A viewer that may resume
 * counts as one that does not read while it is lost.
 *
 *   running ──command ends──► ended ──nobody may come for the rest──► over
 */
export class SharedTerminal {
  /** Resolves when its command has ended and its output was shown. */
  readonly ended: Promise<void>;
  /** Resolves when nobody may come for the rest of its output either. */
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
  /** Resolves when a viewer may have become ready. */
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

  /** True if this viewer has been here and may go on. */
  knows(viewerId: string): boolean {
    return this.#resumable.has(viewerId);
  }

  /** Hangs the terminal up, or gives up the rest of its output. Idempotent. */
  close(): void {
    if (this.#isEnded) return this.#finish();
    this.#closing.abort();
    this.#wake();
    return this.#terminal.hangUp();
  }

  /**
   * Shows the terminal on a connection until that is closed; undefined if it is closed already, too many look at the
   * terminal, or that has ended.
   */
  attach(connection: AcceptedConnection, place: ViewerPlace | undefined): Viewer | undefined {
    // Nobody would say that it leaves.
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
    // It says by where it goes on what it has received.
    this.#wake();
    if (this.#isEnded) viewer.end();
    return viewer;
  }

  resize(size: TerminalSize): void {
    this.#terminal.resize(size);
  }

  /**
   * Carries out what a viewer says at once, of which the last size counts; resolves when the terminal has taken what was
   * typed. Rejects with `TerminalError` "malformed", once it has taken what came before.
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

  /** Returns whether what a viewer typed is for the terminal. */
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

  /** Shows output, and returns what has to be waited for, if anything. */
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

  /** True if a viewer takes more, or nobody has to be waited for. */
  #goesOn(): boolean {
    if (this.#closing.signal.aborted) return true;
    const viewers = this.#viewers();
    return viewers.size === 0 || viewers.values().some(({ isReady }) => isReady);
  }

  /** Those who are connected, and those who may come back. */
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

  /** Gives up the viewer that is there longest of those that are lost, if there is no room otherwise. */
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
