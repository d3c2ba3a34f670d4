export { createFetchLatency } from "./node/fetch-latency.ts";
export { loadNativeCrypto } from "./node/native-crypto.ts";
export { toDuplex } from "./node/duplex.ts";
export { createRelayDialer } from "./node/relay-dialer.ts";
export type { RelayRequestOptions } from "./node/relay-requests.ts";
export { NodeDatagramSocket, openUdpSocket } from "./node/udp-socket.ts";
export type { UdpSocketOptions } from "./node/udp-socket.ts";
export { streamOfSocket } from "./node/socket-stream.ts";
