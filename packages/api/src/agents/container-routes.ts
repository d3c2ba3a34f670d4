import { Type } from "typebox";

import { TextsBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

const AgentParams = Type.Object({ agent: Type.String() });

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
  summary: "List the containers of a workspace",
  scopes: ["workspace:read"],
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
  summary: "Watch the containers of a workspace",
  scopes: ["workspace:read"],
  kind: "socket",
  params: AgentParams,
  response: Containers,
});

const DevcontainerParams = Type.Object({ agent: Type.String(), devcontainer: Type.String() });

export const deleteDevcontainer = defineRoute({
  method: "DELETE",
  path: "/workspaceagents/:agent/containers/devcontainers/:devcontainer",
  summary: "Delete a dev container",
  scopes: ["workspace:update"],
  params: DevcontainerParams,
  status: 204,
  response: Type.Null(),
});

export const recreateDevcontainer = defineRoute({
  method: "POST",
  path: "/workspaceagents/:agent/containers/devcontainers/:devcontainer/recreate",
  summary: "Recreate a dev container",
  scopes: ["workspace:update"],
  params: DevcontainerParams,
  status: 202,
  response: TextsBody,
});
