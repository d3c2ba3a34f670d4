import { createHash } from "node:crypto";

/** A process that is not a zombie. */
export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** Distinguishes two processes with the same id. */
  readonly start: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The real user, even if the process has changed its effective user. */
  readonly uid: number;
  /** The marks in its environment, if that is readable; a child has those of its agent. */
  readonly marks: AgentMarks | undefined;
}

/** Marks that identify a process of ours, also to a server that did not start it. */
export interface AgentMarks {
  readonly agentId: string;
  /** The workspace's directory, so that two servers on one machine leave each other's agents alone. */
  readonly directory: string;
  /** Identifies an agent whose token was carried over to a new agent row. */
  readonly tokenHash: string;
}

/** The processes of this machine. */
export interface ProcessTable {
  list(): Promise<readonly RunningProcess[]>;
  /** Returns the process with that id; undefined if it has ended. */
  find(pid: number): Promise<RunningProcess | undefined>;
}

/** Variables of an agent's environment, inherited by every process it starts. */
export const markVariables = {
  agentId: "SLIPWAY_PROCESS",
  directory: "SLIPWAY_PROCESS_DIR",
  token: "CODER_AGENT_TOKEN",
} as const;

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
