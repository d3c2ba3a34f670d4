import { createInterface } from "node:readline";

import type { Namespace } from "@slipway/testkit/netlab";

import { stockPrograms } from "../stock-program.ts";
import { pingEveryMs, pingTimeoutMs, type Pong } from "./pong.ts";

/** A program with which a user reaches workspaces over the network. */
export interface CommandKind {
  readonly name: string;
  /** Logs in and returns the client that reaches workspaces from there. */
  open(place: CommandPlace): Promise<Command>;
}

export interface CommandPlace {
  readonly namespace: Namespace;
  readonly serverUrl: string;
  readonly token: string;
  /** The home directory, which exists and holds all its files. */
  readonly home: string;
}

export interface Command {
  /** Pings a workspace until the caller ends the iteration, and yields the outcome of each ping. */
  ping(workspace: string): AsyncGenerator<Pong, void>;
}

const stock = stockPrograms("SLIPWAY_STOCK_COMMAND").map(
  ({ name, path: program }): CommandKind => ({
    name,
    open: (place) => openStockCommand(program, place),
  }),
);

const ours: CommandKind = { name: "our sdk", open: async (place) => openSdk(place) };

/** The commands that are tested on the network. */
export const commands: readonly CommandKind[] = [ours, ...stock];

/** Returns a program that reaches workspaces through the SDK, as our command does. */
function openSdk({ namespace, serverUrl, token }: CommandPlace): Command {
  const { pathname } = new URL("./ping-program.ts", import.meta.url);
  return {
    async *ping(workspace) {
      const node = [process.execPath, "--conditions=@slipway/source", pathname];
      const words = [...node, serverUrl, token, workspace];
      for await (const line of readLines(namespace, words, process.env)) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ping-program.ts` wrote it
        yield JSON.parse(line) as Pong;
      }
    },
  };
}

async function openStockCommand(program: string, place: CommandPlace): Promise<Command> {
  const { namespace, serverUrl, token, home } = place;
  const env = { PATH: process.env["PATH"], HOME: home, CODER_CONFIG_DIR: home };
  await namespace.run(program, ["login", serverUrl, "--token", token], { env });
  const times = ["--wait", `${String(pingEveryMs)}ms`, "--timeout", `${String(pingTimeoutMs)}ms`];
  return {
    async *ping(workspace) {
      const words = [program, "ping", ...times, workspace];
      for await (const line of readLines(namespace, words, env)) yield* pongOf(line);
    },
  };
}

/** Reads lines such as `pong from name p2p via 192.0.2.3:1234 in 3ms`, and `pong from name via DERP(Relay) in 3ms`. */
function* pongOf(line: string): Iterable<Pong> {
  const address = /^pong from .* p2p via (.*):\d+ in /.exec(line)?.[1];
  if (address !== undefined) yield { way: "direct", address };
  else if (/^pong from .* via DERP/.test(line)) yield { way: "relay" };
  else if (line.includes("timed out")) yield { way: "none" };
}

/** Runs a command until the caller ends the iteration of its lines. */
async function* readLines(
  namespace: Namespace,
  [command = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): AsyncGenerator<string, void> {
  const child = namespace.spawn(command, args, { env, stdio: ["ignore", "pipe", "ignore"] });
  try {
    if (child.stdout !== null) yield* createInterface(child.stdout);
  } finally {
    child.kill("SIGKILL");
  }
}
