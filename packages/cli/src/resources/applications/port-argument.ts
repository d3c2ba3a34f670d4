import { maxSharedPort, minSharedPort } from "@slipway/api/workspaces/port-share-routes";

import { UsageError } from "../../command/errors.ts";

/** The argument that names a port. */
export const portArgument = {
  summary: `port of the workspace, ${minSharedPort} to ${maxSharedPort}`,
  required: true,
} as const;

/** Reads a port that can be shared. Throws `UsageError`. */
export function readSharedPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= minSharedPort && port <= maxSharedPort) return port;
  throw new UsageError(
    `"${text}" is not a port that can be shared: wanted a number from ${minSharedPort} to ${maxSharedPort}`,
  );
}
