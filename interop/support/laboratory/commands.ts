import { createInterface } from "node:readline";

import type { Namespace } from "@slipway/testkit/netlab";

import { stockPrograms } from "../stock-program.ts";

/** A program by which a user reaches workspaces over the network. */
export interface CommandKind {
  readonly name: string;
  /** Logs in, and returns what reaches workspaces from there. */
  open(place: CommandPlace): Promise<Command>;
}

export interface CommandPlace {
  readonly namespace: Namespace;
  readonly serverUrl: string;
  readonly token: string;
  /** The home directory, which exists, with all its files. */
  readonly home: string;
}

export interface Command {
  /** Pings a workspace every half a second until its caller ends the iteration, and tells what became of each ping. */
  ping(workspace: string): AsyncGenerator<Pong, void>;
}

/** The way by which a pong came, or that none came in two seconds. */
export type Pong =
  | { readonly way: "direct"; readonly address: string }
  | { readonly way: "relay" }
  | { readonly way: "none" };

/** The commands that are tested on the network. */
export const commands: readonly CommandKind[] = stockPrograms("SLIPWAY_STOCK_COMMAND").map(
  ({ name, path: program }) => ({ name, open: (place) => openCommand(program, place) }),
);

async function openCommand(program: string, place: CommandPlace): Promise<Command> {
  const { namespace, serverUrl, token, home } = place;
  const env = { PATH: process.env["PATH"], HOME: home, CODER_CONFIG_DIR: home };
  await namespace.run(program, ["login", serverUrl, "--token", token], { env });
  return {
    async *ping(workspace) {
      const args = ["ping", "--wait", "500ms", "--timeout", "2s", workspace];
      const child = namespace.spawn(program, args, { env, stdio: ["ignore", "pipe", "ignore"] });
      try {
        if (child.stdout === null) return;
        for await (const line of createInterface(child.stdout)) yield* pongOf(line);
      } finally {
        child.kill("SIGKILL");
      }
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
