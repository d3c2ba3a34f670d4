import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";

import { errorText } from "@slipway/runtime";
import type { Channel, Client } from "ssh2";

import { CommandError } from "../../command/errors.ts";
import type { ForwardEnd, SshForward } from "./forward-spec.ts";

/** The maximum number of forwarded connections; further ones are closed. */
const maxConnections = 1024;

export interface Forwards {
  /** Listening on this machine, connecting from the workspace. */
  readonly local: readonly SshForward[];
  /** Listening in the workspace, connecting from this machine. */
  readonly remote: readonly SshForward[];
}

/**
 * Forwards ports and sockets over an SSH connection until it ends. Throws `CommandError` if it cannot listen on one.
 */
export async function forwardPorts(client: Client, { local, remote }: Forwards): Promise<void> {
  for (const forward of remote) await forwardRemote(client, forward);
  for (const forward of local) await forwardLocal(client, forward);
}

async function forwardLocal(client: Client, { listen, target }: SshForward): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    openChannel(client, target, (error, channel) => {
      if (error === undefined) void join(socket, channel);
      else socket.destroy();
    });
  });
  server.maxConnections = maxConnections;
  client.once("close", () => server.close());
  try {
    await listening(server, listen);
  } catch (error) {
    throw cannotListen(listen, "here", error);
  }
}

async function forwardRemote(client: Client, { listen, target }: SshForward): Promise<void> {
  let open = 0;
  const take = (accept: () => Channel, reject: () => void): void => {
    if (open >= maxConnections) {
      reject();
      return;
    }
    open += 1;
    const socket = connect({ ...addressOf(target), allowHalfOpen: true });
    socket.once("close", () => (open -= 1));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      void join(socket, accept());
    });
  };
  try {
    if (listen.kind === "port") {
      const port = await forwardIn(client, listen);
      client.on("tcp connection", ({ destIP, destPort }, accept, reject) => {
        if (destIP === listen.host && destPort === port) take(accept, reject);
      });
    } else {
      await forwardSocketIn(client, listen.path);
      client.on("unix connection", ({ socketPath }, accept, reject) => {
        if (socketPath === listen.path) take(accept, reject);
      });
    }
  } catch (error) {
    throw cannotListen(listen, "in the workspace", error);
  }
}

/** Resolves with the port, which the server chooses for 0. */
function forwardIn(client: Client, { host, port }: ForwardEnd & { kind: "port" }): Promise<number> {
  return new Promise((resolve, reject) => {
    client.forwardIn(host, port, (error, chosen) => {
      if (error === undefined) resolve(port === 0 ? chosen : port);
      else reject(error);
    });
  });
}

function forwardSocketIn(client: Client, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.openssh_forwardInStreamLocal(path, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

function openChannel(
  client: Client,
  target: ForwardEnd,
  opened: (error: Error | undefined, channel: Channel) => void,
): void {
  if (target.kind === "socket") client.openssh_forwardOutStreamLocal(target.path, opened);
  else client.forwardOut("127.0.0.1", 0, target.host, target.port, opened);
}

async function join(socket: Socket, channel: Channel): Promise<void> {
  try {
    await Promise.all([pipeline(socket, channel), pipeline(channel, socket)]);
  } catch {
    // One side has gone, so the other one must go too.
    socket.destroy();
    channel.destroy();
  }
}

async function listening(server: Server, end: ForwardEnd): Promise<void> {
  const failed = once(server, "error").then(([error]: unknown[]) => {
    throw error;
  });
  server.listen(addressOf(end));
  await Promise.race([once(server, "listening"), failed]);
}

function addressOf(end: ForwardEnd): { path: string } | { host: string; port: number } {
  return end.kind === "socket" ? { path: end.path } : { host: end.host, port: end.port };
}

function cannotListen(end: ForwardEnd, where: string, error: unknown): CommandError {
  const name = end.kind === "socket" ? end.path : `${end.host}:${end.port}`;
  return new CommandError(`cannot listen on ${name} ${where}: ${errorText(error)}`);
}
