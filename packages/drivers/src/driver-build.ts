/** A start, stop or deletion of a workspace, as passed to a driver. */
export interface DriverBuild {
  readonly id: string;
  /** Counts from 1 in each workspace. */
  readonly number: number;
  readonly transition: "start" | "stop" | "delete";
  readonly workspace: DriverWorkspace;
  readonly template: DriverTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  /** True for a workspace that waits in a pool. */
  readonly isPrebuild: boolean;
  /**
   * The agents of this build; for a claim, a stop, a deletion, and a driver whose templates declare their agents, the
   * running ones: those of the last start whose agents did not end.
   */
  readonly agents: readonly DriverAgent[];
  readonly limits: DriverLimits;
  /** The URL at which agents reach the server. */
  readonly accessUrl: string;
  /**
   * Reads the state that the driver returned from the workspace's previous build, or that was kept of this one. It is read
   * again by each call, and may be large: hold it no longer than it is needed.
   */
  readonly readState: () => Promise<Uint8Array | undefined>;
  /** Keeps a state while the build is carried out, in case that it fails, is canceled, or never ends. */
  readonly keepState: (state: Uint8Array) => Promise<void>;
  /**
   * Makes the lease of the build's job longer until the result is disposed of: no other server carries the build out before
   * the lease ends. For programs that go on without the server. Throws if another server has the build by now.
   */
  readonly hold: (times: LeaseTimes) => Promise<BuildHold>;
}

export interface LeaseTimes {
  readonly lastsMs: number;
  /** The time without a renewal after which the server aborts the build. */
  readonly patienceMs: number;
}

export interface BuildHold extends AsyncDisposable {
  /**
   * The wall-clock time of the last renewal, in milliseconds: the lease begins no earlier than then, even if the clock was
   * set meanwhile.
   */
  readonly renewedAtMs: () => number;
}

export interface DriverWorkspace {
  readonly id: string;
  readonly name: string;
  readonly owner: DriverOwner;
}

/** The user that a build is for. */
export interface DriverOwner {
  readonly id: string;
  readonly username: string;
  /** The full name; empty if it is unknown. */
  readonly name: string;
  readonly email: string;
  /** The roles in the deployment; empty for a member. */
  readonly roles: readonly string[];
  /** The organization of the workspace, whose member they are. */
  readonly organizationId: string;
  /** The way in which the user logs in: `password`, `oidc`, … */
  readonly loginType: string;
  /** The SSH key for Git; undefined for a driver that needs none, in pools, and for suspended users. */
  readonly gitKey: DriverGitKey | undefined;
}

export interface DriverGitKey {
  /** In the form of `authorized_keys`. */
  readonly publicKey: string;
  /** In plaintext; empty if the server withholds it. Never logged. */
  readonly privateKey: string;
}

export interface DriverTemplate {
  /** The nil UUID before there is a template. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The driver settings of the template, with all values filled in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The template version's files, unpacked; undefined for a driver that does not need them. */
  readonly directory: string | undefined;
  /** The driver's notes from the import of the version (`DriverReading`). */
  readonly notes: Uint8Array | undefined;
}

export interface DriverAgent {
  readonly id: string;
  readonly name: string;
  /** In plaintext, for the driver to pass to the agent; empty if it is lost and the agent is running. Never logged. */
  readonly token: string;
  readonly platform: { readonly os: string; readonly arch: string };
  /** The directory in which sessions start; the agent expands `~`. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The container in which it runs; undefined for a driver without containers. */
  readonly container: DriverContainer | undefined;
}

/** A container as the template describes it, with all values filled in. Sizes are in bytes. */
export interface DriverContainer {
  /** A reference such as `debian:12`; ignored if there is a `build`. */
  readonly image: string;
  /** Undefined for an image that exists already. */
  readonly build: ContainerBuild | undefined;
  /** A name or a uid, with `:group` if wanted; empty for the image's user. */
  readonly user: string;
  /** The main program that runs beside the agent; empty for none. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  /** The maximum number of processes and threads. */
  readonly pids: number | undefined;
  /** The maximum size of what the container writes outside its volumes. */
  readonly storageBytes: number | undefined;
  readonly volumes: readonly ContainerVolume[];
  readonly ports: readonly ContainerPort[];
  readonly docker: DockerSettings;
  /** Undefined for the defaults. */
  readonly kubernetes: KubernetesSettings | undefined;
}

/** A Dockerfile and its context, as paths relative to the template's directory. */
export interface ContainerBuild {
  readonly dockerfile: string;
  readonly context: string;
  /** The stage to build; empty for the last one. */
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
}

/** Storage that outlives the container and ends with the workspace. */
export interface ContainerVolume {
  readonly name: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
}

/** Settings of a container that only Docker has. */
export interface DockerSettings {
  /** The OCI runtime; empty for the engine's default. */
  readonly runtime: string;
  /** Empty for the network that the operator or the driver chooses. */
  readonly network: string;
  /** Empty, `all` or a number of GPUs. */
  readonly gpus: string;
  readonly shmBytes: number | undefined;
  readonly pull: "missing" | "always" | "never";
  /** Entries of `/etc/hosts` as `name:address`. */
  readonly extraHosts: readonly string[];
  readonly isPrivileged: boolean;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  /** Devices as `host path[:container path[:permissions]]`. */
  readonly devices: readonly string[];
  /** Directories of the host as `host path:container path[:options]`. */
  readonly binds: readonly string[];
  /** Capabilities beyond the default ones, such as `SYS_PTRACE`. */
  readonly capabilities: readonly string[];
}

/** Settings of a container that only Kubernetes has. */
export interface KubernetesSettings {
  /** The resources to reserve on the node; undefined for the container's limits. */
  readonly requests: {
    readonly cpus: number | undefined;
    readonly memoryBytes: number | undefined;
  };
  /** Empty for the cluster's default; so are the next two. */
  readonly storageClass: string;
  readonly runtimeClass: string;
  readonly serviceAccount: string;
  readonly volumeBytes: number;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly PodToleration[];
  readonly imagePullSecrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** A strategic merge patch of the pod's specification. */
  readonly patch: Readonly<Record<string, unknown>>;
}

/** Taints that a pod tolerates; an undefined field tolerates any. */
export interface PodToleration {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" | undefined;
  readonly seconds: number | undefined;
}

export interface DriverLimits {
  /** The time an agent has for its stop scripts before it is killed. */
  readonly stopTimeoutMs: number;
}

export const defaultDriverLimits: DriverLimits = { stopTimeoutMs: 60_000 };
