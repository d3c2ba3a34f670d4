/** Returns the messages of an error and its causes, joined with `: `, for logs and for people. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current !== undefined; depth += 1) {
    if (!(current instanceof Error)) {
      // oxlint-disable-next-line typescript/no-base-to-string -- not an error; any text is better than none
      parts.push(String(current));
      break;
    }
    // Node's AggregateError of a failed connect has an empty message.
    const text =
      current instanceof AggregateError && current.message === ""
        ? errorText(current.errors[0])
        : current.message;
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current.cause;
  }
  return parts.join(": ");
}
