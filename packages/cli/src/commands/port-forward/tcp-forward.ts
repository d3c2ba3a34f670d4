import { errorText, systemErrorCode } from "@slipway/runtime";
import { PortForward, type PortForwardNeeds } from "@slipway/sdk/node";

import { CommandError } from "../../command/errors.ts";
import { type Forward, localText } from "./forward-spec.ts";

/** Listens on the local end of a forward. Throws `CommandError` if it cannot. */
export async function openTcpForward(
  forward: Forward,
  needs: PortForwardNeeds,
): Promise<PortForward> {
  try {
    return await PortForward.open(forward, needs);
  } catch (error) {
    throw listenFailure(forward, error);
  }
}

/** Returns the error for a local address on which it cannot listen, for TCP or UDP. */
export function listenFailure(forward: Forward, cause: unknown): CommandError {
  const code = systemErrorCode(cause);
  const problem = listenProblems.get(code ?? "") ?? errorText(cause);
  return new CommandError(
    `cannot listen on ${localText(forward)} (--${forward.protocol}): ${problem}`,
    code === "EADDRINUSE" || code === "EACCES"
      ? { hint: `use another local port, such as --${forward.protocol} ${otherPort(forward)}` }
      : {},
  );
}

const listenProblems: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the port is in use"],
  ["EACCES", "not allowed for this user"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
]);

/** Returns the same forward with a local port that is likely free: above those that need privileges. */
function otherPort({ localPort, remotePort }: Forward): string {
  const other = localPort < 1024 ? localPort + 8000 : localPort === 65_535 ? 8080 : localPort + 1;
  return `${other}:${remotePort}`;
}
