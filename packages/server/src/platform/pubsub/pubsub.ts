/** Hears that something behind a topic may have changed. Must be quick and not throw. */
export type Listener = () => void;

/**
 * Hints between replicas: "what stands behind this topic may have changed, look again". A hint may come late, twice
 * or never, so every waiter also looks by itself after a while.
 */
export interface PubSub {
  /** Calls `listener` at each hint until the result is disposed of. Subscribe before you read. */
  subscribe(topic: string, listener: Listener): Disposable;
  /** Hints here at once, and to the other replicas within milliseconds. Call it after the commit. */
  publish(topic: string): void;
}

/** For whoever hints by a transaction (`notifyAtCommit`): here that need not come round first. */
export interface LocalHints {
  /** Hints here alone, at once. Call it after the commit. */
  hintHere(topic: string): void;
}

/** The topics, each with what is to be read again. */
export const topics = {
  agentLogs: (agentId: string) => `agent-logs:${agentId}`,
  agentMetadata: (agentId: string) => `agent-metadata:${agentId}`,
  /** Whether the workspace's agents have become another owner's. */
  claim: (workspaceId: string) => `claim:${workspaceId}`,
  job: (jobId: string) => `job:${jobId}`,
  /** Whether somebody wants the job to end. */
  jobCancel: (jobId: string) => `job-cancel:${jobId}`,
  jobQueue: "job-queue",
  /** Whether pools have what they should. */
  prebuilds: "prebuilds",
  /** Whose session or token ended, or whose rights changed; the database itself hints (migration 0007). */
  sessions: "sessions",
  template: (templateId: string) => `template:${templateId}`,
  workspace: (workspaceId: string) => `workspace:${workspaceId}`,
} as const;
