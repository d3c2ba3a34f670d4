import { createHash } from "node:crypto";

/** A process that is not a zombie. */
export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** Tells two processes of one number apart. */
  readonly start: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The real user, also of a process that became another one. */
  readonly uid: number;
  /** What its environment says, where that can be read; a child has those of its agent. */
  readonly marks: AgentMarks | undefined;
}

/** How a process of ours is known, also to a server that did not start it. */
export interface AgentMarks {
  readonly agentId: string;
  /** The workspace's directory, so that two servers on one machine leave each other's agents alone. */
  readonly directory: string;
  /** Tells an agent whose token was carried over to a new agent row. */
  readonly tokenHash: string;
}

/** The processes of this machine. */
export interface ProcessTable {
  list(): Promise<readonly RunningProcess[]>;
  /** The one of that number; undefined when it has ended. */
  find(pid: number): Promise<RunningProcess | undefined>;
}

/** Variables of an agent's environment, which whatever it starts inherits. */
export const markVariables = {
  agentId: "SLIPWAY_PROCESS",
  directory: "SLIPWAY_PROCESS_DIR",
  token: "CODER_AGENT_TOKEN",
} as const;

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
