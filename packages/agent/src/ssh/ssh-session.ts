import { join } from "node:path";

import { errorText } from "@slipway/runtime";
import type { ServerChannel, Session } from "ssh2";

import type { DescriptorShare } from "../connections/descriptors.ts";
import type { SessionEnd } from "../connections/session-log.ts";
import { ProcessError } from "../process/errors.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { type TerminalSize, terminalSize, defaultTerminalSize } from "../terminal/terminal-size.ts";
import { ChannelWriter } from "./channel-writer.ts";
import type { ConnectionOutput } from "./connection-output.ts";
import { exitStatus, sessionEndOf } from "./exit-status.ts";
import { isFileTransfer } from "./file-transfer.ts";
import { runPiped, type RunEnd } from "./run-piped.ts";
import { runOnTerminal } from "./run-terminal.ts";
import type { SessionChannel } from "./session-channel.ts";
import { SessionSetup } from "./session-setup.ts";
import { serveSftp } from "./sftp/serve-sftp.ts";
import { signalNamed } from "./signals.ts";
import type { SshHost } from "./ssh-host.ts";
import { takeLateRequests } from "./ssh2.ts";
import { readX11Request, type X11Request } from "./x11/x11-display.ts";

/** The signals that are kept for a command that is about to start (docs/protocol/agent.md §6.2). */
const maxEarlySignals = 128;

/** The connection as its sessions need it. */
export interface SessionConnection {
  readonly remoteAddress: string | undefined;
  readonly output: ConnectionOutput;
  readonly descriptors: DescriptorShare;
  /** Aborted when the connection is closed, or the agent shuts down. */
  readonly ended: AbortSignal;
  /** Makes the client's authentication agent available to all later commands of the connection. */
  readonly forwardAgent: () => void;
  /** Returns the socket of the client's authentication agent, if it was forwarded. */
  readonly agentSocket: () => Promise<string | undefined>;
  /** Offers the client's X11 display to a session, until the signal is aborted; resolves with `DISPLAY`. */
  readonly openDisplay: (
    request: X11Request,
    authorityFile: string,
    ended: AbortSignal,
  ) => Promise<string>;
  /** Counts the channel's unread bytes as long as the channel is open. */
  readonly watch: (channel: ServerChannel, ended: AbortSignal) => void;
}

/** Something that a client starts in a session. */
type Start = { readonly kind: "command"; readonly text: string } | { readonly kind: "sftp" };

/** The two answers to a request; absent if the client wants none. */
type Answers = readonly [accept: (() => void) | undefined, reject: (() => void) | undefined];

/** One session of a connection: collects what the client asks for, and runs its command (docs/protocol/agent.md §6.2). */
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

  /** Resolves when nothing runs in the session and its channel is closed; at once if nothing was started. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Takes what the client asks for, until it closes the channel. */
  serve(session: Session): void {
    takeLateRequests(session);
    session.on("env", (accept, reject, { key, val }) =>
      answer([accept, reject], !this.#isStarted && this.#setup.addVariable(key, val)),
    );
    session.on("pty", (accept, reject, { cols, rows, modes, term }) => {
      const size = terminalSize(cols, rows) ?? defaultTerminalSize;
      const settings = new Map(Object.entries(modes).map(([name, value]) => [name, Number(value)]));
      const isTaken = !this.#isStarted && this.#setup.setTerminal({ term, size, modes: settings });
      answer([accept, reject], isTaken);
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
    // Without a listener for `sftp`, ssh2 leaves the protocol to us.
    session.on("subsystem", (accept, reject, { name }) => {
      if (name === "sftp") this.#start({ kind: "sftp" }, accept, reject);
      else reject?.();
    });
    session.on("close", () => this.#left.abort());
  }

  #start(start: Start, accept: (() => ServerChannel) | undefined, reject: () => void): void {
    if (this.#isStarted) {
      reject?.();
      return;
    }
    this.#isStarted = true;
    const channel = accept?.();
    if (channel !== undefined) this.#ended = this.#run(start, channel);
  }

  async #run(start: Start, channel: ServerChannel): Promise<void> {
    const { sessions, logger } = this.#host;
    const { type } = this.#setup;
    // Editors of JetBrains are counted by their own connections.
    const session =
      type === "jetbrains" ? undefined : sessions.open(type, this.#connection.remoteAddress);
    const ended = AbortSignal.any([this.#left.signal, this.#connection.ended]);
    this.#connection.watch(channel, ended);
    let end: SessionEnd | undefined;
    try {
      end = await this.#serve(start, channel, ended);
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
    // What still comes is of no use.
    channel.resume();
  }

  /** Resolves with undefined if the client has gone. */
  async #serve(
    start: Start,
    channel: ServerChannel,
    ended: AbortSignal,
  ): Promise<SessionEnd | undefined> {
    const writer = new ChannelWriter(channel, this.#connection.output, ended);
    const { blockFileTransfer } = this.#host.settings;
    if (this.#setup.container !== undefined) {
      const reason = "containers are not supported";
      await writer.write("stderr", Buffer.from(`${reason}\n`));
      return { statusCode: exitStatus.containerUnsupported, reason };
    }
    if (blockFileTransfer && (start.kind === "sftp" || isFileTransfer(start.text))) {
      const reason = "file transfer is blocked";
      // The first byte is an error to scp.
      if (start.kind === "command") await writer.write("stdout", Buffer.from(`\u0002${reason}\n`));
      return { statusCode: exitStatus.transferBlocked, reason };
    }
    const session = this.#channel(channel, writer, ended);
    try {
      if (start.kind === "sftp") {
        const { cwd: directory, environment } = await this.#host.prepare("", {});
        const home = environment["HOME"] ?? directory;
        const { output: owner, descriptors } = this.#connection;
        return await serveSftp(session, { directory, home, owner, descriptors });
      }
      const end = await this.#runCommand(start.text, session);
      return end.kind === "left" ? undefined : sessionEndOf(end);
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      await writer.write("stderr", Buffer.from(`${errorText(error)}\n`));
      return { statusCode: exitStatus.failed, reason: errorText(error) };
    }
  }

  async #runCommand(text: string, channel: SessionChannel): Promise<RunEnd> {
    const { commands, greeting } = this.#host;
    const { terminal } = this.#setup;
    const command = await this.#prepare(text, channel);
    if (terminal === undefined) return runPiped(command, channel, commands);
    if (text.trim() === "") await channel.writer.write("stdout", Buffer.from(await greeting()));
    // Its size may have changed in the meantime.
    const wanted = this.#setup.terminal ?? terminal;
    return runOnTerminal(command, wanted, channel, commands);
  }

  async #prepare(text: string, channel: SessionChannel): Promise<PreparedCommand> {
    const requested = this.#setup.variables;
    const extra = {
      SSH_AUTH_SOCK: await this.#connection.agentSocket(),
      TERM: this.#setup.terminal?.term || undefined,
    };
    const command = await this.#host.prepare(text, { requested, extra });
    const display = await this.#openDisplay(command, channel);
    if (display === undefined) return command;
    return { ...command, environment: { ...command.environment, DISPLAY: display } };
  }

  /** Offers the client's display to the command, if it has one; a failure is no reason to do without the command. */
  async #openDisplay(
    { environment, cwd }: PreparedCommand,
    { writer, ended }: SessionChannel,
  ): Promise<string | undefined> {
    const { x11 } = this.#setup;
    if (x11 === undefined) return undefined;
    const file = environment["XAUTHORITY"] || join(environment["HOME"] ?? cwd, ".Xauthority");
    try {
      return await this.#connection.openDisplay(x11, file, ended);
    } catch (error) {
      const text = `X11 is not forwarded: ${errorText(error)}`;
      await writer.write("stderr", Buffer.from(`${text}\r\n`));
      return undefined;
    }
  }

  #channel(channel: ServerChannel, writer: ChannelWriter, ended: AbortSignal): SessionChannel {
    return {
      input: channel,
      writer,
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

  /** The last size counts of those that come at once: the command is told of each. */
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

function answer([accept, reject]: Answers, isTaken: boolean): void {
  if (isTaken) accept?.();
  else reject?.();
}
