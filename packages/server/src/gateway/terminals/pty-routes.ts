import { openTerminal } from "@slipway/api/agents/pty-routes";
import { errorText } from "@slipway/runtime";
import {
  encodeTerminalPreamble,
  type TerminalStart,
} from "@slipway/wire/services/terminal-preamble";

import {
  type NewTerminal,
  type TerminalEnd,
  terminalEnds,
  type TerminalLog,
} from "../../features/agents/connections/terminal-log.ts";
import {
  connectionProblem,
  type ReachNeeds,
  requireReachable,
} from "../../features/agents/service.ts";
import type { ConnectionNotices } from "../../features/notifications/inbox-service.ts";
import type { AgentReach } from "../../network/own-peer/own-peer.ts";
import { NotFound, Refusal } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import { keepAlive, type PeerSocket } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { bridgeTerminal } from "./bridge-terminal.ts";
import { readTerminalQuery } from "./terminal-query.ts";

interface TerminalNeeds extends ReachNeeds {
  readonly reach: AgentReach;
  readonly notices: Pick<ConnectionNotices, "tell">;
  readonly log: Pick<TerminalLog, "open">;
}

interface Terminal extends NewTerminal {
  /** The owner of the workspace. */
  readonly ownerId: string;
  readonly start: TerminalStart;
}

/** The port of an agent's terminals (docs/protocol/tailnet.md §1.5). */
const terminalPort = 2;
/** The maximum size of a viewer's message, such as a pasted text, in bytes. */
const maxInputBytes = 1024 * 1024;
/** The maximum size of the reason for a close, in bytes (RFC 6455 §5.5). */
const maxReasonBytes = 123;

/** Adds the route on which users open terminals in workspaces (docs/protocol/rest.md §6.10). */
export function addTerminalRoutes(routes: Routes, needs: TerminalNeeds): void {
  const { db, clock, notices } = needs;
  routes.userSocket(openTerminal, {
    maxMessageBytes: maxInputBytes,
    prepare: async ({ params, query }, user): Promise<Terminal> => {
      const ownerId = await requireReachable(db, user, params.agent);
      const agentId = requireUuid(params.agent);
      const problem = await connectionProblem(db, user, agentId, clock.now());
      if (problem !== undefined) throw new NotFound("Application Unavailable", { detail: problem });
      const start = readTerminalQuery(query);
      return { userId: user.id, ip: user.origin?.ip, ownerId, agentId, start };
    },
    serve: (socket, terminal) => {
      const { userId: actorId, ownerId, agentId } = terminal;
      notices.tell({ actorId, ownerId, agentId });
      return serveTerminal(socket, terminal, needs);
    },
  });
}

async function serveTerminal(
  socket: PeerSocket,
  { start, ...terminal }: Terminal,
  { reach, clock, log }: Pick<TerminalNeeds, "reach" | "clock" | "log">,
): Promise<void> {
  // Input waits meanwhile.
  socket.raw.pause();
  keepAlive(socket);
  if (start.Viewer !== undefined) sendPulses(socket);
  const agent = await reached(socket, reach.reachAgent(terminal.agentId, socket.signal));
  if (agent === undefined) return;
  // Opened before the stream, whose failure would otherwise go unnoticed.
  const opened = await log.open(terminal);
  let end: TerminalEnd = terminalEnds.lost;
  try {
    const stream = await reached(socket, agent.dial(terminalPort, socket.signal));
    if (stream === undefined) return;
    stream.write(encodeTerminalPreamble(start));
    await bridgeTerminal(socket, stream, clock);
    end = terminalEnds.graceful;
  } finally {
    await opened.close(end);
  }
}

/**
 * Resolves to the result of `reaching`; undefined, after the viewer is sent the reason, if the agent is unreachable.
 */
async function reached<T>(socket: PeerSocket, reaching: Promise<T>): Promise<T | undefined> {
  try {
    return await reaching;
  } catch (error) {
    if (socket.signal.aborted) return undefined;
    if (!(error instanceof Refusal)) throw error;
    const reason = `dial workspace agent: ${error.detail ?? errorText(error)}`;
    socket.raw.resume();
    socket.close(1011, reason.slice(0, maxReasonBytes));
    return undefined;
  }
}

/** The time between two pulses (docs/protocol/agent.md §7.1). */
const pulseMs = 10_000;
/** A text message, which is not output. */
const pulse = "{}";

/**
 * Sends periodic signs of life to a viewer that resumes: a browser sees neither pings nor the loss of its
 * network. A viewer that does not read gets none.
 */
function sendPulses(socket: PeerSocket): void {
  const { raw, signal } = socket;
  const send = (): void => {
    // A failure is one of the connection, whose end is noticed elsewhere.
    if (raw.bufferedAmount === 0) void socket.sendText(pulse).catch(() => undefined);
  };
  send();
  const timer = setInterval(send, pulseMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
