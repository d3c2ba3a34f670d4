import { getBuildInfo, getFirstUser } from "@slipway/api";
import { type ApiClient, ApiError, ConnectError } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";

export interface ServerState {
  readonly version: string;
  /** False on a new server, whose first user is still to be created. */
  readonly hasUsers: boolean;
}

/** Checks a server before a password is sent to it. Throws `CommandError` when it is not a Slipway server. */
export async function probeServer(client: ApiClient, signal: AbortSignal): Promise<ServerState> {
  const version = await readServerVersion(client, signal);
  try {
    await client.call(getFirstUser, { signal });
    return { version, hasUsers: true };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { version, hasUsers: false };
    throw error;
  }
}

async function readServerVersion(client: ApiClient, signal: AbortSignal): Promise<string> {
  let answer: unknown;
  try {
    answer = await client.call(getBuildInfo, { signal });
  } catch (error) {
    if (error instanceof ConnectError || signal.aborted) throw error;
    throw notAServer(client, error);
  }
  const version =
    typeof answer === "object" && answer !== null && "version" in answer
      ? answer.version
      : undefined;
  if (typeof version !== "string") throw notAServer(client, undefined);
  return version;
}

function notAServer(client: ApiClient, cause: unknown): CommandError {
  return new CommandError(`${client.serverUrl} is not a Slipway server`, {
    hint: "check that the address is correct and points to the server itself",
    cause,
  });
}
