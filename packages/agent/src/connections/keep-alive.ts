/** The time without a segment after which a peer is asked whether it is still there (docs/protocol/tailnet.md §7.1). */
export const keepAlive = { idleMs: 2 * 3_600_000, intervalMs: 75_000, probes: 9 } as const;
