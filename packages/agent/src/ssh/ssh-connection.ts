import { errorText } from "@slipway/runtime";
import type { Connection } from "ssh2";

import { type AcceptedConnection, endConnection } from "../connections/accepted-connection.ts";
import { loopTurns } from "../process/turns.ts";
import { ConnectionOutput } from "./channel-output.ts";
import { AgentForward } from "./forwarding/agent-forward.ts";
import { type ChannelSlots, serveLocalForwards } from "./forwarding/local-forwards.ts";
import { serveRemoteForwards } from "./forwarding/remote-forwards.ts";
import { InboundWatch, MessageGuard } from "./inbound-limits.ts";
import type { SessionConnection, SshHost } from "./sessions/session-needs.ts";
import { SshSession } from "./sessions/ssh-session.ts";
import { closeUnstarted, onMessage, replaceGcm } from "./ssh2/ssh2.ts";
import { openDisplay } from "./x11/x11-display.ts";

/** The maximum number of sessions and forwarded connections of a client; further ones are refused. */
const maxSessions = 256;
const maxForwards = 1024;
/** The number of messages in a chunk above which it is the turn of other clients. */
const manyMessages = 64;
/** The number of descriptors that a command takes: its pipes, or its terminal. */
const sessionDescriptors = 3;

/**
 * Serves an SSH connection from its first packet until it is closed or the signal is aborted. Returns a function that resolves
 * when all of its sessions have ended.
 */
export function serveSshConnection(
  client: Connection,
  socket: AcceptedConnection,
  host: SshHost,
  stopping: AbortSignal,
): () => Promise<void> {
  const { settings, logger } = host;
  const closed = new AbortController();
  const ended = AbortSignal.any([stopping, closed.signal]);
  const inbound = new InboundWatch();
  const output = new ConnectionOutput(client, socket);
  const watch: SessionConnection["watch"] = (channel, signal) => inbound.add(channel, signal);
  const descriptors = host.descriptors.share();
  const forwarding = { output, ended, watch, descriptors };
  const agent = new AgentForward(client, forwarding, logger);
  const slots = channelSlots(maxSessions);
  const sessions = new Set<SshSession>();

  let messages = 0;
  socket.on("data", (chunk: Buffer) => {
    if (messages > manyMessages) void takeTurn(socket);
    messages = 0;
    if (!inbound.isOverrun(chunk.length)) return;
    logger.warn({ ip: socket.remoteAddress }, "ssh client exceeds its windows: connection closed");
    socket.destroy();
  });
  // Clients end both directions together.
  socket.once("end", () => socket.destroy());
  socket.once("close", () => closed.abort());
  // ssh2 ends only our side, which a client may ignore.
  socket.once("finish", () => endConnection(socket));
  client.on("error", (error) => {
    logger.debug({ error: errorText(error) }, "ssh connection failed");
    // Further input of the client is not read.
    socket.removeAllListeners("data");
    endConnection(socket);
  });
  client.on("authentication", (context) => {
    // The network has authenticated the peer.
    if (context.method === "none") context.accept();
    else context.reject(["none"]);
  });
  client.on("session", (accept, reject) => {
    const slot = ended.aborted ? undefined : slots.take();
    const room = slot === undefined ? undefined : descriptors.take(sessionDescriptors);
    if (slot === undefined || room === undefined) {
      slot?.[Symbol.dispose]();
      reject();
      return;
    }
    const session = accept();
    const connection: SessionConnection = {
      ...forwarding,
      remoteAddress: socket.remoteAddress,
      forwardAgent: () => agent.begin(),
      agentSocket: async () => agent.socketPath(),
      openDisplay: (request, authorityFile, sessionEnded) =>
        openDisplay(request, {
          client,
          connection: forwarding,
          clock: host.commands.clock,
          authorityFile,
          ended: sessionEnded,
        }),
    };
    const served = new SshSession(connection, host);
    sessions.add(served);
    session.once("close", () => {
      slot[Symbol.dispose]();
      void served.ended.finally(() => room[Symbol.dispose]());
      sessions.delete(served);
      closeUnstarted(client, session);
    });
    served.serve(session);
  });
  if (!settings.blockLocalForwarding) {
    serveLocalForwards(client, forwarding, {
      slots: channelSlots(maxForwards),
      openEditorSession: () => host.sessions.open("jetbrains", socket.remoteAddress),
    });
  }
  const isAnswering = serveRemoteForwards(client, forwarding, settings.blockReverseForwarding);
  const guard = new MessageGuard(isAnswering);
  onMessage(client, (message) => {
    messages += 1;
    guard.check(message);
  });
  replaceGcm(client);
  return async () => {
    await Promise.all([...sessions].map((session) => session.ended));
  };
}

/** Pauses a client that sends a flood of small messages until it is its turn. */
async function takeTurn(socket: AcceptedConnection): Promise<void> {
  socket.pause();
  await loopTurns.next();
  socket.resume();
}

function channelSlots(count: number): ChannelSlots {
  let free = count;
  return {
    take: () => {
      if (free === 0) return undefined;
      free -= 1;
      return { [Symbol.dispose]: () => void (free += 1) };
    },
  };
}
