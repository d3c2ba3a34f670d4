import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Namespace } from "@slipway/testkit/netlab";

import { untilPrinted } from "../../interop/support/network/until-printed.ts";
import type { NetworkPath, ReachCommand } from "./network-commands.ts";

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const node = [process.execPath, "--conditions=@slipway/source"] as const;

/** A forwarded port to the transfer service. */
export interface ForwardedPort extends AsyncDisposable {
  readonly port: number;
}

/** Forwards a local port with a command until it is disposed of. */
export async function forwardPort(
  { words, environment }: ReachCommand,
  workspace: string,
  {
    path,
    port,
    servicePort,
  }: { readonly path: NetworkPath; readonly port: number; readonly servicePort: number },
): Promise<ForwardedPort> {
  const [first, ...rest] = words;
  const flags = path === "relay" ? ["--disable-direct-connections"] : [];
  const forward = ["--tcp", `${String(port)}:${String(servicePort)}`];
  const args = [...rest, "port-forward", ...flags, ...forward, workspace];
  const child = spawn(first, args, { env: environment, stdio: "pipe" });
  await untilPrinted(child, /^Ready/m);
  return { port, [Symbol.asyncDispose]: () => end(child) };
}

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
    { port }: ForwardedPort,
    { direction, seconds }: { readonly direction: "down" | "up"; readonly seconds: number },
  ): Promise<number> {
    const [command, ...flags] = node;
    const words = [program("./transfer-client.ts"), String(port), direction, String(seconds)];
    const { stdout } = await this.#user.run(command, [...flags, ...words]);
    const printed = direction === "down" ? stdout : (await this.#counts.next()).value;
    return Number(printed) / seconds / 1e6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#service);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}
