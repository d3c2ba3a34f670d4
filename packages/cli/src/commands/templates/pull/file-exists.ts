/** Returns whether a file could not be created because it exists. */
export function fileExists(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
