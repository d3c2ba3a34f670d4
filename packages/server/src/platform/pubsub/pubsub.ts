/**
 * A callback for a possible change behind a topic, which it gets; a subscriber of all topics of a kind gets `kind:*` if
 * any of them may have changed. Must be quick and not throw.
 */
export type Listener = (topic: string) => void;

/**
 * Hints between replicas: "the data behind this topic may have changed, look again". A hint may arrive late, twice or
 * never, so every waiter also checks periodically.
 */
export interface PubSub {
  /**
   * Calls `listener` at each hint until the result is disposed of. `kind:*` stands for all topics that begin with `kind:`.
   * Subscribe before you read.
   */
  subscribe(topic: string, listener: Listener): Disposable;
  /** Hints here immediately, and at the other replicas within milliseconds. Call it after the commit. */
  publish(topic: string): void;
}

/**
 * Local hints for callers that hint through a transaction (`notifyAtCommit`), so that they need not wait for the round
 * trip.
 */
export interface LocalHints {
  /** Hints only here, and immediately. Call it after the commit. */
  hintHere(topic: string): void;
}

/** The topics, each with the data to read again. */
export const topics = {
  agentLogs: (agentId: string) => `agent-logs:${agentId}`,
  agentMetadata: (agentId: string) => `agent-metadata:${agentId}`,
  /** The workspace's builds and sub-agents, which determine whose agents are live. */
  builds: (workspaceId: string) => `builds:${workspaceId}`,
  /** The owner of the workspace's agents, which a claim changes. */
  claim: (workspaceId: string) => `claim:${workspaceId}`,
  /** The program that waits for the code that the user looks at. */
  deviceLookup: (userId: string) => `device-lookup:${userId}`,
  /** The user's links to external providers. */
  externalAuth: (userId: string) => `external-auth:${userId}`,
  /** The notifications of a user. */
  inbox: (userId: string) => `inbox:${userId}`,
  /** The notifications of all users. */
  inboxes: "inboxes",
  job: (jobId: string) => `job:${jobId}`,
  /** Requests to cancel the job. */
  jobCancel: (jobId: string) => `job-cancel:${jobId}`,
  jobQueue: "job-queue",
  /** The answer to a question about parameters. */
  parameterReading: (readingId: string) => `parameter-reading:${readingId}`,
  /** The desired and actual state of the pool of a preset. */
  prebuilds: (presetId: string) => `prebuilds:${presetId}`,
  /** The key of provisioners: it was deleted. */
  provisionerKey: (keyId: string) => `provisioner-key:${keyId}`,
  /** The questions about parameters to the provisioner of a session. */
  provisionerSession: (sessionId: string) => `provisioner-session:${sessionId}`,
  /** The relays of all replicas. */
  relays: "relays",
  /** The sessions, tokens and rights of a user that have ended or changed; the database itself hints (migration 0069). */
  sessions: (userId: string) => `sessions:${userId}`,
  /** The peers of the network that a peer sees. */
  tailnetPeer: (peerId: string) => `tailnet-peer:${peerId}`,
  template: (templateId: string) => `template:${templateId}`,
  workspace: (workspaceId: string) => `workspace:${workspaceId}`,
  /** The list of an owner's workspaces: one was created, claimed or deleted. */
  workspaces: (ownerId: string) => `workspaces:${ownerId}`,
} as const;

/** A kind of topics that end with an id. */
export type TopicKind = {
  [Kind in keyof typeof topics]: (typeof topics)[Kind] extends (id: string) => string
    ? Kind
    : never;
}[keyof typeof topics];

/** Returns the topic that stands for all of a kind. */
export function allOf(kind: TopicKind): string {
  return topics[kind]("*");
}
