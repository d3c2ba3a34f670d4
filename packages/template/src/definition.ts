/**
 * The content of a template version, validated and with every default applied. It is stored as JSON, where
 * `undefined` fields are absent, which reads the same. Omitted texts are empty. Times are whole seconds.
 */
export interface TemplateDefinition {
  readonly driver: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly parameters: readonly ParameterDefinition[];
  readonly presets: readonly PresetDefinition[];
  /** The effect of a claim on a prebuild's processes; undefined for `take-over`. */
  readonly onClaim: OnClaim | undefined;
  /** The external auth providers whose tokens workspaces use; undefined for none. */
  readonly externalAuth: readonly ExternalAuthDefinition[] | undefined;
  /** True if resources of the type `externalAgentType` are declared, whether or not the values of parameters create them. */
  readonly hasExternalAgents?: boolean | undefined;
  /** The tags of the provisioners that carry out its builds, beside those of the push. */
  readonly tags?: readonly TagDefinition[] | undefined;
  /** The agents; at least one. */
  readonly agents: readonly AgentDefinition[];
  /**
   * The places in a configuration that declare parameters, if some parameters depend on the values of others or on the owner;
   * `parameters` are then those of the defaults.
   */
  readonly parameterSources?: readonly ParameterSource[] | undefined;
}

/** The place in a configuration that declares a parameter, or several with different names. */
export interface ParameterSource {
  /** The address in the configuration: `module.ide.data.coder_parameter.theme`. */
  readonly address: string;
  /** Undefined if the name is not constant. */
  readonly name: string | undefined;
  /** True if it may apply to one build only. */
  readonly mayBeEphemeral: boolean;
}

/** A tag of the provisioners that carry out builds. */
export interface TagDefinition {
  readonly name: string;
  readonly value: string;
  /** The parameter whose value it has in a build; omitted for a fixed tag. */
  readonly parameter?: string;
}

/**
 * The effects of a claim. `take-over`: the agents continue for the new owner. `restart`: they end, and others are
 * started.
 */
export const onClaims = ["take-over", "restart"] as const;
export type OnClaim = (typeof onClaims)[number];

/** A token provider, by its id on the server. */
export interface ExternalAuthDefinition {
  readonly id: string;
  /** True if a workspace starts without a login to it. */
  readonly isOptional: boolean;
}

export const parameterTypes = ["string", "number", "bool", "list(string)"] as const;
export type ParameterType = (typeof parameterTypes)[number];
export const formTypes = [
  "input",
  "textarea",
  "radio",
  "dropdown",
  "slider",
  "checkbox",
  "switch",
  "multi-select",
  "tag-select",
] as const;
export type FormType = (typeof formTypes)[number];
export const monotonies = ["increasing", "decreasing"] as const;

/** A value that the creator of a workspace chooses (docs/protocol/clients.md §2.2). Values of every type are texts. */
export interface ParameterDefinition {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly type: ParameterType;
  readonly formType: FormType;
  /** The default; without one the parameter is required. */
  readonly default: string | undefined;
  /** True if it may change after the first build. */
  readonly isMutable: boolean;
  /** True if it applies to one build only. */
  readonly isEphemeral: boolean;
  readonly options: readonly ParameterOption[];
  readonly validation: ParameterValidation | undefined;
  /** The appearance of its form element; undefined for the default one. */
  readonly styling?: ParameterStyling | undefined;
}

/** The appearance of a form element, by the names on the wire (docs/protocol/clients.md §2.2). */
export interface ParameterStyling {
  readonly placeholder?: string;
  readonly label?: string;
  readonly disabled?: boolean;
  readonly mask_input?: boolean;
}

export interface ParameterOption {
  readonly name: string;
  readonly value: string;
  readonly description: string;
  readonly icon: string;
}

export interface ParameterValidation {
  readonly regex: string | undefined;
  /** The message to users who break the rule; empty for the default message. */
  readonly error: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly monotonic: (typeof monotonies)[number] | undefined;
}

export interface PresetDefinition {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly isDefault: boolean;
  readonly parameters: readonly NamedValue[];
  readonly prebuilds: PrebuildsDefinition | undefined;
}

/** A parameter's value, as in requests and builds. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** The pool of a preset (docs/protocol/prebuilds.md §2.4). */
export interface PrebuildsDefinition {
  readonly instances: number;
  /** The lifetime; 0 means forever. */
  readonly expireAfterSeconds: number;
  readonly schedule: ScheduleDefinition | undefined;
}

/** Time windows with a different number of instances; no two of them overlap. */
export interface ScheduleDefinition {
  /** An IANA name. */
  readonly timezone: string;
  readonly windows: readonly { readonly cron: string; readonly instances: number }[];
}

export const operatingSystems = ["linux", "darwin", "windows"] as const;
export const architectures = ["amd64", "arm64", "armv7"] as const;
/** The values in the order in which they are stored (docs/protocol/rest.md §6.1). */
export const displayApps = [
  "vscode",
  "vscode_insiders",
  "ssh_helper",
  "port_forwarding_helper",
  "web_terminal",
] as const;
export type DisplayAppName = (typeof displayApps)[number];
export const sharingLevels = ["owner", "authenticated", "organization", "public"] as const;
export const openIns = ["slim-window", "tab"] as const;

/** The clouds whose machines can prove their identity, by the names that agents know (docs/protocol/agent.md §1.1). */
export const identityAuths = [
  "aws-instance-identity",
  "azure-instance-identity",
  "google-instance-identity",
] as const;
export type IdentityAuth = (typeof identityAuths)[number];

/** The cloud machine on which an agent runs, which authenticates it in place of a token. */
export interface IdentityDefinition {
  readonly auth: IdentityAuth;
  readonly instanceId: string;
}

/** One agent of the workspace. Its texts may contain `${{ … }}` until `renderDefinition` has replaced them. */
export interface AgentDefinition {
  readonly name: string;
  readonly os: (typeof operatingSystems)[number];
  readonly arch: (typeof architectures)[number];
  readonly directory: string;
  /** The time after which it is reported as late; 0 for never. */
  readonly connectionTimeoutSeconds: number;
  readonly troubleshootingUrl: string;
  readonly motdFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly scripts: readonly ScriptDefinition[];
  readonly metadata: readonly MetadataDefinition[];
  readonly apps: readonly AppDefinition[];
  readonly displayApps: readonly DisplayAppName[];
  readonly monitoring: MonitoringDefinition | undefined;
  /** The identity; undefined for an agent that is started with its token. */
  readonly identity: IdentityDefinition | undefined;
  /** The container in which the agent runs; undefined for a driver without containers. */
  readonly container: ContainerDefinition | undefined;
  /** The dev containers that the agent starts; undefined for none. */
  readonly devContainers: readonly DevContainerDefinition[] | undefined;
}

/** A dev container of a project in the workspace. Its paths are those of the agent, which expands `~` and variables. */
export interface DevContainerDefinition {
  readonly name: string;
  /** The directory of the project. */
  readonly workspaceFolder: string;
  /** The configuration file, relative to the directory; empty for the default one. */
  readonly configPath: string;
}

/**
 * The container of an agent, in words that hold for every driver that runs containers. Image, command, environment,
 * sizes and processors may contain `${{ … }}` until they are rendered; `containerValues` reads them then.
 */
export interface ContainerDefinition {
  /** The reference of the image; empty if it is built. */
  readonly image: string;
  readonly build: ImageBuildDefinition | undefined;
  /** The user's name, or its number with an optional group; empty for the user of the image. */
  readonly user: string;
  /** The words of the program that runs beside the agent; empty for none. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Empty for no limit; so are the next two. */
  readonly cpus: string;
  readonly memory: string;
  readonly storage: string;
  readonly pids: number | undefined;
  readonly volumes: readonly VolumeDefinition[];
  readonly ports: readonly PortDefinition[];
  readonly docker: DockerDefinition;
  /** Undefined for the defaults. */
  readonly kubernetes: KubernetesDefinition | undefined;
}

/** An image that is built from the template's files; paths are relative to `slipway.yaml`. */
export interface ImageBuildDefinition {
  readonly dockerfile: string;
  readonly context: string;
  /** The stage of the Dockerfile; empty for the last one. */
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
}

/** A directory that survives stops and ends with the workspace. */
export interface VolumeDefinition {
  readonly name: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

export interface PortDefinition {
  readonly name: string;
  readonly port: number;
}

export const pullPolicies = ["missing", "always", "never"] as const;

/** The settings that only Docker knows. Those from `isPrivileged` on need the operator's permission. */
export interface DockerDefinition {
  /** The OCI runtime; empty for the default. */
  readonly runtime: string;
  /** The network; empty for the deployment's own. */
  readonly network: string;
  /** `all`, or a number; empty for none. */
  readonly gpus: string;
  readonly shmBytes: number | undefined;
  readonly pull: (typeof pullPolicies)[number];
  readonly extraHosts: readonly string[];
  readonly isPrivileged: boolean;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly devices: readonly string[];
  readonly binds: readonly string[];
  readonly capabilities: readonly string[];
}

export const tolerationEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

/**
 * The settings that only Kubernetes knows. The runtime class, the service account and the patch need the operator's
 * permission.
 */
export interface KubernetesDefinition {
  /** The resources to reserve; undefined for the container's limits. */
  readonly requests: {
    readonly cpus: number | undefined;
    readonly memoryBytes: number | undefined;
  };
  /** Empty for the cluster's default; so are the next two. */
  readonly storageClass: string;
  readonly runtimeClass: string;
  readonly serviceAccount: string;
  /** The size of each volume. */
  readonly volumeBytes: number;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly TolerationDefinition[];
  readonly imagePullSecrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** A strategic merge patch of the pod's specification. */
  readonly patch: Readonly<Record<string, unknown>>;
}

/** Taints that a pod tolerates; an undefined field tolerates any. */
export interface TolerationDefinition {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly effect: (typeof tolerationEffects)[number] | undefined;
  readonly seconds: number | undefined;
}

export interface ScriptDefinition {
  readonly key: string;
  readonly displayName: string;
  readonly icon: string;
  readonly runOnStart: boolean;
  readonly runOnStop: boolean;
  /**
   * Six fields, seconds first, as agents expect (docs/protocol/agent.md §4.4); empty for a script without a schedule.
   */
  readonly cron: string;
  readonly blocksLogin: boolean;
  /** The time limit; 0 for none. */
  readonly timeoutSeconds: number;
  readonly run: string;
  readonly logPath: string;
}

export interface MetadataDefinition {
  readonly key: string;
  readonly displayName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly run: string;
  /** The order (default: the position in the file). */
  readonly order: number;
}

export interface AppDefinition {
  readonly slug: string;
  readonly displayName: string;
  /** The URL; empty for an app that is a command. */
  readonly url: string;
  readonly command: string;
  readonly icon: string;
  readonly isExternal: boolean;
  readonly isSubdomain: boolean;
  readonly share: (typeof sharingLevels)[number];
  readonly health: HealthDefinition | undefined;
  readonly group: string;
  readonly isHidden: boolean;
  readonly openIn: (typeof openIns)[number];
  /** The order (default: the position in the file). */
  readonly order: number;
  readonly tooltip: string;
}

export interface HealthDefinition {
  readonly url: string;
  readonly intervalSeconds: number;
  /** The number of consecutive failures that still count as healthy. */
  readonly threshold: number;
}

/** The usage percentages from which to warn. */
export interface MonitoringDefinition {
  readonly memoryThreshold: number | undefined;
  readonly volumes: readonly { readonly path: string; readonly threshold: number }[];
}
