import type { RequestHeaders } from "@slipway/sdk/node";

import { type Environment, firstVariable } from "../config/environment.ts";
import type { GlobalFlags } from "../config/settings.ts";
import { CommandError } from "./errors.ts";

/** Returns the headers that a proxy in front of a server wants on every request. */
export type ReadHeaders = (serverUrl: string) => Promise<RequestHeaders>;

/**
 * Returns the headers of the flags or variables, and then those that the header command prints for this server. Throws
 * `CommandError`, and the signal's reason.
 */
export function headerReader(
  { header, headerCommand }: Pick<GlobalFlags, "header" | "headerCommand">,
  environment: Environment,
  signal: AbortSignal,
): ReadHeaders {
  const variable = firstVariable(environment, "CODER_HEADER");
  const command = headerCommand ?? firstVariable(environment, "CODER_HEADER_COMMAND");
  if (header.length === 0 && variable === undefined && command === undefined)
    return async () => ({});
  return async (serverUrl) => {
    const { parseHeaders, RequestHeaderError, runHeaderCommand, splitHeaders } =
      await import("@slipway/sdk/node");
    try {
      const given =
        header.length > 0
          ? parseHeaders(header, "--header")
          : parseHeaders(splitHeaders(variable ?? ""), "CODER_HEADER");
      if (command === undefined) return given;
      return { ...given, ...(await runHeaderCommand(command, { serverUrl, environment, signal })) };
    } catch (error) {
      if (error instanceof RequestHeaderError) throw new CommandError(error.message);
      throw error;
    }
  };
}
