import { rmSync } from "node:fs";

import { type Clock, silentLogger } from "@slipway/runtime";
import { onTestFinished } from "vitest";

import {
  AgentContainers,
  type AgentContainersOptions,
} from "../../src/containers/agent-containers.ts";
import { openCommandHost, shellCommand } from "./command-host.ts";

interface ContainersOptions
  extends Pick<AgentContainersOptions, "settings">, Partial<Pick<AgentContainersOptions, "log">> {
  /** A directory with the machine's programs, removed after the test. */
  readonly directory: string;
  readonly clock: Clock;
  /** The environment of the commands. */
  readonly environment: Readonly<Record<string, string>>;
}

/** There is no server. */
async function refuse(): Promise<never> {
  throw new Error("not connected");
}

/** Opens the containers of a machine without a server until the end of the test. */
export function openAgentContainers({
  directory,
  clock,
  environment,
  settings,
  log = () => undefined,
}: ContainersOptions): AgentContainers {
  const commands = openCommandHost();
  const containers = new AgentContainers({
    settings,
    commands: { ...commands, clock },
    prepare: async () => ({ ...shellCommand("true"), environment: { ...environment } }),
    log,
    logRoom: async () => undefined,
    server: { create: refuse, remove: refuse, list: refuse },
    programDirectory: "",
    serverUrl: "http://slipway.test",
    agentName: () => "main",
    logger: silentLogger,
  });
  onTestFinished(async () => {
    await containers.close();
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  return containers;
}
