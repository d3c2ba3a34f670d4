/** Returns what a person reads about a failure. */
export function errorText(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "Something went wrong.";
}
