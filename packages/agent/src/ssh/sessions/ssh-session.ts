import { errorText } from "@slipway/runtime";
import type { ServerChannel, Session } from "ssh2";

import type { SessionEnd } from "../../connections/session-log.ts";
import {
  defaultTerminalSize,
  type TerminalSize,
  terminalSize,
} from "../../terminal/terminal-size.ts";
import { ChannelWriter } from "../channel-output.ts";
import { takeLateRequests } from "../ssh2/ssh2.ts";
import { readX11Request } from "../x11/x11-display.ts";
import { type ProgramRequest, runRequest } from "./run-request.ts";
import { exitStatus, type SessionChannel } from "./session-channel.ts";
import type { SessionConnection, SshHost } from "./session-needs.ts";
import { SessionSetup } from "./session-setup.ts";
import { signalNamed } from "./signals.ts";

/** The maximum number of signals kept for a command that is about to start (docs/protocol/agent.md §6.2). */
const maxEarlySignals = 128;

/** The two answers to a request; absent if the client wants none. */
type Answers = readonly [accept: (() => void) | undefined, reject: (() => void) | undefined];

/** A session of a connection: collects the client's requests, and runs its program (docs/protocol/agent.md §6.2). */
export class SshSession {
  readonly #connection: SessionConnection;
  readonly #host: SshHost;
  readonly #setup = new SessionSetup();
  readonly #left = new AbortController();
  readonly #earlySignals: NodeJS.Signals[] = [];
  #onSignal: ((signal: NodeJS.Signals) => void) | undefined;
  #onResize: ((size: TerminalSize) => void) | undefined;
  #isStarted = false;
  #isResizing = false;
  #ended = Promise.resolve();

  constructor(connection: SessionConnection, host: SshHost) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Resolves when the program has ended and the channel is closed; immediately if none was started. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Answers the client's requests until it closes the channel. */
  serve(session: Session): void {
    takeLateRequests(session);
    session.on("env", (accept, reject, { key, val }) =>
      answer([accept, reject], !this.#isStarted && this.#setup.addVariable(key, val)),
    );
    session.on("pty", (accept, reject, { cols, rows, modes, term }) => {
      const size = terminalSize(cols, rows) ?? defaultTerminalSize;
      const settings = new Map(Object.entries(modes).map(([name, value]) => [name, Number(value)]));
      const isAccepted =
        !this.#isStarted && this.#setup.setTerminal({ term, size, modes: settings });
      answer([accept, reject], isAccepted);
    });
    session.on("window-change", (accept, reject, { cols, rows }) =>
      answer([accept, reject], this.#resize(cols, rows)),
    );
    session.on("x11", (accept, reject, info) =>
      answer([accept, reject], !this.#isStarted && this.#setup.setX11(readX11Request(info))),
    );
    session.on("auth-agent", (accept, reject) => {
      this.#connection.forwardAgent();
      answer([accept, reject], true);
    });
    session.on("signal", (accept, reject, { name }) =>
      answer([accept, reject], this.#signal(signalNamed(name))),
    );
    session.on("shell", (accept, reject) =>
      this.#start({ kind: "command", text: "" }, accept, reject),
    );
    session.on("exec", (accept, reject, { command }) =>
      this.#start({ kind: "command", text: command }, accept, reject),
    );
    // Without a listener for `sftp`, ssh2 leaves that protocol to us.
    session.on("subsystem", (accept, reject, { name }) => {
      if (name === "sftp") this.#start({ kind: "sftp" }, accept, reject);
      else reject?.();
    });
    session.on("close", () => this.#left.abort());
  }

  #start(
    request: ProgramRequest,
    accept: (() => ServerChannel) | undefined,
    reject: () => void,
  ): void {
    if (this.#isStarted) {
      reject?.();
      return;
    }
    this.#isStarted = true;
    const channel = accept?.();
    if (channel !== undefined) this.#ended = this.#run(request, channel);
  }

  async #run(request: ProgramRequest, channel: ServerChannel): Promise<void> {
    const { sessions, logger } = this.#host;
    const { type } = this.#setup;
    // JetBrains editors are counted by their forwarded connections.
    const session =
      type === "jetbrains" ? undefined : sessions.open(type, this.#connection.remoteAddress);
    const ended = AbortSignal.any([this.#left.signal, this.#connection.ended]);
    this.#connection.watch(channel, ended);
    let end: SessionEnd | undefined;
    try {
      end = await runRequest(request, this.#channel(channel, ended), {
        setup: this.#setup,
        connection: this.#connection,
        host: this.#host,
      });
    } catch (error) {
      if (!ended.aborted) {
        logger.error({ error: errorText(error) }, "ssh session failed");
        end = { statusCode: exitStatus.failed, reason: errorText(error) };
      }
    }
    if (end !== undefined && !ended.aborted) channel.exit(end.statusCode);
    session?.close(end ?? { statusCode: 1, reason: "the client has gone" });
    channel.end();
    channel.close();
    // Discards input that still arrives.
    channel.resume();
  }

  #channel(channel: ServerChannel, ended: AbortSignal): SessionChannel {
    return {
      input: channel,
      writer: new ChannelWriter(channel, this.#connection.output, ended),
      ended,
      onSignal: (handler) => {
        this.#onSignal = handler;
        for (const signal of this.#earlySignals.splice(0)) handler(signal);
      },
      onResize: (handler) => {
        this.#onResize = handler;
      },
    };
  }

  #signal(signal: NodeJS.Signals): boolean {
    if (this.#onSignal !== undefined) this.#onSignal(signal);
    else if (this.#earlySignals.length < maxEarlySignals) this.#earlySignals.push(signal);
    else return false;
    return true;
  }

  /** Applies the last of several sizes that arrive together: each would interrupt the command. */
  #resize(columns: number, rows: number): boolean {
    if (!this.#setup.resize(columns, rows)) return false;
    if (this.#isResizing) return true;
    this.#isResizing = true;
    setImmediate(() => {
      this.#isResizing = false;
      const { terminal } = this.#setup;
      if (terminal !== undefined) this.#onResize?.(terminal.size);
    });
    return true;
  }
}

function answer([accept, reject]: Answers, isAccepted: boolean): void {
  if (isAccepted) accept?.();
  else reject?.();
}
