import { ConnectError } from "@slipway/sdk/http";

/** The codes of Node.js for a connection that broke after it was made. */
const brokenCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

/** Reports whether a request may have reached the server, which may carry it out, although no answer came. */
export function mayHaveArrived(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError) || !(error.cause instanceof Error)) return false;
  const { cause } = error;
  return cause.name === "TimeoutError" || brokenCodes.has(Reflect.get(cause, "code"));
}
