import { once } from "node:events";
import type { Duplex } from "node:stream";

import { abortable, errorText } from "@slipway/runtime";
import type { Client, ClientChannel, PseudoTtyOptions } from "ssh2";

import { CommandError } from "../../command/errors.ts";
import { forwardPorts, type Forwards } from "./forwarding.ts";
import { connectConfig, createSshClient, logInImmediately, type SshOptions } from "./ssh2.ts";

/** A program to run at the other end. */
export interface SessionRequest {
  /** Undefined for the login shell. */
  readonly command: string | undefined;
  /** Undefined for none: then stdout and stderr stay separate. */
  readonly pty: PseudoTtyOptions | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** The end of a program. */
export type SessionExit =
  | { readonly kind: "code"; readonly code: number }
  /** With the prefix SIG. */
  | { readonly kind: "signal"; readonly signal: string }
  /** The connection broke first. */
  | { readonly kind: "lost" };

export interface Session {
  readonly channel: ClientChannel;
  /** Resolves when the program has ended and its output has arrived; never rejects. */
  readonly ended: Promise<SessionExit>;
}

/** A connection to an SSH server, over a stream that it owns. Its opener disposes of it. */
export class SshConnection implements AsyncDisposable {
  readonly #client: Client;
  readonly #stream: Duplex;
  /** The error that has ended the connection, if any. */
  #error: Error | undefined;
  #isLoggedIn = false;

  private constructor(client: Client, stream: Duplex) {
    this.#client = client;
    this.#stream = stream;
    client.on("error", (error) => (this.#error ??= error));
    client.once("ready", () => (this.#isLoggedIn = true));
    // A server ends both directions together; ssh2 would wait for the end of the other one.
    stream.once("end", () => stream.destroy());
  }

  /**
   * Connects, and begins to log in, which the first program need not wait for. Throws `CommandError` if the server does not
   * speak SSH.
   */
  static async open(
    stream: Duplex,
    options: SshOptions,
    signal: AbortSignal,
  ): Promise<SshConnection> {
    const client = await createSshClient();
    const connection = new SshConnection(client, stream);
    client.connect(connectConfig(stream, options));
    logInImmediately(client);
    try {
      await once(client, "handshake", { signal });
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw refused(error);
    }
  }

  /** Forwards ports and sockets as long as the connection lasts. Throws `CommandError` if it cannot listen on one. */
  async forward(forwards: Forwards): Promise<void> {
    await forwardPorts(this.#client, forwards);
  }

  /** Starts a program. Throws `CommandError` if the server refuses it, or requires more than the network has proven. */
  async start(
    { command, pty, environment }: SessionRequest,
    signal: AbortSignal,
  ): Promise<Session> {
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    const onOpen = (error: Error | undefined, channel: ClientChannel): void => {
      if (error === undefined) resolve({ channel, ended: exitOf(channel) });
      else if (!this.#isLoggedIn) reject(refused(this.#error ?? error));
      else reject(new CommandError(`the agent refused to start it: ${errorText(error)}`));
    };
    const onClose = (): void => {
      const lost = new CommandError("the connection was lost", { cause: this.#error });
      reject(this.#isLoggedIn ? lost : refused(this.#error));
    };
    this.#client.once("close", onClose);
    const env = { ...environment };
    if (command === undefined) this.#client.shell(pty ?? false, { env }, onOpen);
    else this.#client.exec(command, { env, ...(pty === undefined ? {} : { pty }) }, onOpen);
    try {
      return await abortable(promise, signal);
    } finally {
      this.#client.removeListener("close", onClose);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stream.destroyed) return;
    const closed = once(this.#stream, "close");
    this.#client.end();
    this.#client.destroy();
    this.#stream.destroy();
    await closed.catch(() => undefined);
  }
}

function refused(cause: unknown): CommandError {
  return new CommandError("the agent's SSH server refused the connection", { cause });
}

function exitOf(channel: ClientChannel): Promise<SessionExit> {
  const ended = Promise.withResolvers<SessionExit>();
  let exit: SessionExit = { kind: "lost" };
  channel.on("exit", (code: number | null, signal?: string) => {
    exit = code === null ? { kind: "signal", signal: signal ?? "" } : { kind: "code", code };
  });
  channel.on("close", () => ended.resolve(exit));
  return ended.promise;
}
