/** The names of the tools that the pages of an agent offer (docs/protocol/rpc.md §7.12). */
export const displayApps = [
  "vscode",
  "vscode_insiders",
  "web_terminal",
  "ssh_helper",
  "port_forwarding_helper",
] as const;
export type DisplayApp = (typeof displayApps)[number];

export type AppSharing = "owner" | "authenticated" | "public" | "organization";

/** An application of a dev container, as its configuration describes it; what is absent is the server's default. */
export interface SubAgentApp {
  readonly slug: string;
  readonly command?: string;
  readonly displayName?: string;
  readonly external?: boolean;
  readonly group?: string;
  readonly healthcheck?: {
    readonly interval: number;
    readonly threshold: number;
    readonly url: string;
  };
  readonly hidden?: boolean;
  readonly icon?: string;
  readonly openIn?: "slim-window" | "tab";
  readonly order?: number;
  readonly share?: AppSharing;
  readonly subdomain?: boolean;
  readonly url?: string;
}

/** A sub-agent that is to be created. */
export interface NewSubAgent {
  /** The agent that the template defines for the dev container; undefined for a new one. */
  readonly id: string | undefined;
  readonly name: string;
  /** The folder of the project in the container. */
  readonly directory: string;
  readonly architecture: string;
  readonly displayApps: readonly DisplayApp[];
  readonly apps: readonly SubAgentApp[];
}

export interface CreatedSubAgent {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** The reasons why apps were not created. */
  readonly appErrors: readonly string[];
}

/** The server, as an agent asks it for sub-agents. Every method rejects while the agent is not connected. */
export interface SubAgentServer {
  create(agent: NewSubAgent, signal: AbortSignal): Promise<CreatedSubAgent>;
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Resolves to the ids of all sub-agents of the agent. */
  list(signal: AbortSignal): Promise<readonly string[]>;
}
