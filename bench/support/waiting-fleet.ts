import { parseUuid } from "@slipway/wire/bytes/uuid";

import { LightAgent } from "./light-agent.ts";
import { makeMany } from "./pacing.ts";
import { sendReport, servePart, wallMs } from "./part.ts";
import { ReinitSockets } from "./reinit-sockets.ts";

/*
 * Agents that wait for their owners, in a separate process: many that cost the machine less than the product's,
 * because real agents run elsewhere (`LightAgent`). Its arguments are the server's URL, and `agents` or `streams`;
 * streams wait for an owner but never open a session. Besides its answers it sends lists of `FleetReport` when events
 * occur.
 */

/** An event of a member; times are those of `wallMs`. */
export type FleetReport =
  | { readonly kind: "frame"; readonly workspaceId: string; readonly atMs: number }
  /** The moment when its start scripts would run for the new owner. */
  | {
      readonly kind: "start";
      readonly workspaceId: string;
      readonly manifestAtMs: number;
      readonly atMs: number;
    };

const [serverUrl = "", kind = ""] = process.argv.slice(2);
const isOnlyStream = kind === "streams";

// Every lost connection and ended wait is an error whose stack is never read.
Error.stackTraceLimit = 0;

const sockets = new ReinitSockets();
const members = new Set<LightAgent>();
/** Keeps agents from dialing while it is set. */
let hold: PromiseWithResolvers<void> | undefined;

/**
 * The time in which reports are collected: each has its own timestamp, and sending it alone would cost more than
 * producing it.
 */
const gatherMs = 20;
let gathered: FleetReport[] = [];

function report(event: FleetReport): void {
  if (gathered.length === 0) setTimeout(flush, gatherMs);
  gathered.push(event);
}

function flush(): void {
  if (gathered.length > 0) sendReport(gathered);
  gathered = [];
}

/**
 * Adds an agent with a token; resolves once its start scripts would run for the first time, or immediately for a
 * stream.
 */
async function begin(token: string): Promise<void> {
  const begun = Promise.withResolvers<void>();
  const member = new LightAgent({
    serverUrl,
    token,
    sockets,
    isOnlyStream,
    mayDial: async () => hold?.promise,
    onFrame: (workspaceId) => report({ kind: "frame", workspaceId, atMs: wallMs() }),
    onBegin: (manifest, life) => {
      const atMs = wallMs();
      begun.resolve();
      if (life === "first") return;
      const workspaceId = parseUuid(manifest.workspaceId);
      report({ kind: "start", workspaceId, manifestAtMs: atMs, atMs });
    },
  });
  members.add(member);
  // A wrong answer ends the process, and with it the measurement.
  void member.live();
  if (!isOnlyStream) await begun.promise;
}

const answers = {
  /** Answers once an agent of each token is waiting. */
  join: async (tokens: readonly string[]): Promise<void> => {
    const open = sockets.count + tokens.length;
    await makeMany(tokens.length, (index) => begin(tokens[index] ?? ""));
    await sockets.until(open);
  },
  /** Cuts all reinit streams together; once as many are back, answers with the milliseconds that each took. */
  cut: (): Promise<readonly number[]> => sockets.cut(),
  /** Keeps agents from connecting until `release`. */
  hold: (): void => {
    hold ??= Promise.withResolvers();
  },
  release: (): void => {
    hold?.resolve();
    hold = undefined;
  },
  /** Ends the agents that have a new owner. */
  leave: (): void => {
    for (const member of members) {
      if (!member.isClaimed) continue;
      member.leave();
      members.delete(member);
    }
  },
};
export type WaitingFleet = typeof answers;
servePart(answers);
