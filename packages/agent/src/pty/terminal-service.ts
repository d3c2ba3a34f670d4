import { errorText, type Logger } from "@slipway/runtime";

import {
  type AcceptedConnection,
  type Service,
  endConnection,
} from "../connections/accepted-connection.ts";
import type { SessionEnd, SessionLog } from "../connections/session-log.ts";
import { ContainerError } from "../containers/errors.ts";
import { loopTurns } from "../process/turns.ts";
import { TerminalError } from "./errors.ts";
import { type TerminalInit, TerminalMessages } from "./messages.ts";
import { refuseUnknown, ResumableViewer } from "./resumable-viewer.ts";
import type { SharedTerminal } from "./shared-terminal.ts";
import { type TerminalLookup, Terminals, type TerminalsOptions } from "./terminals.ts";
import { PlainViewer, type Viewer } from "./viewer.ts";

/** The maximum number of clients; further ones are refused. */
const maxConnections = 512;
/** The time for a client to name its terminal. */
const initTimeoutMs = 20_000;
/**
 * The maximum number of bytes parsed at a time, and the number of messages after which it is the turn of other
 * clients.
 */
const maxPieceBytes = 8 * 1024;
const manyInputs = 32;

export interface TerminalServiceOptions extends TerminalsOptions {
  readonly sessions: SessionLog;
  readonly logger: Logger;
}

/** The outcomes of a connection, as the server records them (docs/protocol/agent.md §5.5). */
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
  let view: View | undefined;
  try {
    for await (const piece of pieces(connection)) {
      const inputs = messages.receive(piece);
      if (messages.init === undefined) continue;
      clearTimeout(deadline);
      view ??= await attach(connection, messages.init, terminals);
      if (view === undefined) break;
      await view.terminal.take(view.viewer, inputs);
      view.viewer.confirm();
      if (inputs.length > manyInputs) await loopTurns.next();
    }
  } catch (error) {
    // The client's fault or end, a command that cannot run, or the terminal's end, after which the rest is still shown.
    const isFault = error instanceof TerminalError || view === undefined;
    if (isFault) logger.debug({ error: errorText(error) }, "terminal refused");
    if (isFault || connection.errored !== null) connection.destroy();
  } finally {
    clearTimeout(deadline);
    endConnection(connection);
  }
}

/** Cuts a client's input into pieces, so that a flood of messages takes turns with the input of others. */
async function* pieces(connection: AcceptedConnection): AsyncGenerator<Buffer> {
  for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
    for (let start = 0; start < chunk.length; start += maxPieceBytes) {
      yield chunk.subarray(start, start + maxPieceBytes);
    }
  }
}

/** A terminal and its viewer. */
interface View {
  readonly terminal: SharedTerminal;
  readonly viewer: Viewer;
}

async function attach(
  connection: AcceptedConnection,
  init: TerminalInit,
  terminals: Terminals,
): Promise<View | undefined> {
  const found = await find(connection, init, terminals);
  if (found === undefined) return undefined;
  if (found.type === "unknown") refuseUnknown(connection, found.viewerId);
  if (found.type !== "found") return undefined;
  const { terminal } = found;
  const viewer = terminal.attach(connection, init.viewer);
  if (viewer === undefined) return undefined;
  if (init.size !== undefined) terminal.resize(init.size);
  return { terminal, viewer };
}

/** Finds the terminal. A client that asks for one in a container is told, in its terminal, why there is none. */
async function find(
  connection: AcceptedConnection,
  init: TerminalInit,
  terminals: Terminals,
): Promise<TerminalLookup | undefined> {
  try {
    return await terminals.find(init);
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error;
    const { viewer: place } = init;
    const viewer =
      place === undefined ? new PlainViewer(connection) : new ResumableViewer(place.id);
    viewer.begin(connection, 0, Buffer.from(`${errorText(error)}\r\n`));
    viewer.end();
    return undefined;
  }
}
