import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";

import ssh2, { type Client, type ClientChannel, type ConnectConfig, type ExecOptions } from "ssh2";
import { onTestFinished } from "vitest";

/** An SSH server under test: it runs commands as the current user, admits everyone, and allows forwarding. */
export interface SshServerUnderTest extends AsyncDisposable {
  /** Serves a client on a byte stream until either end closes it. */
  readonly serve: (stream: Duplex) => void;
}

/** Opens a server whose commands start in `home`, which is also the value of `HOME`. */
export type OpenSshServer = (options: { readonly home: string }) => Promise<SshServerUnderTest>;

/** The result of a program. */
export interface ProgramEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** The options of OpenSSH's programs for a host with an unknown key. */
export const openSshOptions = [
  ["-F", "none"],
  ["-o", "StrictHostKeyChecking=no"],
  ["-o", "UserKnownHostsFile=/dev/null"],
  ["-o", "LogLevel=ERROR"],
].flat();

/** Starts OpenSSH's client; the test's end kills it. */
export type StartOpenSsh = (
  args: readonly string[],
  options?: readonly string[],
  environment?: NodeJS.ProcessEnv,
) => ChildProcess;

/** Returns a function that starts OpenSSH's client with the options that reach a port of this machine. */
export function openSshAt(port: number): StartOpenSsh {
  return (args, options = [], environment = {}) => {
    const all = [...openSshOptions, ...options, "-p", String(port), "127.0.0.1", ...args];
    const env = { ...process.env, ...environment };
    const child = spawn("ssh", all, { env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined);
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
}

/** Collects the output of a program until it ends. */
export async function endOf(child: ChildProcess): Promise<ProgramEnd> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("output is not piped");
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  const [out, err, exitCode] = await Promise.all([text(stdout), text(stderr), exited]);
  return { stdout: out, stderr: err, exitCode };
}

/** A server at a port of this machine. Everything ends with the test. */
export interface SshSubject {
  readonly home: string;
  readonly port: number;
  readonly serve: SshServerUnderTest["serve"];
  readonly start: StartOpenSsh;
  /** Runs OpenSSH's client until it exits. */
  readonly ssh: (args: readonly string[], input?: string | Buffer) => Promise<ProgramEnd>;
  /** Runs `sftp` or `scp` until it exits. */
  readonly run: (
    program: "sftp" | "scp",
    args: readonly string[],
    options: { readonly directory: string; readonly input?: string },
  ) => Promise<ProgramEnd>;
  /** Connects a client whose channels the test uses one by one. */
  readonly connect: (config?: ConnectConfig) => Promise<Client>;
}

/** Returns the server of the current test. */
export type CurrentSubject = () => SshSubject;

export async function openSubject(open: OpenSshServer): Promise<SshSubject> {
  const home = mkdtempSync(join(tmpdir(), "slipway-ssh-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const server = await open({ home });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const port = await listen(server);
  const start = openSshAt(port);
  return {
    home,
    port,
    serve: (stream) => server.serve(stream),
    start,
    ssh: async (args, input) => {
      const options = args.filter((arg) => arg.startsWith("-"));
      const rest = args.filter((arg) => !arg.startsWith("-"));
      const child = start(rest, options);
      child.stdin?.end(input);
      return endOf(child);
    },
    run: async (program, args, { directory, input = "" }) => {
      const all = [...openSshOptions, "-P", String(port), ...args];
      const child = spawn(program, all, { cwd: directory, stdio: ["pipe", "pipe", "pipe"] });
      onTestFinished(() => void child.kill("SIGKILL"));
      child.stdin.end(input);
      return endOf(child);
    },
    connect: async (config = {}) => {
      const client = new ssh2.Client();
      onTestFinished(() => void client.destroy());
      client.on("error", () => undefined);
      const options = { host: "127.0.0.1", port, username: "anybody", strictVendor: false };
      client.connect({ ...options, ...config });
      await once(client, "ready");
      return client;
    },
  };
}

/** Runs a command on a channel of a client. */
export function execute(
  client: Client,
  command: string,
  options: ExecOptions = {},
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

async function listen(server: SshServerUnderTest): Promise<number> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => server.serve(socket));
  onTestFinished(() => void listener.close());
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return portOf(listener.address());
}

/** Returns the port of an address; 0 for a Unix socket. */
export function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}
