/** Whether a file could not be made because there is one. */
export function fileExists(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
