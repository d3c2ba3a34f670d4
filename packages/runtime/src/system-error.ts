/** Returns the code of a system error, such as `ENOENT`; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Returns whether an error or one of its causes has one of the codes. */
export function hasSystemErrorCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth += 1) {
    if (codes.has(systemErrorCode(cause) ?? "")) return true;
    cause = cause.cause;
  }
  return false;
}
