import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Namespace } from "@slipway/testkit/netlab";

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const node = [process.execPath, "--conditions=@slipway/source"] as const;

/** A meter for transfers with a service in the workspace. The opener disposes of it. */
export class TransferMeter implements AsyncDisposable {
  readonly #user: Namespace;
  readonly #service: ChildProcess;
  readonly #counts: AsyncIterator<string>;

  private constructor(user: Namespace, service: ChildProcess, counts: AsyncIterator<string>) {
    this.#user = user;
    this.#service = service;
    this.#counts = counts;
  }

  /** Starts the service on a loopback port of the workspace's host. */
  static async open(workspace: Namespace, user: Namespace, port: number): Promise<TransferMeter> {
    const [command, ...flags] = node;
    const words = [...flags, program("./transfer-service.ts"), String(port)];
    const service = workspace.spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
    if (service.stdout === null) throw new Error("missing pipe");
    const lines = createInterface(service.stdout)[Symbol.asyncIterator]();
    await lines.next();
    return new TransferMeter(user, service, lines);
  }

  /** Returns the megabytes per second that arrive through a forwarded port, from the first byte on. */
  async measure(
    port: number,
    { direction, seconds }: { readonly direction: "down" | "up"; readonly seconds: number },
  ): Promise<number> {
    const [command, ...flags] = node;
    const words = [program("./transfer-client.ts"), String(port), direction, String(seconds)];
    const { stdout } = await this.#user.run(command, [...flags, ...words]);
    const printed = direction === "down" ? stdout : (await this.#counts.next()).value;
    return Number(printed) / seconds / 1e6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#service, "close");
    this.#service.kill("SIGKILL");
    await closed;
  }
}
