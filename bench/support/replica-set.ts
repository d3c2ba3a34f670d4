import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type ServerProcess, startServerProcess, unlimitedWorkspaces } from "@slipway/testkit";

import { freePort, openNginx } from "../../interop/support/nginx.ts";
import { openDirectory } from "./our-server.ts";

/** Several servers of one deployment behind the nginx of the guide; each comes back at its own address. */
export interface ReplicaSet {
  /** The address of the proxy. */
  readonly url: string;
  /** The process of the proxy. */
  readonly proxyPid: number;
  readonly replicas: readonly Replica[];
}

interface ReplicaOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** The older clone whose command starts it until it is upgraded; undefined for this one. */
  readonly clone: string | undefined;
}

/** One of the servers. */
export class Replica {
  readonly #options: ReplicaOptions;
  #clone: string | undefined;
  #process: ServerProcess | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#clone = options.clone;
  }

  get address(): string {
    return `127.0.0.1:${this.#options.port}`;
  }

  /** The current process; undefined before its start. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const command = this.#clone === undefined ? {} : { command: commandOf(this.#clone) };
    this.#process = await startServerProcess({ ...this.#options, ...command });
  }

  /** Kills it, and starts it again after a time. */
  async kill(downMs: number): Promise<void> {
    await this.#process?.end("SIGKILL");
    await pause(downMs);
    await this.start();
  }

  /** Stops it as a service manager does, and starts this clone's command in its place. */
  async upgrade(): Promise<void> {
    await this.#process?.end("SIGTERM");
    this.#clone = undefined;
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#process?.end("SIGINT");
  }
}

function commandOf(clone: string): readonly string[] {
  const node = join(clone, "node_modules/node/bin/node");
  return [node, "--conditions=@slipway/source", join(clone, "packages/cli/bin/slipway.js")];
}

const secretKey = "a-key-that-all-servers-of-the-benchmark-share";
/** Each process has a limit of open files, and each client takes two of the proxy's connections. */
const proxy = { isPlain: true, workers: 3, connectionsPerWorker: 16_384 } as const;

/** Starts servers, one after the other, by the command of an older clone if there is one; they end with `opened`. */
export async function openReplicaSet(
  opened: AsyncDisposableStack,
  { databaseUrl, count, clone }: { databaseUrl: string; count: number; clone: string | undefined },
): Promise<ReplicaSet> {
  const environment = {
    ...unlimitedWorkspaces,
    SLIPWAY_POSTGRES_URL: databaseUrl,
    SLIPWAY_SECRET_KEY: secretKey,
    SLIPWAY_TRUSTED_PROXIES: "127.0.0.1",
  };
  const replicas: Replica[] = [];
  for (let number = 0; number < count; number += 1) {
    const dataDir = await openDirectory(opened);
    const replica = new Replica({ dataDir, port: await freePort(), environment, clone });
    opened.defer(() => replica.stop());
    await replica.start();
    replicas.push(replica);
  }
  const addresses = replicas.map(({ address }) => address);
  const { port, pid } = opened.use(await openNginx({ replicas: addresses, ...proxy }));
  return { url: `http://127.0.0.1:${port}`, proxyPid: pid, replicas };
}
