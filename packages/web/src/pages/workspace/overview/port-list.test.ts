import { expect, it } from "vitest";

import { agentPorts, allowedLevels } from "./port-list.ts";

const share = {
  workspace_id: "w",
  agent_name: "main",
  port: 8080,
  share_level: "public",
  protocol: "https",
} as const;

it("joins what listens and what is shared", () => {
  const listening = [
    { port: 9000, process_name: "node", network: "tcp" },
    { port: 8080, process_name: "caddy", network: "tcp" },
  ];
  const shares = [
    share,
    { ...share, port: 7000 },
    { ...share, agent_name: "other", port: 1 },
    { ...share, share_level: "owner", port: 2 } as const,
  ];
  expect(agentPorts(listening, shares, "main")).toEqual([
    { port: 7000, program: undefined, level: "public", protocol: "https" },
    { port: 8080, program: "caddy", level: "public", protocol: "https" },
    { port: 9000, program: "node", level: "owner", protocol: "http" },
  ]);
});

it("offers no level beyond that of the template", () => {
  expect(allowedLevels("owner")).toEqual(["owner"]);
  expect(allowedLevels("authenticated")).toEqual(["owner", "organization", "authenticated"]);
});
