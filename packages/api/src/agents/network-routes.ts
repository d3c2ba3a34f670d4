import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { ErrorBody } from "../errors/api-error.ts";

const AgentParams = Type.Object({ agent: Type.String() });

export const ListeningPorts = Type.Object({
  ports: Type.Array(
    Type.Object({
      process_name: Type.String(),
      network: Type.String(),
      port: Type.Integer(),
    }),
  ),
});

export const getListeningPorts = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/listening-ports",
  summary: "List the ports on which programs beside an agent listen",
  params: AgentParams,
  response: ListeningPorts,
});

const ContainerPort = Type.Object({
  port: Type.Integer(),
  network: Type.String(),
  host_ip: Type.Optional(Type.String()),
  host_port: Type.Optional(Type.Integer()),
});

const Container = Type.Object({
  created_at: Timestamp,
  id: Type.String(),
  name: Type.String(),
  image: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  running: Type.Boolean(),
  ports: Type.Array(ContainerPort),
  status: Type.String(),
  volumes: Type.Record(Type.String(), Type.String()),
});

const Devcontainer = Type.Object({
  id: Uuid,
  name: Type.String(),
  workspace_folder: Type.String(),
  config_path: Type.Optional(Type.String()),
  subagent_id: nullable(Uuid),
  status: oneOf("running", "stopped", "starting", "stopping", "deleting", "error"),
  dirty: Type.Boolean(),
  container: Type.Optional(Container),
  agent: Type.Optional(Type.Object({ id: Uuid, name: Type.String(), directory: Type.String() })),
  error: Type.Optional(Type.String()),
});

/** The containers that run beside an agent (docs/protocol/rest.md §6.5). */
export const Containers = Type.Object({
  devcontainers: Type.Array(Devcontainer),
  containers: Type.Array(Container),
  warnings: Type.Optional(Type.Array(Type.String())),
});

export const getContainers = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/containers",
  summary: "List the containers beside an agent",
  params: AgentParams,
  /** Filters by `label=key=value`; repeated, all must match. */
  query: Type.Object({
    label: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 16 })])),
  }),
  response: Containers,
});

export const watchContainers = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/containers/watch",
  summary: "Watch the containers beside an agent",
  kind: "socket",
  params: AgentParams,
  response: Containers,
});

const DevcontainerParams = Type.Object({ agent: Type.String(), devcontainer: Type.String() });

export const deleteDevcontainer = defineRoute({
  method: "DELETE",
  path: "/workspaceagents/:agent/containers/devcontainers/:devcontainer",
  summary: "Delete a devcontainer",
  params: DevcontainerParams,
  status: 204,
  response: Type.Null(),
});

export const recreateDevcontainer = defineRoute({
  method: "POST",
  path: "/workspaceagents/:agent/containers/devcontainers/:devcontainer/recreate",
  summary: "Make a devcontainer anew",
  params: DevcontainerParams,
  status: 202,
  response: ErrorBody,
});

const DerpNode = Type.Object({
  Name: Type.String(),
  RegionID: Type.Integer(),
  HostName: Type.String(),
  CertName: Type.Optional(Type.String()),
  IPv4: Type.Optional(Type.String()),
  IPv6: Type.Optional(Type.String()),
  STUNPort: Type.Optional(Type.Integer()),
  STUNOnly: Type.Optional(Type.Boolean()),
  DERPPort: Type.Optional(Type.Integer()),
  InsecureForTests: Type.Optional(Type.Boolean()),
  ForceHTTP: Type.Optional(Type.Boolean()),
  STUNTestIP: Type.Optional(Type.String()),
  CanPort80: Type.Optional(Type.Boolean()),
});

/** The relays, by the number of their region; the keys are those of the wire (docs/protocol/rest.md §6.7). */
export const DerpMap = Type.Object({
  HomeParams: Type.Optional(
    Type.Object({ RegionScore: Type.Optional(Type.Record(Type.String(), Type.Number())) }),
  ),
  omitDefaultRegions: Type.Optional(Type.Boolean()),
  Regions: Type.Record(
    Type.String(),
    Type.Object({
      EmbeddedRelay: Type.Boolean(),
      RegionID: Type.Integer(),
      RegionCode: Type.String(),
      RegionName: Type.String(),
      Avoid: Type.Optional(Type.Boolean()),
      Nodes: Type.Array(DerpNode),
    }),
  ),
});
export type DerpMap = Infer<typeof DerpMap>;

export const ConnectionInfo = Type.Object({
  derp_map: DerpMap,
  derp_force_websockets: Type.Boolean(),
  disable_direct_connections: Type.Boolean(),
  hostname_suffix: Type.Optional(Type.String()),
});
export type ConnectionInfo = Infer<typeof ConnectionInfo>;

export const getAgentConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/connection",
  summary: "Tell how a client connects to an agent",
  params: AgentParams,
  response: ConnectionInfo,
});

export const getConnection = defineRoute({
  method: "GET",
  path: "/workspaceagents/connection",
  summary: "Tell how a client connects to any agent",
  response: ConnectionInfo,
});

export const watchDerpMap = defineRoute({
  method: "GET",
  path: "/derp-map",
  summary: "Watch the map of relays over a WebSocket",
  caller: "anyone",
  kind: "socket",
  response: DerpMap,
});

const VersionQuery = Type.Object({
  version: Type.Optional(Type.String()),
  resume_token: Type.Optional(Type.String()),
});

export const coordinateAgent = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/coordinate",
  summary: "Meet an agent on the encrypted network: DRPC over yamux over binary WebSocket messages",
  kind: "socket",
  params: AgentParams,
  query: VersionQuery,
  response: Type.Unknown(),
});

export const joinTailnet = defineRoute({
  method: "GET",
  path: "/tailnet",
  summary:
    "Meet all one's agents on the encrypted network: DRPC over yamux over binary WebSocket messages",
  kind: "socket",
  query: VersionQuery,
  response: Type.Unknown(),
});

export const openTerminal = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/pty",
  summary: "Open a terminal beside an agent over a WebSocket",
  kind: "socket",
  params: AgentParams,
  query: Type.Object({
    reconnect: Type.Optional(Type.String()),
    width: Type.Optional(Type.String()),
    height: Type.Optional(Type.String()),
    command: Type.Optional(Type.String()),
    container: Type.Optional(Type.String()),
    container_user: Type.Optional(Type.String()),
    backend_type: Type.Optional(Type.String()),
  }),
  response: Type.Unknown(),
});
