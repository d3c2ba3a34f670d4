import { tmpdir } from "node:os";

import { silentLogger, systemClock } from "@slipway/runtime";

import type { WorkspaceServices } from "../../src/services.ts";
import { shellCommand } from "./command-host.ts";

/** The options of services that run commands in a bare shell; the caller adds the host of its commands. */
export const serviceOptions = {
  prepare: async (text) => shellCommand(text),
  greeting: async () => "",
  names: () => ({ ownerName: "alice", workspaceName: "dev", agentName: "main" }),
  containers: { isEnabled: false, reason: "off" },
  report: () => undefined,
  settings: {
    maxTimeoutMs: 60_000,
    blockFileTransfer: false,
    blockLocalForwarding: false,
    blockReverseForwarding: false,
  },
  home: "/",
  dataDir: tmpdir(),
  ownPorts: new Set(),
  netcheck: async () => ({ severity: "ok" }),
  ping: async () => undefined,
  clock: systemClock,
  logger: silentLogger,
} satisfies Omit<ConstructorParameters<typeof WorkspaceServices>[0], "commands">;
