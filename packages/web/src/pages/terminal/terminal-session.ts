import { webClock } from "@slipway/runtime";
import { type OpenTerminalLink, TerminalClient, type TerminalSize } from "@slipway/sdk/terminal";
import type { Terminal } from "@xterm/xterm";

import { client } from "../../api/client.ts";

/** The connection of a terminal, as its page shows it. */
export type SessionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "lost"; readonly reason: string; readonly wasConnected: boolean }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: unknown };

/** The program that a terminal runs (default: a shell), and where. */
export interface TerminalProgram {
  readonly command: string | undefined;
  readonly container: string | undefined;
  readonly containerUser: string | undefined;
}

interface SessionOptions {
  readonly agentId: string;
  readonly terminalId: string;
  readonly program: TerminalProgram;
  readonly openLink: OpenTerminalLink;
  readonly onState: (state: SessionState) => void;
}

/** A screen that is connected to a terminal of a workspace; the page that opens it closes it. */
export class TerminalSession {
  readonly #screen: Terminal;
  readonly #client: TerminalClient;
  readonly #onState: SessionOptions["onState"];
  readonly #closed = new AbortController();

  constructor(screen: Terminal, options: SessionOptions) {
    const { agentId, terminalId, program, openLink } = options;
    const { command, container, containerUser } = program;
    this.#screen = screen;
    this.#onState = options.onState;
    this.#client = new TerminalClient({
      client,
      agentId,
      terminalId,
      ...(command === undefined ? {} : { command }),
      ...(container === undefined ? {} : { container }),
      ...(containerUser === undefined ? {} : { containerUser }),
      openLink,
      size: sizeOf(screen),
      clock: webClock,
      signal: this.#closed.signal,
    });
    screen.onData((data) => this.#client.type(data));
    screen.onResize(() => this.#client.resize(sizeOf(screen)));
    void this.#run();
  }

  /** Types a text as the keyboard does. */
  type(text: string): void {
    this.#client.type(text);
  }

  /** Reconnects immediately. */
  reconnect(): void {
    this.#client.reconnect();
  }

  /** Leaves the terminal, which goes on for a while. */
  close(): void {
    this.#client.close();
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    let wasConnected = false;
    try {
      for await (const change of this.#client) {
        if (change.type === "output") await this.#write(change.bytes);
        else if (change.type === "connected") {
          wasConnected = true;
          this.#onState({ kind: "connected" });
        } else if (change.type === "skipped") this.#screen.reset();
        else if (change.type === "lost") {
          this.#onState({ kind: "lost", reason: change.reason, wasConnected });
        } else this.#onState({ kind: "ended" });
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#onState({ kind: "failed", error });
    }
  }

  /** Resolves when the screen has taken the bytes: output that comes faster waits in the workspace. */
  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#screen.write(bytes, resolve);
    });
  }
}

function sizeOf({ cols, rows }: Terminal): TerminalSize {
  return { columns: cols, rows };
}
