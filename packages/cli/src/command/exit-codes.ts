/** How a command ends, for scripts. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** Not logged in, or not allowed. */
  unauthorized: 3,
  notFound: 4,
  /** The workspace runs, but a start script failed or takes longer than its limit. */
  startScriptFailed: 5,
  /** The shell's own numbers: 128 and the number of the signal. */
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
  outputClosed: 141,
} as const;
