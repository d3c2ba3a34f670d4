import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { errorText } from "@slipway/runtime";
import { type ProxyTarget, type ServerProcess, startServerProcess } from "@slipway/testkit";

export interface ReplicaOptions {
  readonly name: string;
  /** The directory of its data and its log. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Called when it exits without being killed. */
  readonly onUnexpectedExit: (what: string) => void;
}

const retryMs = 200;
const maxTries = 60;

/** One of several servers, which can be killed and returns on another port with the same data. */
export class Replica implements AsyncDisposable {
  readonly #options: ReplicaOptions;
  #server: ServerProcess | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /** The addresses on which it listens; empty while it is down. */
  get targets(): readonly ProxyTarget[] {
    return this.#server === undefined ? [] : [{ port: Number(new URL(this.#server.url).port) }];
  }

  /** Starts it and retries on failure, as an operator would. */
  async start(): Promise<void> {
    const { name, directory, environment, onUnexpectedExit } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        const dataDir = join(directory, name);
        const server = await startServerProcess({ dataDir, port: 0, environment });
        this.#server = server;
        void server.exited.then(() => {
          if (this.#server !== server) return;
          this.#server = undefined;
          onUnexpectedExit(`${name} ended by itself: ${server.output().slice(-2_000)}`);
        });
        return;
      } catch (error) {
        await this.#log(errorText(error));
        if (tries === maxTries) throw error;
        await pause(retryMs);
      }
    }
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.end("SIGKILL");
    await this.#log(server?.output() ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #log(text: string): Promise<void> {
    const { name, directory } = this.#options;
    await appendFile(join(directory, `${name}.log`), `${text}\n`);
  }
}
