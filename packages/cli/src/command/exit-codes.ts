/** Exit codes of commands, for scripts. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** Not logged in, or not allowed. */
  unauthorized: 3,
  notFound: 4,
  /** The workspace is running, but a start script failed or exceeded its time limit. */
  startScriptFailed: 5,
  /** The shell's convention: 128 plus the signal number. */
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
  outputClosed: 141,
} as const;
