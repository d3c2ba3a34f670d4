import { getAgent } from "@slipway/api/agents/routes";
import { Backoff, type Clock, errorText, Wake } from "@slipway/runtime";
import type { TerminalEvent } from "@slipway/wire/services/terminal-frames";
import { TerminalFrames } from "@slipway/wire/services/terminal-frames";

import type { ApiClient } from "../http/client.ts";
import { isRetryable } from "../http/errors.ts";
import { InputQueue } from "./input-queue.ts";
import { randomId } from "./random-id.ts";
import { socketLinks } from "./socket-link.ts";
import type { OpenTerminalLink, TerminalLink } from "./terminal-link.ts";

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TerminalClientOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  /** The UUID of the terminal; a client that gives it again sees the same one (default: a new terminal). */
  readonly terminalId?: string;
  readonly size: TerminalSize;
  /** The command (default: a shell). */
  readonly command?: string;
  readonly container?: string;
  readonly containerUser?: string;
  /** Opens each connection (default: through the server). */
  readonly openLink?: OpenTerminalLink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Something that happens to a terminal. */
export type TerminalChange =
  | { readonly type: "connected" }
  /** Output of the terminal. The bytes may be kept. */
  | { readonly type: "output"; readonly bytes: Uint8Array }
  /**
   * Output was missed; the newest output follows, so the screen must be cleared first. `bytes` is the amount that was
   * missed, if the agent knows it.
   */
  | { readonly type: "skipped"; readonly bytes: number | undefined }
  /** The connection was lost or could not be made, and another one is tried. */
  | { readonly type: "lost"; readonly reason: string }
  /** The command has ended, or the agent no longer has the terminal; nothing follows. */
  | { readonly type: "ended"; readonly isKnown: boolean };

/** The number of bytes of output after which the agent is sent the position reached. */
const reportBytes = 64 * 1024;
/** The length of a connection after which the delays before the next one start over, in milliseconds. */
const stableMs = 5_000;

/**
 * A terminal in a workspace that survives lost connections and restarts of the server (docs/protocol/agent.md §7.1).
 * Iterate once to run it: output comes as fast as the iteration takes it, and the iteration ends with the terminal.
 * With our agent no output is lost or repeated, and nothing is typed twice; other agents show the newest output
 * again.
 */
export class TerminalClient implements AsyncIterable<TerminalChange> {
  /** The UUID of the terminal, for other clients. */
  readonly terminalId: string;
  readonly #options: TerminalClientOptions;
  readonly #viewerId = randomId();
  readonly #inputs = new InputQueue();
  readonly #left = new AbortController();
  readonly #retry = new Wake();
  #size: TerminalSize;
  #link: TerminalLink | undefined;
  /** The capability of the agent to resume, once known. */
  #agent: "unknown" | "resumes" | "plain" = "unknown";
  /** True if inputs may be sent on the current connection. */
  #mayType = false;
  /** The position up to which output has come, and the one that the agent knows of. */
  #received = 0;
  #reported = 0;

  constructor(options: TerminalClientOptions) {
    this.#options = options;
    this.#size = options.size;
    this.terminalId = options.terminalId ?? randomId();
  }

  /** Types a text, even while the connection is lost; returns false if too much is waiting already. */
  type(data: string): boolean {
    const input = this.#inputs.add(data);
    if (input === undefined) return false;
    if (this.#mayType) this.#sendInputs([input]);
    return true;
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#link?.send({ width: size.columns, height: size.rows });
  }

  /** Tries again immediately, such as when the browser reports that the network is back. */
  reconnect(): void {
    this.#link?.close("reconnecting");
    this.#retry.wake();
  }

  /** Leaves the terminal, which keeps running for a while; ends the iteration. Idempotent. */
  close(): void {
    this.#left.abort();
    this.#link?.send({ bye: true });
    this.#link?.close();
  }

  /**
   * Runs the terminal. Throws `ApiError` if the server refuses, `TerminalFrameError` if the agent's frames are
   * malformed, and the signal's reason.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalChange, void, undefined> {
    const { signal, clock } = this.#options;
    const isOver = AbortSignal.any([signal, this.#left.signal]);
    const backoff = new Backoff();
    // A silent connection would not notice the signal.
    const endLink = (): void => this.#link?.close();
    isOver.addEventListener("abort", endLink, { once: true });
    try {
      while (!isOver.aborted) {
        let connectedAtMs = Number.POSITIVE_INFINITY;
        try {
          const link = await this.#connect(isOver);
          connectedAtMs = clock.monotonic();
          yield { type: "connected" };
          for await (const change of this.#follow(link)) {
            yield change;
            if (change.type === "ended") return;
          }
          if (!isOver.aborted) yield { type: "lost", reason: link.end };
        } catch (error) {
          if (isOver.aborted) break;
          const reason = await this.#explain(error, isOver);
          if (!isOver.aborted) yield { type: "lost", reason };
        }
        if (clock.monotonic() - connectedAtMs >= stableMs) backoff.reset();
        await this.#retry.wait(backoff.next(), clock, isOver).catch(() => undefined);
      }
      signal.throwIfAborted();
    } finally {
      isOver.removeEventListener("abort", endLink);
      this.close();
    }
  }

  async #connect(signal: AbortSignal): Promise<TerminalLink> {
    const { command = "", container = "", containerUser = "" } = this.#options;
    const { openLink = socketLinks(this.#options) } = this.#options;
    const link = await openLink(
      {
        ID: this.terminalId,
        Height: this.#size.rows,
        Width: this.#size.columns,
        Command: command,
        Container: container,
        ContainerUser: containerUser,
        BackendType: "",
        Viewer: this.#viewerId,
        Received: this.#agent === "resumes" ? this.#received : undefined,
      },
      signal,
    );
    this.#link = link;
    // An agent that resumes first reports the input it has taken; another one may print nothing before input arrives.
    if (this.#agent === "plain") this.#inputs.dropSent();
    if (this.#agent === "plain" || this.#isFirst) this.#beginTyping();
    this.#isFirst = false;
    return link;
  }

  #isFirst = true;

  async *#follow(link: TerminalLink): AsyncGenerator<TerminalChange, void, undefined> {
    const frames = new TerminalFrames(this.#viewerId);
    try {
      for await (const bytes of link) {
        for (const event of frames.receive(bytes)) {
          if (frames.isPlain) yield* this.#takePlain(event);
          else yield* this.#take(event, link);
        }
      }
    } finally {
      this.#mayType = false;
      link.close();
    }
  }

  *#takePlain(event: TerminalEvent): Generator<TerminalChange, void, undefined> {
    if (!this.#mayType) this.#inputs.dropSent();
    this.#agent = "plain";
    if (!this.#mayType) this.#beginTyping();
    if (event.type === "output") yield event;
  }

  *#take(event: TerminalEvent, link: TerminalLink): Generator<TerminalChange, void, undefined> {
    switch (event.type) {
      case "attached": {
        const { position, taken } = event;
        this.#inputs.confirm(taken);
        if (this.#agent === "resumes" && position !== this.#received) {
          yield { type: "skipped", bytes: position - this.#received };
        }
        this.#agent = "resumes";
        this.#received = position;
        this.#reported = position;
        this.#beginTyping();
        return;
      }
      case "output":
        yield event;
        this.#received += event.bytes.length;
        if (this.#received - this.#reported < reportBytes) return;
        this.#reported = this.#received;
        link.send({ received: this.#received });
        return;
      case "taken":
        this.#inputs.confirm(event.taken);
        return;
      case "ended":
      case "unknown":
        link.send({ received: this.#received, bye: true });
        yield { type: "ended", isKnown: event.type === "ended" };
    }
  }

  #beginTyping(): void {
    if (this.#mayType) return;
    this.#mayType = true;
    this.#sendInputs(this.#inputs.waiting);
  }

  #sendInputs(inputs: readonly { readonly data: string; readonly number: number }[]): void {
    for (const input of inputs) {
      this.#inputs.noteSent(input.number);
      this.#link?.send(input);
    }
    // A terminal that never reports the input it has taken is assumed to have it.
    if (this.#agent === "plain") this.#inputs.dropSent();
  }

  /**
   * Returns the reason for which a connection could not be made, if another attempt may succeed. A WebSocket does not say why it
   * was refused; a plain route does.
   */
  async #explain(error: unknown, signal: AbortSignal): Promise<string> {
    if (!isRetryable(error)) throw error;
    const { client, agentId } = this.#options;
    try {
      const { status } = await client.call(getAgent, { params: { agent: agentId }, signal });
      return status === "connected"
        ? "the WebSocket was refused, perhaps by a proxy"
        : `the agent is ${status === "timeout" ? "not connected" : status}`;
    } catch (refusal) {
      if (!signal.aborted && !isRetryable(refusal)) throw refusal;
      return errorText(refusal);
    }
  }
}
