import { accessSync, constants } from "node:fs";

import { systemErrorCode } from "@slipway/runtime";

/** Explains why this process cannot use the socket of an engine, as it follows the driver's name; undefined if it can. */
export function socketProblem(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    if (systemErrorCode(error) === "EACCES") {
      return `may not use ${path}: add the server's user to the group docker, or run the server as root`;
    }
    return `needs Docker or Podman, and there is no ${path}: start one of them, or set SLIPWAY_DOCKER_HOST`;
  }
}
