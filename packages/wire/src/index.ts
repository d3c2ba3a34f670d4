export { BytesError } from "./bytes/errors.ts";
export type { BytesErrorCode } from "./bytes/errors.ts";
export { encodeHex, parseHex } from "./bytes/hex.ts";
export { joinBytes } from "./bytes/join.ts";
export { encodeUuid, parseUuid } from "./bytes/uuid.ts";

export { DerpError } from "./derp/errors.ts";
export type { DerpErrorCode } from "./derp/errors.ts";
export { DerpFrameReader } from "./derp/frame-reader.ts";
export type { FrameVisitor } from "./derp/frame-reader.ts";
export { encodeDerpFrame, parseDerpFrame, PeerGoneReason } from "./derp/frame.ts";
export type { DerpFrame } from "./derp/frame.ts";
export {
  derpHeaderBytes,
  derpKeyBytes,
  derpNonceBytes,
  DerpFrameType,
  maxClientFrameBytes,
  maxDerpPacketBytes,
  maxServerFrameBytes,
  payloadLength,
  writeDerpHeader,
} from "./derp/header.ts";
export {
  encodeClientInfo,
  encodeServerInfo,
  parseClientInfo,
  parseServerInfo,
} from "./derp/login.ts";
export type { ClientInfo, ServerInfo } from "./derp/login.ts";
export {
  forwardSentPacket,
  isDiscoPacket,
  receiveForwardedPacket,
  receiveSentPacket,
} from "./derp/relayed-packet.ts";

export { DiscoError } from "./disco/errors.ts";
export type { DiscoErrorCode } from "./disco/errors.ts";
export {
  encodeDiscoMessage,
  maxCalledEndpoints,
  paddedDiscoBytes,
  parseDiscoMessage,
} from "./disco/message.ts";
export type { DiscoEndpoint, DiscoMessage } from "./disco/message.ts";
export {
  discoNonceBytes,
  discoOverheadBytes,
  encodeDiscoPacket,
  parseDiscoPacket,
} from "./disco/packet.ts";
export type { DiscoPacket } from "./disco/packet.ts";

export { DrpcCaller } from "./drpc/caller.ts";
export type { CallerEvent } from "./drpc/caller.ts";
export { DrpcError } from "./drpc/errors.ts";
export type { DrpcErrorCode } from "./drpc/errors.ts";
export { maxPacketBytes } from "./drpc/frame.ts";
export type { DrpcMetadata } from "./drpc/metadata.ts";
export { DrpcResponder } from "./drpc/responder.ts";
export type { ResponderEvent } from "./drpc/responder.ts";
export { drpcCodeUnimplemented } from "./drpc/rpc-error.ts";

export { SpeedtestError } from "./speedtest/errors.ts";
export type { SpeedtestErrorCode } from "./speedtest/errors.ts";
export { LineCollector } from "./speedtest/line.ts";
export {
  checkSpeedtestAnswer,
  encodeSpeedtestAnswer,
  encodeSpeedtestRequest,
  maxSpeedtestMs,
  parseSpeedtestRequest,
  speedtestBlockBytes,
} from "./speedtest/messages.ts";
export type { SpeedtestDirection, SpeedtestRequest } from "./speedtest/messages.ts";

export { TerminalFrameError } from "./terminal/errors.ts";
export type { TerminalFrameErrorCode } from "./terminal/errors.ts";
export {
  encodeOutputHeader,
  encodeTerminalFrame,
  encodeTerminalGreeting,
  TerminalFrames,
} from "./terminal/frames.ts";
export type { TerminalEvent } from "./terminal/frames.ts";

export { StunError } from "./stun/errors.ts";
export type { StunErrorCode } from "./stun/errors.ts";
export {
  encodeBindingRequest,
  encodeBindingResponse,
  isStun,
  parseStunMessage,
} from "./stun/message.ts";
export type { StunAddress, StunMessage } from "./stun/message.ts";
export { parseIcmpv6, UnreachableCode, writeIcmpv6 } from "./ip/icmpv6.ts";
export type { Icmpv6Message } from "./ip/icmpv6.ts";
export {
  IpProtocol,
  ipv6AddressBytes,
  ipv6HeaderBytes,
  parseIpv6,
  parseQuotedIpv6,
  writeIpv6Header,
} from "./ip/ipv6.ts";
export type { Ipv6Header, Ipv6Packet } from "./ip/ipv6.ts";
export { pseudoHeaderSum } from "./ip/pseudo-header.ts";
export { answerTsmpPing, encodeTsmpPing, parseTsmp } from "./ip/tsmp.ts";
export type { TsmpAddresses, TsmpMessage } from "./ip/tsmp.ts";
export { parseUdp, udpHeaderBytes, writeUdp } from "./ip/udp.ts";
export type { UdpDatagram } from "./ip/udp.ts";

export type { TcpFlow, TcpOptions } from "./tcp/connection-options.ts";
export { TcpConnection } from "./tcp/connection.ts";
export { TcpError } from "./tcp/errors.ts";
export type { TcpErrorCode } from "./tcp/errors.ts";
export type { TcpEvent } from "./tcp/events.ts";
export type { KeepAliveOptions } from "./tcp/keep-alive.ts";
export { writeResetFor } from "./tcp/reset.ts";
export { parseQuotedSegment, parseSegment, TcpFlag } from "./tcp/segment.ts";
export type { TcpSegment } from "./tcp/segment.ts";
export type { TcpState } from "./tcp/state.ts";

export { YamuxError } from "./yamux/errors.ts";
export type { YamuxErrorCode } from "./yamux/errors.ts";
export type { YamuxEvent } from "./yamux/events.ts";
export { GoAwayCode } from "./yamux/header.ts";
export { YamuxSession } from "./yamux/session.ts";
export type { YamuxOptions } from "./yamux/session.ts";

export { durationFromMs, durationFromNs, durationToMs, durationToNs } from "./protobuf/duration.ts";
export { ProtobufError } from "./protobuf/errors.ts";
export type { ProtobufErrorCode } from "./protobuf/errors.ts";
export { readLogBatch } from "./protobuf/log-batch.ts";
export { boundsCheck } from "./protobuf/bounds.ts";
export type { BoundExcess, FieldBound, MessageBounds } from "./protobuf/bounds.ts";
export {
  createMessage,
  encodeMessage,
  parseKnownFields,
  parseMessage,
} from "./protobuf/message.ts";
export { metadataDuration, metadataSeconds } from "./protobuf/metadata-duration.ts";
export { rpcPath } from "./protobuf/rpc-path.ts";
export {
  timestampFromMs,
  timestampFromNs,
  timestampToMs,
  timestampToNs,
} from "./protobuf/timestamp.ts";

// The descriptors and building blocks of the messages.
export { ScalarType } from "@bufbuild/protobuf";
export type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
export { DurationSchema, EmptySchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
export type { Duration, Empty, Timestamp } from "@bufbuild/protobuf/wkt";

// coder.agent.v2
export {
  Agent,
  AppHealth,
  BannerConfigSchema,
  BatchCreateLogsRequestSchema,
  BatchCreateLogsResponseSchema,
  BatchUpdateAppHealthRequestSchema,
  BatchUpdateAppHealthRequest_HealthUpdateSchema,
  BatchUpdateAppHealthResponseSchema,
  BatchUpdateMetadataRequestSchema,
  BatchUpdateMetadataResponseSchema,
  BoundaryLogSchema,
  BoundaryLog_HttpRequestSchema,
  ConnectionSchema,
  Connection_Action,
  Connection_Type,
  ContextResourceSchema,
  ContextResource_InstructionFileSchema,
  ContextResource_MCPConfigSchema,
  ContextResource_MCPServerSchema,
  ContextResource_MCPToolSchema,
  ContextResource_SkillSchema,
  ContextResource_Status,
  CreateSubAgentRequestSchema,
  CreateSubAgentRequest_AppSchema,
  CreateSubAgentRequest_App_HealthcheckSchema,
  CreateSubAgentRequest_App_OpenIn,
  CreateSubAgentRequest_App_SharingLevel,
  CreateSubAgentRequest_DisplayApp,
  CreateSubAgentResponseSchema,
  CreateSubAgentResponse_AppCreationErrorSchema,
  DeleteSubAgentRequestSchema,
  DeleteSubAgentResponseSchema,
  GetAnnouncementBannersRequestSchema,
  GetAnnouncementBannersResponseSchema,
  GetManifestRequestSchema,
  GetResourcesMonitoringConfigurationRequestSchema,
  GetResourcesMonitoringConfigurationResponseSchema,
  GetResourcesMonitoringConfigurationResponse_ConfigSchema,
  GetResourcesMonitoringConfigurationResponse_MemorySchema,
  GetResourcesMonitoringConfigurationResponse_VolumeSchema,
  GetServiceBannerRequestSchema,
  LifecycleSchema,
  Lifecycle_State,
  ListSubAgentsRequestSchema,
  ListSubAgentsResponseSchema,
  LogSchema,
  Log_Level,
  ManifestSchema,
  MetadataSchema,
  PushContextStateRequestSchema,
  PushContextStateResponseSchema,
  PushResourcesMonitoringUsageRequestSchema,
  PushResourcesMonitoringUsageRequest_DatapointSchema,
  PushResourcesMonitoringUsageRequest_Datapoint_MemoryUsageSchema,
  PushResourcesMonitoringUsageRequest_Datapoint_VolumeUsageSchema,
  PushResourcesMonitoringUsageResponseSchema,
  ReportBoundaryLogsRequestSchema,
  ReportBoundaryLogsResponseSchema,
  ReportConnectionRequestSchema,
  ServiceBannerSchema,
  StartupSchema,
  Startup_Subsystem,
  StatsSchema,
  Stats_MetricSchema,
  Stats_Metric_LabelSchema,
  Stats_Metric_Type,
  SubAgentSchema,
  TimingSchema,
  Timing_Stage,
  Timing_Status,
  UpdateAppStatusRequestSchema,
  UpdateAppStatusRequest_AppStatusState,
  UpdateAppStatusResponseSchema,
  UpdateLifecycleRequestSchema,
  UpdateStartupRequestSchema,
  UpdateStatsRequestSchema,
  UpdateStatsResponseSchema,
  WorkspaceAgentDevcontainerSchema,
  WorkspaceAgentMetadataSchema,
  WorkspaceAgentMetadata_DescriptionSchema,
  WorkspaceAgentMetadata_ResultSchema,
  WorkspaceAgentScriptCompletedRequestSchema,
  WorkspaceAgentScriptCompletedResponseSchema,
  WorkspaceAgentScriptSchema,
  WorkspaceAppSchema,
  WorkspaceApp_Health,
  WorkspaceApp_HealthcheckSchema,
  WorkspaceApp_SharingLevel,
  WorkspaceSecretSchema,
} from "./protobuf/gen/agent_pb.ts";
export type {
  BannerConfig,
  BatchCreateLogsRequest,
  BatchCreateLogsResponse,
  BatchUpdateAppHealthRequest,
  BatchUpdateAppHealthRequest_HealthUpdate,
  BatchUpdateAppHealthResponse,
  BatchUpdateMetadataRequest,
  BatchUpdateMetadataResponse,
  BoundaryLog,
  BoundaryLog_HttpRequest,
  Connection,
  ContextResource,
  ContextResource_InstructionFile,
  ContextResource_MCPConfig,
  ContextResource_MCPServer,
  ContextResource_MCPTool,
  ContextResource_Skill,
  CreateSubAgentRequest,
  CreateSubAgentRequest_App,
  CreateSubAgentRequest_App_Healthcheck,
  CreateSubAgentResponse,
  CreateSubAgentResponse_AppCreationError,
  DeleteSubAgentRequest,
  DeleteSubAgentResponse,
  GetAnnouncementBannersRequest,
  GetAnnouncementBannersResponse,
  GetManifestRequest,
  GetResourcesMonitoringConfigurationRequest,
  GetResourcesMonitoringConfigurationResponse,
  GetResourcesMonitoringConfigurationResponse_Config,
  GetResourcesMonitoringConfigurationResponse_Memory,
  GetResourcesMonitoringConfigurationResponse_Volume,
  GetServiceBannerRequest,
  Lifecycle,
  ListSubAgentsRequest,
  ListSubAgentsResponse,
  Log,
  Manifest,
  Metadata,
  PushContextStateRequest,
  PushContextStateResponse,
  PushResourcesMonitoringUsageRequest,
  PushResourcesMonitoringUsageRequest_Datapoint,
  PushResourcesMonitoringUsageRequest_Datapoint_MemoryUsage,
  PushResourcesMonitoringUsageRequest_Datapoint_VolumeUsage,
  PushResourcesMonitoringUsageResponse,
  ReportBoundaryLogsRequest,
  ReportBoundaryLogsResponse,
  ReportConnectionRequest,
  ServiceBanner,
  Startup,
  Stats,
  Stats_Metric,
  Stats_Metric_Label,
  SubAgent,
  Timing,
  UpdateAppStatusRequest,
  UpdateAppStatusResponse,
  UpdateLifecycleRequest,
  UpdateStartupRequest,
  UpdateStatsRequest,
  UpdateStatsResponse,
  WorkspaceAgentDevcontainer,
  WorkspaceAgentMetadata,
  WorkspaceAgentMetadata_Description,
  WorkspaceAgentMetadata_Result,
  WorkspaceAgentScript,
  WorkspaceAgentScriptCompletedRequest,
  WorkspaceAgentScriptCompletedResponse,
  WorkspaceApp,
  WorkspaceApp_Healthcheck,
  WorkspaceSecret,
} from "./protobuf/gen/agent_pb.ts";

// coder.tailnet.v2; its messages Agent and Workspace say here whose part they are.
export {
  AgentSchema as WorkspaceUpdateAgentSchema,
  CoordinateRequestSchema,
  CoordinateRequest_DisconnectSchema,
  CoordinateRequest_ReadyForHandshakeSchema,
  CoordinateRequest_TunnelSchema,
  CoordinateRequest_UpdateSelfSchema,
  CoordinateResponseSchema,
  CoordinateResponse_PeerUpdateSchema,
  CoordinateResponse_PeerUpdate_Kind,
  DERPMapSchema,
  DERPMap_HomeParamsSchema,
  DERPMap_RegionSchema,
  DERPMap_Region_NodeSchema,
  IPFieldsSchema,
  IPFields_IPClass,
  NetcheckSchema,
  Netcheck_NetcheckIPSchema,
  NodeSchema,
  RefreshResumeTokenRequestSchema,
  RefreshResumeTokenResponseSchema,
  StreamDERPMapsRequestSchema,
  Tailnet,
  TelemetryEventSchema,
  TelemetryEvent_ClientType,
  TelemetryEvent_P2PEndpointSchema,
  TelemetryEvent_Status,
  TelemetryRequestSchema,
  TelemetryResponseSchema,
  WorkspaceSchema as WorkspaceUpdateWorkspaceSchema,
  WorkspaceUpdateSchema,
  WorkspaceUpdatesRequestSchema,
  Workspace_Status as WorkspaceUpdateWorkspace_Status,
} from "./protobuf/gen/tailnet_pb.ts";
export type {
  Agent as WorkspaceUpdateAgent,
  CoordinateRequest,
  CoordinateRequest_Disconnect,
  CoordinateRequest_ReadyForHandshake,
  CoordinateRequest_Tunnel,
  CoordinateRequest_UpdateSelf,
  CoordinateResponse,
  CoordinateResponse_PeerUpdate,
  DERPMap,
  DERPMap_HomeParams,
  DERPMap_Region,
  DERPMap_Region_Node,
  IPFields,
  Netcheck,
  Netcheck_NetcheckIP,
  Node,
  RefreshResumeTokenRequest,
  RefreshResumeTokenResponse,
  StreamDERPMapsRequest,
  TelemetryEvent,
  TelemetryEvent_P2PEndpoint,
  TelemetryRequest,
  TelemetryResponse,
  Workspace as WorkspaceUpdateWorkspace,
  WorkspaceUpdate,
  WorkspaceUpdatesRequest,
} from "./protobuf/gen/tailnet_pb.ts";

export { openInitiation } from "./wireguard/handshake.ts";
export { defaultHandshakeLimits, HandshakeGate } from "./wireguard/handshake-gate.ts";
export type { Admission, HandshakeLimits } from "./wireguard/handshake-gate.ts";
export { createLocalIdentity, createRemoteIdentity } from "./wireguard/identity.ts";
export type { LocalIdentity, RemoteIdentity } from "./wireguard/identity.ts";
export { IndexTable } from "./wireguard/index-table.ts";
export { rekeyTimeoutMs } from "./wireguard/limits.ts";
export {
  minTransportBytes,
  parseCookieReply,
  parseHandshakeResponse,
  parseInitiation,
  transportBytes,
  transportHeaderBytes,
  transportReceiver,
  wireguardMessageKind,
} from "./wireguard/message.ts";
export type { WireguardMessageKind } from "./wireguard/message.ts";
export { TransportSession } from "./wireguard/transport-session.ts";
export { WireguardPeer } from "./wireguard/wireguard-peer.ts";
export type { IndexEntry } from "./wireguard/wireguard-peer.ts";
export { aeadTagBytes } from "./wireguard/crypto.ts";
export type {
  Aead,
  Ciphers,
  Hashes,
  KeyExchange,
  KeyPair,
  WireguardCrypto,
} from "./wireguard/crypto.ts";
export { AgentSocket } from "./protobuf/gen/agent-socket_pb.ts";
export type { SyncListResponse, SyncStatusResponse } from "./protobuf/gen/agent-socket_pb.ts";
