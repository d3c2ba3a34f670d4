/** Options for `vi.waitFor`: machines are shared, and stock programs back off for ten seconds and more. */
export const patience = { timeout: 120_000, interval: 250 } as const;
