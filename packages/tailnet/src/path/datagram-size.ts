/*
 * Lengths of datagrams, that is of UDP's payload or of a relay's packet. A packet in the tunnel is shorter by the header and
 * the tag of its message (docs/protocol/tailnet.md §5.4).
 */

/** The length that every path is taken to carry: that of a packet of 1,280 bytes (docs/protocol/tailnet.md §7.1). */
export const leastDatagramBytes = 1312;

/**
 * The longest that goes through a relay, which carries 64 KiB (docs/protocol/tailnet.md §4.5): longer ones would gain little,
 * and delay what waits behind them.
 */
export const relayDatagramBytes = 16_416;

/** The lengths that are tried on a direct path: for Ethernet, for its jumbo frames in any cloud, and within a machine. */
export const directDatagramBytes: readonly number[] = [
  leastDatagramBytes,
  1440,
  8832,
  relayDatagramBytes,
];
