import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";

import { untilPrinted } from "../../interop/support/network/until-printed.ts";

/** A command that reaches workspaces: ours or a stock one. */
export interface ReachCommand {
  readonly name: string;
  readonly words: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
}

export type NetworkPath = "relay" | "direct";

const execute = promisify(execFile);
const limitMs = 60_000;
const echoBytes = 64;

/** Returns the throughput of the command's own test, in megabytes per second. */
export async function measureThroughput(
  command: ReachCommand,
  workspace: string,
  {
    path,
    direction,
    seconds,
  }: {
    readonly path: NetworkPath;
    readonly direction: "up" | "down";
    readonly seconds: number;
  },
): Promise<number> {
  const pathFlag = path === "direct" ? "--direct" : "--disable-direct-connections";
  const flags = ["--output", "json", "--time", `${seconds}s`, "--direction", direction, pathFlag];
  const stdout = await run(command, ["speedtest", ...flags, workspace]);
  const report: unknown = JSON.parse(stdout);
  return Number(field(field(report, "overall"), "throughput_mbits")) / 8;
}

/** Returns the duration of a command in the workspace that does nothing, in milliseconds. */
export function measureCommand(command: ReachCommand, workspace: string): Promise<number> {
  return measureCall(command, ["ssh", workspace, "--", "true"]);
}

/** Returns the duration of a call of a command, in milliseconds. */
export async function measureCall(command: ReachCommand, args: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  await run(command, args);
  return performance.now() - startedMs;
}

/** Returns the times of round trips through a forwarded port to an echo service. */
export async function measureEcho(
  command: ReachCommand,
  workspace: string,
  {
    path,
    echoPort,
    localPort,
    count,
  }: {
    readonly path: NetworkPath;
    readonly echoPort: number;
    readonly localPort: number;
    readonly count: number;
  },
): Promise<number[]> {
  await using _ = await forwardPort(command, workspace, { path, from: localPort, to: echoPort });
  const socket = connect({ port: localPort, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  // The path becomes direct within the first of them.
  await echoTimes(socket, Math.ceil(count / 2));
  return await echoTimes(socket, count).finally(() => socket.destroy());
}

/** Forwards a local port to one of the workspace with a command, until it is disposed of. */
export async function forwardPort(
  { words: [program, ...first], environment }: ReachCommand,
  workspace: string,
  { path, from, to }: { readonly path: NetworkPath; readonly from: number; readonly to: number },
): Promise<AsyncDisposable> {
  const flags = path === "relay" ? ["--disable-direct-connections"] : [];
  const args = [...first, "port-forward", ...flags, "--tcp", `${from}:${to}`, workspace];
  const child = spawn(program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  await untilPrinted(child, /^Ready/m);
  return {
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, "exit");
      child.kill("SIGINT");
      await exited;
    },
  };
}

/** Returns the times of round trips on a connection, in milliseconds. */
export async function echoTimes(socket: Socket, count: number): Promise<number[]> {
  const times: number[] = [];
  const message = new Uint8Array(echoBytes);
  while (times.length < count) {
    const startedMs = performance.now();
    socket.write(message);
    for (let bytes = 0; bytes < echoBytes;) {
      const [chunk]: readonly Buffer[] = await once(socket, "data");
      bytes += chunk?.length ?? 0;
    }
    times.push(performance.now() - startedMs);
  }
  return times;
}

async function run({ words, environment }: ReachCommand, args: readonly string[]): Promise<string> {
  const [program, ...first] = words;
  const running = execute(program, [...first, ...args], { env: environment, timeout: limitMs });
  running.child.stdin?.end();
  return (await running).stdout;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
