import { Type } from "typebox";

import { SharingLevel } from "../agents/app.ts";
import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Uuid } from "../contract/scalars.ts";

/** The range of ports that can be shared; the ports below it are the agent's own (docs/protocol/rest.md §5). */
export const minSharedPort = 9;
export const maxSharedPort = 65_535;

/** The protocol that the server behind a port speaks. */
export const PortProtocol = oneOf("http", "https");
export type PortProtocol = Infer<typeof PortProtocol>;

const port = Type.Integer({ minimum: minSharedPort, maximum: maxSharedPort });

/** A port of a workspace that users other than its owner may open. */
export const PortShare = Type.Object({
  workspace_id: Uuid,
  agent_name: Type.String(),
  port,
  /** The level in effect: that of the share, or that of its template if it is lower. */
  share_level: SharingLevel,
  protocol: PortProtocol,
});
export type PortShare = Infer<typeof PortShare>;

export const PortSharesResponse = Type.Object({ shares: Type.Array(PortShare) });

const agentName = Type.String({ maxLength: 64 });

/** The level `owner` is refused: a port without a share is for its owner alone. */
export const PortShareRequest = Type.Object({
  agent_name: agentName,
  port,
  share_level: SharingLevel,
  /** Defaults to `http`. */
  protocol: Type.Optional(PortProtocol),
});
export type PortShareRequest = Infer<typeof PortShareRequest>;

export const DeletePortShareRequest = Type.Object({ agent_name: agentName, port });
export type DeletePortShareRequest = Infer<typeof DeletePortShareRequest>;

const params = Type.Object({ workspace: Type.String() });

export const listPortShares = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/port-share",
  summary: "List the shared ports of a workspace",
  scopes: ["workspace:read"],
  params,
  response: PortSharesResponse,
});

export const sharePort = defineRoute({
  method: "POST",
  path: "/workspaces/:workspace/port-share",
  summary: "Share a port of a workspace, or change how it is shared",
  scopes: ["workspace:update"],
  params,
  body: PortShareRequest,
  response: PortShare,
});

export const unsharePort = defineRoute({
  method: "DELETE",
  path: "/workspaces/:workspace/port-share",
  summary: "Stop sharing a port of a workspace",
  scopes: ["workspace:update"],
  params,
  body: DeletePortShareRequest,
  response: Type.Null(),
});
