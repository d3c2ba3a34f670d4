export { boxOverheadBytes } from "./crypto/crypto.ts";
export type { Boxes, TailnetCrypto } from "./crypto/crypto.ts";
export { nobleCrypto } from "./crypto/noble-crypto.ts";
export { toWebStreams } from "./net/web-streams.ts";
export type { WebStreams } from "./net/web-streams.ts";
export { createBrowserDialer, createBrowserFetchLatency } from "./relay/browser-dialer.ts";
export { derpMapMessage } from "./relay/derp-map-message.ts";
export type { DerpMapJson } from "./relay/derp-map-message.ts";
export { emptyDerpMap, readDerpMap, relayNodes, rewriteEmbedded } from "./relay/derp-map.ts";
export type { DerpMap, DerpNode, DerpRegion } from "./relay/derp-map.ts";
export { RelayError } from "./relay/errors.ts";
export type { RelayRung } from "./relay/errors.ts";
export { chooseHome, reportLifetimeMs } from "./relay/home-region.ts";
export type { DatedReport, HomeChoice } from "./relay/home-region.ts";
export type { LoginCrypto, RelayIdentity } from "./relay/login-crypto.ts";
export type { TakePackets } from "./relay/received-packets.ts";
export { derpLatencies, measureRegions } from "./relay/region-latency.ts";
export type { FetchLatency, Latency, LatencyReport } from "./relay/region-latency.ts";
export { RelayClient } from "./relay/relay-client.ts";
export type {
  RelayClientOptions,
  RelayConnection,
  RelayFailure,
  RelayStatus,
} from "./relay/relay-client.ts";
export { RelayPool } from "./relay/relay-pool.ts";
export type { RelayPoolOptions } from "./relay/relay-pool.ts";
export type {
  RelayDialer,
  RelayReceiver,
  RelayStream,
  RelayTransport,
} from "./relay/relay-stream.ts";

export {
  agentAddresses,
  agentServiceAddress,
  formatAddress,
  isTunnelAddress,
  randomClientAddress,
} from "./identity/address.ts";
export { IdentityError } from "./identity/errors.ts";
export type { IdentityErrorCode } from "./identity/errors.ts";
export {
  encodeNodeKey,
  formatDiscoKey,
  formatNodeKey,
  keyText,
  parseDiscoKey,
  parseEncodedNodeKey,
  parseNodeKey,
} from "./identity/key.ts";

export type { DatagramReceiver, DatagramSocket } from "./path/datagram-socket.ts";
export type { DiscoKeys } from "./path/disco-sealer.ts";
export { PathError } from "./path/errors.ts";
export type { PathErrorCode } from "./path/errors.ts";
export type { PathLimits } from "./path/limits.ts";
export type { PathVia, PeerRoute, PingAnswer } from "./path/path-action.ts";
export { PathDriver } from "./path/path-driver.ts";
export type { DeliverDatagrams, PathDriverOptions, PeerDescription } from "./path/path-driver.ts";
export type { UdpReport } from "./path/stun-client.ts";
export { stunServersOf } from "./path/stun-servers.ts";
export type { StunServer } from "./path/stun-servers.ts";
export { formatUdpAddress, parseUdpAddress } from "./path/udp-address.ts";
export type { UdpAddress } from "./path/udp-address.ts";

export { goneReason } from "./coordination/peer-update.ts";
export type { Endpoint } from "./stack/address.ts";
export { StackError } from "./stack/errors.ts";
export type { StackErrorCode } from "./stack/errors.ts";
export type { StackLimits } from "./stack/limits.ts";
export { NetworkStack } from "./stack/network-stack.ts";
export type { ConnectOptions, StackOptions } from "./stack/network-stack.ts";
export type { SendPackets } from "./stack/packet-batch.ts";
export type { RequestHandler } from "./stack/tcp-layer.ts";
export type { TcpListener } from "./stack/tcp-listener.ts";
export type { TcpRequest } from "./stack/tcp-request.ts";
export type { TcpStream } from "./stack/tcp-stream.ts";
export type { DatagramHandler } from "./stack/udp-layer.ts";
export type { Datagram, UdpSocket } from "./stack/udp-socket.ts";
export type { CoordinationOptions } from "./coordination/coordination.ts";
export { Coordination } from "./coordination/coordination.ts";
export { CoordinationLoop } from "./coordination/coordination-loop.ts";
export type {
  CoordinationLoopOptions,
  CoordinationState,
} from "./coordination/coordination-loop.ts";
export { CoordinationError } from "./coordination/errors.ts";
export type { CoordinationErrorCode } from "./coordination/errors.ts";
export type { PeerAction } from "./coordination/peer-action.ts";
export type { PeerNode } from "./coordination/peer-node.ts";
export type { PeerState } from "./coordination/peer-state.ts";
export { nodeIdOf, randomNodeId } from "./coordination/self-node.ts";
export type { SelfIdentity, SelfPlace } from "./coordination/self-node.ts";
export type {
  CoordinateRequest,
  CoordinationService,
  CoordinationSession,
  OpenSession,
  ResumeToken,
} from "./coordination/service.ts";

export { TunnelError } from "./tunnel/errors.ts";
export type { TunnelErrorCode } from "./tunnel/errors.ts";
export type { PeerSettings, TunnelOptions } from "./tunnel/options.ts";
export { Tunnel } from "./tunnel/tunnel.ts";
export type { NetworkStatus } from "./net/network-status.ts";
export type { TailnetPeerOptions } from "./net/options.ts";
export { TailnetPeer } from "./net/tailnet-peer.ts";
