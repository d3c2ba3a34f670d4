import { errorText, type Logger } from "@slipway/runtime";

import type { AcceptedConnection, Service } from "../connections/accepted-connection.ts";
import { endConnection } from "../connections/end-connection.ts";
import type { SessionEnd, SessionLog } from "../connections/session-log.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { CommandVariables } from "../process/workspace-commands.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
import { TerminalError } from "./errors.ts";
import { withUtf8 } from "./locale.ts";
import { type TerminalInit, TerminalMessages } from "./messages.ts";
import { SharedTerminal } from "./shared-terminal.ts";

/** The clients and terminals at once; further ones are refused. */
const maxConnections = 512;
const maxTerminals = 256;
/** The time in which a client must name its terminal. */
const initTimeoutMs = 20_000;

const terminalType = "xterm-256color";

export interface TerminalServiceOptions {
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly commands: Pick<CommandHost, "clock" | "groups">;
  readonly sessions: SessionLog;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The ends of a connection that the server knows (docs/protocol/agent.md §5.5). */
const ends = {
  graceful: { statusCode: 0, reason: "graceful" },
  cut: { statusCode: 1, reason: "network_error" },
  shutdown: { statusCode: 1, reason: "server_shutdown" },
} as const satisfies Record<string, SessionEnd>;

/** Serves terminals that outlive their connections (docs/protocol/agent.md §7), until the signal is aborted. */
export function createTerminalService(options: TerminalServiceOptions): Service {
  const { sessions, signal } = options;
  const terminals = new Terminals(options);
  let connections = 0;
  return {
    accept: (connection) => {
      connection.on("error", () => undefined);
      if (signal.aborted || connections >= maxConnections) {
        connection.destroy();
        return;
      }
      connections += 1;
      const session = sessions.open("reconnecting-pty", connection.remoteAddress);
      const stop = (): void => endConnection(connection);
      signal.addEventListener("abort", stop, { once: true });
      connection.once("close", () => {
        connections -= 1;
        signal.removeEventListener("abort", stop);
        const isCut = connection.errored !== null;
        session.close(signal.aborted ? ends.shutdown : isCut ? ends.cut : ends.graceful);
      });
      void serve(connection, terminals, options);
    },
  };
}

async function serve(
  connection: AcceptedConnection,
  terminals: Terminals,
  { logger }: TerminalServiceOptions,
): Promise<void> {
  const messages = new TerminalMessages();
  const deadline = setTimeout(() => connection.destroy(), initTimeoutMs);
  let terminal: SharedTerminal | undefined;
  try {
    for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
      const inputs = messages.receive(chunk);
      if (messages.init === undefined) continue;
      clearTimeout(deadline);
      terminal ??= await attach(connection, messages.init, terminals);
      if (terminal === undefined) break;
      for (const { data, size } of inputs) {
        if (size !== undefined) terminal.resize(size);
        if (data !== "") await terminal.type(data);
      }
    }
  } catch (error) {
    // The client's fault or end, a command that cannot run, or the terminal's end: what is left to show still is.
    const isFault = error instanceof TerminalError || terminal === undefined;
    if (isFault) logger.debug({ error: errorText(error) }, "terminal refused");
    if (isFault || connection.errored !== null) connection.destroy();
  } finally {
    clearTimeout(deadline);
    endConnection(connection);
  }
}

async function attach(
  connection: AcceptedConnection,
  init: TerminalInit,
  terminals: Terminals,
): Promise<SharedTerminal | undefined> {
  // Containers are not supported.
  if (init.container !== "") return undefined;
  const terminal = await terminals.find(init);
  return terminal?.attach(connection, init.size) === true ? terminal : undefined;
}

/** The terminals by their ids. */
class Terminals {
  readonly #options: TerminalServiceOptions;
  readonly #byId = new Map<string, Promise<SharedTerminal>>();

  constructor(options: TerminalServiceOptions) {
    this.#options = options;
  }

  /** Finds the terminal, or opens it; undefined if there are too many. Rejects with `ProcessError`. */
  async find(init: TerminalInit): Promise<SharedTerminal | undefined> {
    const { id } = init;
    const found = this.#byId.get(id);
    if (found !== undefined) return found;
    if (this.#byId.size >= maxTerminals) return undefined;
    const opened = this.#open(init);
    this.#byId.set(id, opened);
    void opened
      .then(async ({ ended }) => ended)
      .catch(() => undefined)
      .finally(() => this.#byId.delete(id));
    return opened;
  }

  async #open({ command: text, size }: TerminalInit): Promise<SharedTerminal> {
    const { prepare, commands, signal } = this.#options;
    const { clock, groups } = commands;
    const command = withUtf8(await prepare(text, { extra: { TERM: terminalType } }));
    signal.throwIfAborted();
    const terminal = new SharedTerminal(command, size ?? defaultTerminalSize, clock);
    groups.started(terminal.pid);
    const stop = (): void => terminal.close();
    signal.addEventListener("abort", stop, { once: true });
    void terminal.ended.finally(() => {
      groups.leaderEnded(terminal.pid);
      signal.removeEventListener("abort", stop);
    });
    return terminal;
  }
}
