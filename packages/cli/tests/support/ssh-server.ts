import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

import ssh2, { type Connection, type PseudoTtyInfo, type ServerChannel, type Session } from "ssh2";

/** An SSH server on a port of this machine that admits every user and runs any command, without a terminal. */
export interface SshServer extends AsyncDisposable {
  /** Connects to it; each direction of the connection ends separately, as in the encrypted network. */
  dial(): Promise<Socket>;
  /** The requested terminals. */
  readonly terminals: readonly PseudoTtyInfo[];
  /** Breaks all connections. */
  cut(): void;
  /** Ends all connections from its side, without an SSH message. */
  end(): void;
}

export async function openSshServer(): Promise<SshServer> {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const terminals: PseudoTtyInfo[] = [];
  const dialed = new Set<Socket>();
  const accepted = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => serve(client, terminals));
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.add(socket);
    server.injectSocket(socket);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new TypeError("it has no port");
  const { port } = address;
  const cut = (): void => {
    for (const socket of dialed) socket.destroy();
  };
  return {
    terminals,
    cut,
    end: () => {
      for (const socket of accepted) socket.end();
    },
    dial: async () => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
      dialed.add(socket);
      await once(socket, "connect");
      return socket;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      for (const socket of accepted) socket.destroy();
      await new Promise<void>((resolve) => void listener.close(() => resolve()));
    },
  };
}

function serve(client: Connection, terminals: PseudoTtyInfo[]): void {
  client.on("error", () => undefined);
  client.on("authentication", (context) => context.accept());
  client.on("session", (accept) => serveSession(accept(), terminals));
}

function serveSession(session: Session, terminals: PseudoTtyInfo[]): void {
  const environment: Record<string, string> = {};
  // Otherwise the library drops signals that arrive after the end of stdin.
  session.on("eof", () => Reflect.set(session, "_ending", false));
  session.on("env", (accept: (() => void) | undefined, _, { key, val }) => {
    environment[key] = val;
    accept?.();
  });
  session.on("pty", (accept: (() => void) | undefined, _, info) => {
    terminals.push(info);
    accept?.();
  });
  session.on("exec", (accept, _, { command }) => run(session, accept(), [command], environment));
  session.on("shell", (accept) => run(session, accept(), undefined, environment));
}

/** Runs a command in a shell, or the commands on stdin. */
function run(
  session: Session,
  channel: ServerChannel,
  command: readonly [string] | undefined,
  environment: Readonly<Record<string, string>>,
): void {
  const words = command === undefined ? [] : ["-c", ...command];
  const child = spawn("/bin/sh", words, { env: { ...process.env, ...environment } });
  channel.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  session.on("signal", (accept: (() => void) | undefined, _, { name }) => {
    accept?.();
    if (child.pid !== undefined) process.kill(child.pid, `SIG${name}`);
  });
  session.on("close", () => child.kill("SIGKILL"));
  child.on("close", (code, signal) => {
    if (code === null) channel.exit((signal ?? "").slice("SIG".length));
    else channel.exit(code);
    channel.end();
  });
}
