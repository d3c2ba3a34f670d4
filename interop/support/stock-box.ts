import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { TcpProxy } from "@slipway/testkit";

import { runStockAgent } from "./run-stock-agent.ts";

interface StockBoxOptions {
  /** The stock agent. */
  readonly program: string;
  readonly serverUrl: string;
  /** The token; undefined if `environment` configures another way to authenticate. */
  readonly token: string | undefined;
  /** The directory of all its processes; their scripts write lines to a file there. */
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/**
 * The machine of a stock agent: one process after another, with a proxy for their connections. The opener disposes of
 * it.
 */
export class StockBox implements AsyncDisposable {
  readonly #options: StockBoxOptions;
  readonly #proxy: TcpProxy;
  readonly #network: { isUp: boolean };
  #child: ChildProcess | undefined;

  private constructor(options: StockBoxOptions, proxy: TcpProxy, network: { isUp: boolean }) {
    this.#options = options;
    this.#proxy = proxy;
    this.#network = network;
  }

  /** Opens a box without a process. */
  static async open(options: StockBoxOptions): Promise<StockBox> {
    const port = Number(new URL(options.serverUrl).port);
    const network = { isUp: true };
    const proxy = await TcpProxy.open(() => (network.isUp ? [{ port }] : []));
    return new StockBox(options, proxy, network);
  }

  /** Starts a process; resolves to its id. */
  async start(): Promise<number> {
    const { program } = this.#options;
    const child = await runStockAgent({ ...this.#options, serverUrl: this.#proxy.url });
    this.#child = child;
    if (child.pid === undefined) throw new Error(`${program} did not start`);
    return child.pid;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Stops all traffic on the open connections. */
  stall(): void {
    for (const link of this.#proxy.links) link.stall();
  }

  /** Resets all connections and refuses new ones. */
  cut(): void {
    this.#network.isUp = false;
    for (const link of this.#proxy.links) link.cut();
  }

  restore(): void {
    this.#network.isUp = true;
  }

  /** Returns the lines that scripts have written so far. */
  async lines(): Promise<readonly string[]> {
    const text = await readFile(join(this.#options.home, "lines"), "utf8").catch(() => "");
    return text.split("\n").slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#proxy[Symbol.asyncDispose]();
  }
}
