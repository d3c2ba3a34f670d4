import { type Clock, systemErrorCode } from "@slipway/runtime";

import { DriverError } from "../errors.ts";
import type { AgentRecord } from "./agent-record.ts";
import { findAgents, findMembers, processKey } from "./running-agent.ts";
import type { ProcessSelection, RunningAgent } from "./running-agent.ts";
import type { ProcessTable, RunningProcess } from "./running-process.ts";

export interface EndAgentsOptions {
  readonly table: ProcessTable;
  /** Records of at least the selected agents. */
  readonly records: readonly AgentRecord[];
  readonly selects: ProcessSelection;
  /** The time agents have to stop by themselves. */
  readonly timeoutMs: number;
  readonly report: (line: string) => void;
  readonly clock: Clock;
}

const pollMs = 50;
/**
 * Listing all processes takes milliseconds of processor time per hundred: poll rarely while they may end by
 * themselves.
 */
const patientPollMs = 250;
const reportEveryMs = 5_000;
const graceMs = 2_000;
/** A workspace that starts processes faster than they are killed is given up after this time of killing. */
const killWithinMs = 5_000;

/**
 * Ends the selected agents and everything they started. Signals the agents alone first, so that they run their stop
 * scripts and disconnect from the server; then terminates and finally kills the remaining processes, including scripts
 * in their own sessions. Throws `still-running` with the process ids when something survives.
 */
export async function endAgents(options: EndAgentsOptions, signal: AbortSignal): Promise<void> {
  const { table, records, selects } = options;
  const processes = await table.list();
  const agents = findAgents(processes, records).filter(selects.marks);
  // Once its agent is gone, a child that leads its own session can only be identified by its marks.
  const seen = findMembers(processes, agents, selects, []);
  if (seen.length === 0) return;
  for (const { process: found } of agents) send(found, "SIGTERM");
  await waitForAgents(agents, options, signal);
  await sweep(seen, options, signal);
}

async function sweep(
  first: readonly RunningProcess[],
  { table, records, selects, clock }: EndAgentsOptions,
  signal: AbortSignal,
): Promise<void> {
  const asked = new Set<string>();
  // A process started by one of them before it is killed is recognized only by its group.
  const seen = new Map(first.map((found) => [processKey(found), found]));
  // A busy machine may take seconds for a listing: times count from the signals, so that everyone gets both.
  let askedAtMs = Infinity;
  let killedAtMs = Infinity;
  for (;;) {
    signal.throwIfAborted();
    const processes = await table.list();
    const agents = findAgents(processes, records);
    const left = findMembers(processes, agents, selects, [...seen.values()]);
    if (left.length === 0) return;
    const nowMs = clock.monotonic();
    askedAtMs = Math.min(askedAtMs, nowMs);
    const elapsedMs = nowMs - askedAtMs;
    if (nowMs - killedAtMs > killWithinMs) throw stillRunning(left);
    if (elapsedMs > graceMs) killedAtMs = Math.min(killedAtMs, nowMs);
    for (const found of left) {
      if (elapsedMs > graceMs) send(found, "SIGKILL");
      else if (!asked.has(processKey(found))) send(found, "SIGTERM");
      asked.add(processKey(found));
      seen.set(processKey(found), found);
    }
    const isPatient = elapsedMs > 4 * pollMs && elapsedMs < graceMs;
    await clock.sleep(isPatient ? patientPollMs : pollMs, signal);
  }
}

async function waitForAgents(
  agents: readonly RunningAgent[],
  { table, timeoutMs, report, clock }: EndAgentsOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = clock.monotonic();
  let reported = 0;
  for (let running = agents; ;) {
    running = await stillThere(running, table);
    if (running.length === 0) return;
    const elapsedMs = clock.monotonic() - started;
    const pids = running.map((agent) => agent.process.pid).join(", ");
    if (elapsedMs >= timeoutMs) {
      report(`process ${pids} did not stop within ${timeoutMs / 1000} s: killing it`);
      return;
    }
    if (Math.floor(elapsedMs / reportEveryMs) > reported) {
      reported = Math.floor(elapsedMs / reportEveryMs);
      report(`waiting for process ${pids} to stop, ${Math.round(elapsedMs / 1000)} s so far`);
    }
    await clock.sleep(Math.min(pollMs, timeoutMs - elapsedMs), signal);
  }
}

async function stillThere(
  agents: readonly RunningAgent[],
  table: ProcessTable,
): Promise<RunningAgent[]> {
  const found = await Promise.all(agents.map(async (agent) => table.find(agent.process.pid)));
  return agents.filter((agent, index) => found[index]?.start === agent.process.start);
}

function send({ pid }: RunningProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone, or owned by another user (through sudo, say): survivors are reported at the end.
    if (!["ESRCH", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}

function stillRunning(left: readonly RunningProcess[]): DriverError {
  const pids = left.map(({ pid }) => pid).join(", ");
  return new DriverError("still-running", `cannot kill process ${pids}: kill it manually`);
}
