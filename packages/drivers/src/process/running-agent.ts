import type { AgentRecord } from "./agent-record.ts";
import type { AgentMarks, RunningProcess } from "./running-process.ts";

/** An agent's own process, as opposed to the processes it started. */
export interface RunningAgent extends AgentMarks {
  readonly process: RunningProcess;
}

/**
 * Finds the processes that are agents. A record names the process; if the server was killed before writing one, it is
 * the oldest process that carries the agent's mark and leads a group, as a fresh agent does.
 */
export function findAgents(
  processes: readonly RunningProcess[],
  records: readonly AgentRecord[],
): RunningAgent[] {
  const byPid = new Map(processes.map((entry) => [entry.pid, entry]));
  const agents: RunningAgent[] = [];
  const known = new Set<string>();
  for (const record of records) {
    known.add(keyOf(record));
    const found = byPid.get(record.pid);
    if (found !== undefined && isRecorded(found, record)) agents.push(agentOf(record, found));
  }
  const oldestFirst = processes.toSorted((a, b) => a.startedAtMs - b.startedAtMs || a.pid - b.pid);
  for (const candidate of oldestFirst) {
    const { marks, groupId, pid } = candidate;
    if (marks === undefined || groupId !== pid || known.has(keyOf(marks))) continue;
    known.add(keyOf(marks));
    agents.push(agentOf(marks, candidate));
  }
  return agents;
}

/** Criteria for selecting processes. */
export interface ProcessSelection {
  readonly marks: (marks: AgentMarks) => boolean;
  /** Users of workspaces: selects every process they own, regardless of its environment, group and parents. */
  readonly uids: ReadonlySet<number>;
}

/**
 * Returns the processes of the selected agents: by mark, by user, by group, by descent, those already seen as theirs,
 * and those that a seen process started in its group before it ended. This process is never among them, even if a
 * server was started in a workspace's terminal.
 */
export function findMembers(
  processes: readonly RunningProcess[],
  agents: readonly RunningAgent[],
  { marks: selects, uids }: ProcessSelection,
  seen: readonly RunningProcess[],
): RunningProcess[] {
  const seenKeys = new Set(seen.map(processKey));
  const seenGroups = new Set(seen.map(({ groupId }) => groupId).filter((id) => id !== 0));
  // A group of the same id whose leader was not seen is a new one.
  for (const { pid } of processes) seenGroups.delete(pid);
  const roots = new Set(agents.filter(selects).map((agent) => agent.process.pid));
  const isRoot = (entry: RunningProcess): boolean =>
    roots.has(entry.pid) ||
    seenKeys.has(processKey(entry)) ||
    seenGroups.has(entry.groupId) ||
    uids.has(entry.uid) ||
    (entry.marks !== undefined && selects(entry.marks));
  const members = new Set(processes.filter(isRoot));
  // Groups are created by the agent or its descendants, so every process in a group with a member is a member.
  for (let before = -1; before !== members.size;) {
    before = members.size;
    const groups = new Set([...members].map(({ groupId }) => groupId));
    const pids = new Set([...members].map(({ pid }) => pid));
    // The kernel's own threads, and processes outside this container.
    groups.delete(0);
    for (const entry of processes) {
      if (groups.has(entry.groupId) || pids.has(entry.parentPid)) members.add(entry);
    }
  }
  return [...members].filter(({ pid }) => pid !== process.pid);
}

/** Returns a key that identifies a process over time: process ids are reused. */
export function processKey({ pid, start }: RunningProcess): string {
  return `${pid} ${start}`;
}

function isRecorded({ start, marks }: RunningProcess, record: AgentRecord): boolean {
  return start === record.start && (marks === undefined || marks.agentId === record.agentId);
}

function agentOf(
  { agentId, directory, tokenHash }: AgentMarks,
  found: RunningProcess,
): RunningAgent {
  return { agentId, directory, tokenHash, process: found };
}

function keyOf({ directory, agentId }: { directory: string; agentId: string }): string {
  return `${directory}/${agentId}`;
}
