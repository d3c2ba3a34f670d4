/** A port of a container, with the names of docs/protocol/agent.md §8.6. */
export interface ContainerPort {
  readonly port: number;
  readonly network: string;
  /** Absent for a port that is not published. */
  readonly host_ip?: string;
  readonly host_port?: number;
}

/** A container, with the names of docs/protocol/agent.md §8.6. */
export interface Container {
  readonly created_at: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  readonly ports: readonly ContainerPort[];
  readonly status: string;
  /** The targets of mounts by their sources. */
  readonly volumes: Readonly<Record<string, string>>;
}

export type DevcontainerStatus =
  | "running"
  | "stopped"
  | "starting"
  | "stopping"
  | "deleting"
  | "error";

/** A dev container, with the names of docs/protocol/agent.md §8.6. */
export interface Devcontainer {
  readonly id: string;
  readonly name: string;
  readonly workspace_folder: string;
  readonly config_path?: string;
  /** The agent that the template defines for it. */
  readonly subagent_id: string | null;
  readonly status: DevcontainerStatus;
  /** True if its configuration has changed since its container was created. */
  readonly dirty: boolean;
  readonly container?: Container;
  readonly agent?: DevcontainerAgent;
  readonly error?: string;
}

/** The agent that runs in a dev container. */
export interface DevcontainerAgent {
  readonly id: string;
  readonly name: string;
  readonly directory: string;
}

/** The answer of `GET /api/v0/containers`. */
export interface ContainerList {
  readonly devcontainers: readonly Devcontainer[];
  readonly containers: readonly Container[];
  readonly warnings?: readonly string[];
}

/** The labels by which tools mark the containers that they create. */
export const labels = {
  folder: "devcontainer.local_folder",
  configFile: "devcontainer.config_file",
  isTestRun: "devcontainer.is_test_run",
  metadata: "devcontainer.metadata",
  composeProject: "com.docker.compose.project",
  composeDirectory: "com.docker.compose.project.working_dir",
} as const;
