import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The members and the server they connect to. */
export interface WaitingOrder {
  /** `streams` wait for an owner, but never open a session. */
  readonly kind: "agents" | "streams";
  readonly serverUrl: string;
}

export type FleetCommand =
  | { readonly do: "join"; readonly tokens: readonly string[] }
  | { readonly do: "cut" | "hold" | "release" | "leave" };

/** An event of a member; times are those of `wallMs`. */
export type FleetReport =
  | { readonly kind: "frame"; readonly workspaceId: string; readonly atMs: number }
  /** Its start scripts would run for the new owner. */
  | {
      readonly kind: "start";
      readonly workspaceId: string;
      readonly manifestAtMs: number;
      readonly atMs: number;
    };

export interface FleetAnswer {
  readonly kind: "answer";
  readonly value: unknown;
}

/** Agents that wait for their owners, in another process; see `waiting-fleet.ts`. */
export interface WaitingFleet {
  readonly pid: number;
  /** Resolves when an agent of each token waits. */
  readonly join: (tokens: readonly string[]) => Promise<void>;
  /** Cuts all reinit streams at once; resolves, when as many are back, to the time that each took, in milliseconds. */
  readonly cut: () => Promise<readonly number[]>;
  /** Keeps agents from connecting until `release`. */
  readonly hold: () => Promise<void>;
  readonly release: () => Promise<void>;
  /** Ends the agents that have a new owner. */
  readonly leave: () => Promise<void>;
}

const program = fileURLToPath(new URL("waiting-fleet.ts", import.meta.url));

/** Starts the process; it goes with `opened`. */
export function openWaitingFleet(
  opened: AsyncDisposableStack,
  order: WaitingOrder,
  onReport: (report: FleetReport) => void,
): WaitingFleet {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  opened.defer(async () => {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let answered = Promise.withResolvers<unknown>();
  createInterface(child.stdout)
    .on("line", (line) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the fleet
      const read = JSON.parse(line) as FleetReport | FleetAnswer;
      if (read.kind === "answer") answered.resolve(read.value);
      else onReport(read);
    })
    .on("close", () => answered.reject(new Error("the fleet ended before its answer")));
  answered.promise.catch(() => undefined);
  const write = (line: WaitingOrder | FleetCommand): void =>
    void child.stdin.write(`${JSON.stringify(line)}\n`);
  write(order);
  const ask = async (command: FleetCommand): Promise<unknown> => {
    answered = Promise.withResolvers();
    write(command);
    return answered.promise;
  };
  return {
    pid: child.pid ?? 0,
    join: async (tokens) => void (await ask({ do: "join", tokens })),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the fleet
    cut: async () => (await ask({ do: "cut" })) as readonly number[],
    hold: async () => void (await ask({ do: "hold" })),
    release: async () => void (await ask({ do: "release" })),
    leave: async () => void (await ask({ do: "leave" })),
  };
}
