import { objectOf, textOf } from "@slipway/runtime";

import { DriverError, EngineError } from "../errors.ts";
import { hostConfig, type HostConfigInput } from "./container-config.ts";
import { readOutput, startContainer, waitForContainer } from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { archiveDirectory } from "./entry-script.ts";
import { withHelper } from "./helper-container.ts";

/** The time that the server may take to answer a container, in milliseconds. */
const probeMs = 10_000;

/** The time until a container of the probe must have ended, in milliseconds. */
const containerMs = 60_000;

export interface ProbeInput extends HostConfigInput {
  readonly imageId: string;
  readonly serverUrl: string;
  /** The beginning of messages: `agents.main.container`. */
  readonly field: string;
}

/**
 * Tests from a container with the template's network, limits and devices whether it can reach the server. Throws
 * `invalid-template` for a container that cannot start, and `unreachable` with what to set.
 */
export async function probeServer(
  context: EngineContext,
  input: ProbeInput,
  signal: AbortSignal,
): Promise<void> {
  const { serverUrl, container, imageId, field } = input;
  if (!container.docker.hostNetwork && isLoopback(serverUrl)) {
    throw new DriverError(
      "unreachable",
      `containers cannot reach ${serverUrl}, a loopback address: ${advice}`,
    );
  }
  const url = new URL("/healthz", serverUrl).href;
  const config = {
    Image: imageId,
    User: "0",
    WorkingDir: "/",
    Entrypoint: ["/bin/sh", `${archiveDirectory}/node.sh`],
    Cmd: ["--use-system-ca", `${archiveDirectory}/probe.mjs`, url, String(probeMs)],
    HostConfig: hostConfig(input, []),
  };
  try {
    const output = await withHelper(context, config, signal, async (id) => {
      await startContainer(context.engine, id, signal);
      await waitForContainer(context.engine, id, { timeoutMs: containerMs, signal });
      return readOutput(context.engine, id, signal);
    });
    requireAnswer(output, serverUrl);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new DriverError("invalid-template", `${field}: ${error.message}`, { cause: error });
  }
}

const advice =
  "set SLIPWAY_DOCKER_ACCESS_URL, or SLIPWAY_ACCESS_URL, to a URL of this server that containers reach";

function requireAnswer(output: string, serverUrl: string): void {
  const line = output.split("\n").find((one) => one.startsWith('{"'));
  if (line === undefined) {
    const seen = output.trim().slice(-2_000);
    throw new DriverError("not-startable", `the agent does not run in the image: ${seen}`);
  }
  const { status, error, code } = objectOf(JSON.parse(line));
  if (status === 200) return;
  const what = typeof status === "number" ? `status ${status}` : textOf(error);
  const hint = hints[textOf(code)] ?? "";
  throw new DriverError(
    "unreachable",
    `containers cannot reach ${serverUrl}: ${what}${hint}; ${advice}`,
  );
}

const hints: Readonly<Record<string, string>> = {
  ETIMEDOUT: " (a firewall on the Docker host may drop what comes from its bridges)",
  ECONNREFUSED: " (the server does not listen at that address)",
  EHOSTUNREACH: " (a firewall on the Docker host may refuse what comes from its bridges)",
};

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
