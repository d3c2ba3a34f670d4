/** Simulated links in virtual time, and TCP connections over them. */
export { BytePattern } from "./links/byte-pattern.ts";
export { measureGoodput } from "./links/measure-goodput.ts";
export type { Goodput, Transfer } from "./links/measure-goodput.ts";
export type { EndPlan, TcpEnd } from "./links/tcp-end.ts";
export { TcpPair } from "./links/tcp-pair.ts";
export type { PairOptions } from "./links/tcp-pair.ts";
export { VirtualLink } from "./links/virtual-link.ts";
export type { LinkCounts, LinkOptions } from "./links/virtual-link.ts";
export { packetTo, TunnelPair } from "./links/tunnel-pair.ts";
export type { TunnelEnd, TunnelPairOptions } from "./links/tunnel-pair.ts";
