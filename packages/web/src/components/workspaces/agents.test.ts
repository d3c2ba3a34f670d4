import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { expect, it } from "vitest";

import { isConnecting } from "./agents.ts";

type Status = WorkspaceAgent["status"];

it.each<[readonly Status[], boolean]>([
  [[], false],
  [["connecting"], true],
  [["connecting", "connecting"], true],
  [["connecting", "timeout"], false],
  [["disconnected"], false],
  // Its start scripts failed.
  [["connected"], false],
])("knows whether agents that are %j, beside a healthy one, are on their way", (failing, is) => {
  const agents = ["connected", ...failing].map((status, index) => ({ id: `${index}`, status }));
  const failing_agents = agents.slice(1).map(({ id }) => id);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no other fields are read
  const resources = [{ agents }] as unknown as Workspace["latest_build"]["resources"];
  const health = { healthy: failing.length === 0, failing_agents };
  expect(isConnecting({ latest_build: { resources }, health })).toBe(is);
});
