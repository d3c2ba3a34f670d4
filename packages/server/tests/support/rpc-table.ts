import type { ExternalAgent } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { DescMessage, DescMethod, MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  AppHealth,
  Connection_Action,
  Connection_Type,
  Lifecycle_State,
  Timing_Stage,
  Timing_Status,
  UpdateAppStatusRequest_AppStatusState,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import type { NamedAgent, Relation } from "./agents-world.ts";

type Connection = ExternalAgent["connection"];

/** An RPC of an agent: its request, and the agents that it may name. */
export interface RpcRow {
  readonly name: string;
  /** Agents whose resources it may change. */
  readonly allowed: readonly Relation[] | "names nothing";
  /** The result of naming a resource of any other agent: an error, or a row of the caller's own under that id. */
  readonly otherwise: "refused" | "done";
  /** Agents for which it reports success but changes nothing. */
  readonly ignored: readonly Relation[];
  /** True if a child has no resource of that kind, so that it is refused for itself too. */
  readonly isOfRootAgents: boolean;
  /** Calls it for the resources of an agent, as far as its message can name any. */
  readonly call: (connection: Connection, named: NamedAgent) => Promise<unknown>;
}

type UnaryMethod<I, O> = DescMethod & {
  readonly methodKind: "unary";
  readonly input: I;
  readonly output: O;
};

function row<I extends DescMessage, O extends DescMessage>(
  method: UnaryMethod<I, O>,
  allowed: RpcRow["allowed"],
  request: (named: NamedAgent) => MessageInitShape<I>,
  { otherwise = "refused", ignored = [], isOfRootAgents = false }: Partial<RpcRow> = {},
): RpcRow {
  return {
    name: method.name,
    allowed,
    otherwise,
    ignored,
    isOfRootAgents,
    call: (connection, named) => connection.unary(method, request(named), never),
  };
}

const never = new AbortController().signal;
const nothing = (): Record<string, never> => ({});
const { method: own } = Agent;
const start = timestampFromMs(1_700_000_000_000);
const end = timestampFromMs(1_700_000_001_000);

export const rpcTable: readonly RpcRow[] = [
  row(own.getManifest, "names nothing", nothing),
  row(own.getServiceBanner, "names nothing", nothing),
  row(own.getAnnouncementBanners, "names nothing", nothing),
  row(own.getResourcesMonitoringConfiguration, "names nothing", nothing),
  row(own.listSubAgents, "names nothing", nothing),
  row(own.updateStats, "names nothing", () => ({
    stats: { connectionCount: 1n, connectionsByProto: { TCP: 1n }, sessionCountSsh: 1n },
  })),
  row(own.updateLifecycle, "names nothing", () => ({
    lifecycle: { state: Lifecycle_State.STARTING, changedAt: start },
  })),
  row(own.updateStartup, "names nothing", () => ({
    startup: { version: "v2.35.1", expandedDirectory: "/home" },
  })),
  row(own.batchUpdateMetadata, "names nothing", () => ({
    metadata: [{ key: "answer", result: { value: "42", collectedAt: start } }],
  })),
  row(own.pushResourcesMonitoringUsage, "names nothing", () => ({
    datapoints: [{ collectedAt: start, memory: { used: 1n, total: 2n } }],
  })),
  row(own.reportBoundaryLogs, "names nothing", () => ({
    logs: [
      {
        allowed: true,
        resource: { case: "httpRequest" as const, value: { method: "GET", url: "/" } },
      },
    ],
  })),
  row(
    own.updateAppStatus,
    "names nothing",
    () => ({
      slug: "web",
      state: UpdateAppStatusRequest_AppStatusState.WORKING,
      message: "at work",
    }),
    // The slugs of a child's apps are the server's own.
    { isOfRootAgents: true },
  ),
  row(own.batchUpdateAppHealths, ["itself"], ({ appId }) => ({
    updates: [{ id: encodeUuid(appId), health: AppHealth.UNHEALTHY }],
  })),
  row(
    own.scriptCompleted,
    ["itself"],
    ({ scriptId }) => ({
      timing: {
        scriptId: encodeUuid(scriptId),
        start,
        end,
        stage: Timing_Stage.START,
        status: Timing_Status.OK,
      },
    }),
    { isOfRootAgents: true },
  ),
  row(
    own.batchCreateLogs,
    ["itself"],
    ({ logSourceId }) => ({
      logSourceId: encodeUuid(logSourceId),
      logs: [{ createdAt: start, output: "a line" }],
    }),
    { otherwise: "done" },
  ),
  row(
    own.reportConnection,
    ["itself"],
    ({ connectionId }) => ({
      connection: {
        id: encodeUuid(connectionId),
        action: Connection_Action.DISCONNECT,
        type: Connection_Type.SSH,
        ip: "192.0.2.2",
        reason: "over",
      },
    }),
    { otherwise: "done" },
  ),
  row(own.createSubAgent, ["child"], ({ id }) => ({ id: encodeUuid(id), directory: "/elsewhere" })),
  // Stock agents expect success when they name themselves.
  row(own.deleteSubAgent, ["child"], ({ id }) => ({ id: encodeUuid(id) }), { ignored: ["itself"] }),
];
