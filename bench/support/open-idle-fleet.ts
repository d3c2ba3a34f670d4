import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The members and the server they connect to. */
export interface FleetOrder {
  /** `echoes` are bare sockets, as many as there are tokens. */
  readonly kind: "agents" | "echoes";
  readonly url: string;
  readonly tokens: readonly string[];
  /** The duration of `measure`. */
  readonly seconds: number;
}

/** Idle agents in another process; see `idle-fleet.ts`. */
export interface IdleFleet extends AsyncDisposable {
  /** Resolves when all are connected. */
  connect(): Promise<void>;
  /** Resolves to the time that each metadata call took, in milliseconds. */
  measure(): Promise<readonly number[]>;
  /** Resolves when each has lost its connection and is connected again. */
  reconnected(): Promise<void>;
}

const program = fileURLToPath(new URL("idle-fleet.ts", import.meta.url));

export function openIdleFleet(order: FleetOrder): IdleFleet {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const ask = async (command: string): Promise<unknown> => {
    child.stdin.write(`${command}\n`);
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`the fleet ended before it was done with ${command}`);
    return JSON.parse(value);
  };
  return {
    connect: async () => void (await ask("connect")),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the fleet
    measure: async () => (await ask("measure")) as readonly number[],
    reconnected: async () => void (await ask("reconnected")),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
