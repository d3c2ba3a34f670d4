import type { Clock } from "@slipway/runtime";

import { findListeners, findOwners, readOfProcess } from "../process/listeners.ts";

/** A port of the workspace on which a process listens. */
export interface ListeningPort {
  readonly process_name: string;
  readonly network: "tcp";
  readonly port: number;
}

/** Ports below are the agent's own on the network (docs/protocol/tailnet.md §1.5). */
const firstUserPort = 9;
/** The time for which a scan is reused. */
const cacheMs = 1000;

/** The workspace's listening ports, over IPv4 and IPv6, each once; none without `/proc`. */
export class ListeningPorts {
  readonly #clock: Clock;
  readonly #ignored: ReadonlySet<number>;
  #scan: { readonly ports: Promise<readonly ListeningPort[]>; readonly atMs: number } | undefined;

  /** `ignored` are the agent's own ports. */
  constructor(clock: Clock, ignored: ReadonlySet<number>) {
    this.#clock = clock;
    this.#ignored = ignored;
  }

  async list(): Promise<readonly ListeningPort[]> {
    const now = this.#clock.monotonic();
    if (this.#scan === undefined || now - this.#scan.atMs >= cacheMs) {
      this.#scan = { ports: this.#find(), atMs: now };
    }
    return this.#scan.ports;
  }

  async #find(): Promise<readonly ListeningPort[]> {
    const listeners = await findListeners();
    const inodes = new Map(
      listeners
        .filter(({ port }) => port >= firstUserPort && !this.#ignored.has(port))
        .map(({ port, inode }) => [port, inode]),
    );
    const owners = await findOwners(new Set(inodes.values()));
    const ports = [...inodes].map(async ([port, inode]) => {
      const pid = owners.get(inode);
      const name = pid === undefined ? "" : await readOfProcess(pid, "comm");
      return { process_name: name.trimEnd(), network: "tcp" as const, port };
    });
    return (await Promise.all(ports)).toSorted((one, other) => one.port - other.port);
  }
}
