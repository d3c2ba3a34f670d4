import type { Clock, Logger } from "@slipway/runtime";

/**
 * The wishes of a template that give it power over the host, its network or other containers. The operator permits each
 * by its name (`SLIPWAY_DOCKER_ALLOW`).
 */
export const dockerPermissions = [
  "privileged",
  "host-network",
  "host-pid",
  "devices",
  "binds",
  "capabilities",
  "ports",
  "networks",
] as const;

export type DockerPermission = (typeof dockerPermissions)[number];

/** The address of a Docker Engine or a podman service. */
export type DockerEndpoint =
  | { readonly socketPath: string }
  | {
      /** Such as `https://docker.example.com:2376`. */
      readonly url: string;
      /** In PEM; undefined for an `http` URL. */
      readonly tls:
        | { readonly ca: string | undefined; readonly cert: string; readonly key: string }
        | undefined;
    };

/** The archive of the agent, `slipway-linux-<arch>.tar.gz`. */
export interface AgentArchive {
  readonly path: string;
  /** A checksum of its content in hexadecimal digits. */
  readonly hash: string;
}

export interface ArchiveRequest {
  readonly arch: string;
  /** Takes lines about the progress, for the log of the build. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

export interface DockerDriverOptions {
  readonly endpoint: DockerEndpoint;
  /** Returns the agent's archive, which is made or downloaded if this installation lacks it. */
  readonly readArchive: (request: ArchiveRequest) => Promise<AgentArchive>;
  /** Returns the URL at which containers reach the server. */
  readonly containerUrl: (signal: AbortSignal) => Promise<string>;
  /** The wishes that templates may have. */
  readonly allow: ReadonlySet<DockerPermission>;
  /** The OCI runtimes that templates may name in addition to the engine's default. */
  readonly runtimes: readonly string[];
  /** The network of the containers; undefined for one that the driver creates. */
  readonly network: string | undefined;
  /** Returns the credentials of a registry, such as `docker.io` or `registry.example.com:5000`. */
  readonly registryAuth: (registry: string) => Promise<RegistryCredentials | undefined>;
  /** Distinguishes the containers of servers that share an engine. */
  readonly deploymentId: string;
  readonly logger: Logger;
  readonly clock: Clock;
}
