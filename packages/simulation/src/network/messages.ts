/** The first message of a connection. */
export type Request =
  | { readonly type: "reinit"; readonly token: string; readonly waits: boolean }
  | { readonly type: "rpc"; readonly token: string }
  | { readonly type: "api"; readonly call: ApiCall };

/** The calls of users and administrators to the server. */
export type ApiCall =
  | {
      readonly name: "create";
      readonly userId: string;
      readonly workspaceName: string;
      /** A preset with a pool; without one the workspace is new. */
      readonly presetId: string | undefined;
    }
  | {
      readonly name: "build";
      readonly userId: string;
      readonly workspaceId: string;
      readonly transition: "start" | "stop" | "delete";
    }
  | { readonly name: "cancel"; readonly userId: string; readonly workspaceId: string }
  | { readonly name: "invalidate"; readonly presetId: string }
  | { readonly name: "promote"; readonly templateId: string; readonly versionId: string };

/** A message from the client, after the request. */
export type ClientMessage = {
  readonly type: "call";
  readonly id: number;
} & AgentCall;

/** The calls of an agent to the server over its session. */
export type AgentCall =
  | { readonly method: "manifest" }
  /** The basis of its decisions, which a real agent's version implies. */
  | { readonly method: "startup"; readonly decides: "identity" | "frames" }
  | { readonly method: "lifecycle"; readonly report: LifecycleReport }
  | { readonly method: "sub-agent" };

export interface LifecycleReport {
  readonly state: string;
  /** The time on the clock of the agent's machine. */
  readonly changedAtMs: number;
}

export type ServerMessage =
  | { readonly type: "status"; readonly status: 200 | 401 | 409 | 500 }
  | { readonly type: "ping" }
  | { readonly type: "frame"; readonly workspaceId: string; readonly ownerId: string | undefined }
  /** The answer to the call with this id; to an API request, 0. */
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly message: string };

/** The manifest, which describes an agent to itself. */
export interface SimulatedManifest {
  readonly agentId: string;
  readonly workspaceId: string;
  readonly agentName: string;
  readonly ownerName: string;
}
