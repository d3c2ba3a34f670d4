import { RpcError } from "@slipway/rpc";
import { maxLineLength, maxUrlLength } from "@slipway/template";
import type { FieldBound, BoundExcess, MessageBounds } from "@slipway/wire/protobuf/bounds";
import { boundsCheck } from "@slipway/wire/protobuf/bounds";
import type { DescMessage, MessageShape } from "@slipway/wire/protobuf/descriptors";
import { parseKnownFields } from "@slipway/wire/protobuf/message";

export type FieldLimit =
  /** A request with more is refused with an error that names the field. */
  | (FieldBound & { readonly over: "refuse" })
  /** The number of characters stored of a text: if refused, stock agents would resend it forever. */
  | { readonly over: "cut"; readonly kept: number }
  /** The maximum length in characters; the answer reports longer parts, and the others are stored. */
  | { readonly over: "tell"; readonly kept: number };

/** Limits the number of elements of a repeated field or a map. */
const list = (maxCount: number) => ({ over: "refuse", maxCount }) as const;
/** Limits the length of a text, in bytes. */
const text = (maxBytes: number) => ({ over: "refuse", maxBytes }) as const;
const cut = (kept: number) => ({ over: "cut", kept }) as const;
const tell = (kept: number) => ({ over: "tell", kept }) as const;
const uuid = text(16);

/** The maximum number of names of protocols stored from one report; an agent knows TCP, UDP and a few more. */
export const maxProtocols = 16;
/** The maximum length of such a name, in characters; longer ones count as other protocols. */
export const maxProtocolLength = 32;
/** The name under which the connections by all other protocols are counted. */
export const otherProtocols = "other";

/** The maximum text of all apps of one sub-agent, in bytes; apps beyond it are reported as errors. */
export const maxSubAgentAppText = 16 * 1024;

/**
 * The limits of everything in an agent's request that can be long or many (docs/protocol/rpc.md §6 and §7), by message
 * and field. A field without a limit here fails a test. Every limit is far beyond what a stock agent sends, because a
 * refused agent retries forever.
 */
export const agentLimits = {
  "coder.agent.v2.Startup": {
    version: text(128),
    // The longest path on Linux.
    expanded_directory: text(4096),
    subsystems: list(16),
  },
  "coder.agent.v2.Stats": {
    // Only `maxProtocols` are stored by name.
    connections_by_proto: { maxCount: 1024, maxBytes: 1024, over: "refuse" },
    // Not stored.
    metrics: list(4096),
  },
  "coder.agent.v2.Stats.Metric": { name: text(1024), labels: list(32) },
  "coder.agent.v2.Stats.Metric.Label": { name: text(1024), value: text(1024) },
  "coder.agent.v2.BatchUpdateAppHealthRequest": { updates: list(256) },
  "coder.agent.v2.BatchUpdateAppHealthRequest.HealthUpdate": { id: uuid },
  "coder.agent.v2.BatchUpdateMetadataRequest": { metadata: list(256) },
  // All keys of a request together have the same limit (docs/protocol/rpc.md §7.6).
  "coder.agent.v2.Metadata": { key: text(6144) },
  "coder.agent.v2.WorkspaceAgentMetadata.Result": { value: cut(2048), error: cut(2048) },
  "coder.agent.v2.BatchCreateLogsRequest": {
    log_source_id: uuid,
    // A stock agent counts 21 bytes of overhead a line into its 1 MiB, so it sends fewer.
    logs: list(65_536),
  },
  "coder.agent.v2.Log": { output: cut(1024) },
  "coder.agent.v2.Timing": { script_id: uuid },
  "coder.agent.v2.PushResourcesMonitoringUsageRequest": { datapoints: list(200) },
  "coder.agent.v2.PushResourcesMonitoringUsageRequest.Datapoint": { volumes: list(256) },
  "coder.agent.v2.PushResourcesMonitoringUsageRequest.Datapoint.VolumeUsage": {
    volume: text(4096),
  },
  "coder.agent.v2.Connection": { id: uuid, ip: text(256), reason: cut(256) },
  "coder.agent.v2.CreateSubAgentRequest": {
    name: text(64),
    directory: text(4096),
    architecture: text(32),
    operating_system: text(32),
    apps: list(32),
    display_apps: list(64),
    id: uuid,
  },
  "coder.agent.v2.CreateSubAgentRequest.App": {
    slug: tell(64),
    command: tell(4096),
    display_name: tell(maxLineLength),
    group: tell(maxLineLength),
    icon: tell(maxUrlLength),
    url: tell(maxUrlLength),
  },
  "coder.agent.v2.CreateSubAgentRequest.App.Healthcheck": { url: tell(maxUrlLength) },
  "coder.agent.v2.DeleteSubAgentRequest": { id: uuid },
  "coder.agent.v2.UpdateAppStatusRequest": {
    slug: text(256),
    // Section 7.13.
    message: text(160),
    uri: text(2048),
  },
  "coder.agent.v2.ReportBoundaryLogsRequest": {
    logs: list(1000),
    session_id: cut(1024),
    confined_process_name: cut(1024),
  },
  "coder.agent.v2.BoundaryLog.HttpRequest": {
    method: cut(1024),
    url: cut(1024),
    matched_rule: cut(1024),
  },
  // An agent learns of peers from this server only.
  "coder.tailnet.v2.CoordinateRequest": { ready_for_handshake: list(1024) },
  "coder.tailnet.v2.CoordinateRequest.Tunnel": { id: text(64) },
  "coder.tailnet.v2.CoordinateRequest.ReadyForHandshake": { id: text(64) },
  "coder.tailnet.v2.WorkspaceUpdatesRequest": { workspace_owner_id: text(64) },
  "coder.tailnet.v2.Node": {
    key: text(64),
    disco: text(128),
    derp_latency: { maxCount: 1024, maxBytes: 64, over: "refuse" },
    derp_forced_websocket: { maxCount: 1024, maxBytes: 1024, over: "refuse" },
    addresses: { maxCount: 64, maxBytes: 64, over: "refuse" },
    allowed_ips: { maxCount: 64, maxBytes: 64, over: "refuse" },
    endpoints: { maxCount: 256, maxBytes: 128, over: "refuse" },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FieldLimit>>>>;

const bounds: MessageBounds = Object.fromEntries(
  Object.entries<Readonly<Record<string, FieldLimit>>>(agentLimits).map(([message, fields]) => [
    message,
    Object.fromEntries(
      Object.entries(fields).flatMap(([field, limit]) =>
        limit.over === "refuse" ? [[field, limit]] : [],
      ),
    ),
  ]),
);

/** Creates the parser of one kind of request, which refuses requests beyond a limit. `prefix` precedes the error. */
export function boundedParser<I extends DescMessage>(
  schema: I,
  prefix = "",
): (bytes: Uint8Array) => MessageShape<I> {
  const check = boundsCheck(schema, bounds);
  return (bytes) => {
    const excess = check(bytes);
    if (excess !== undefined) throw new RpcError(`${prefix}${excessText(excess)}`);
    return parseKnownFields(schema, bytes);
  };
}

function excessText({ path, found, max, unit }: BoundExcess): string {
  return `invalid argument: ${path === "" ? "request" : path} has ${found} ${unit}, at most ${max} are taken`;
}
