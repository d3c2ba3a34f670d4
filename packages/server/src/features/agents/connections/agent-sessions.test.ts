import { expect, it } from "vitest";

import { AgentSessions, maxAgentSessions, maxCompanionSessions } from "./agent-sessions.ts";

/** Opens sessions of an agent, and records which of them are closed. */
function openSessions() {
  const sessions = new AgentSessions();
  const closed: string[] = [];
  const open = (name: string, kind: "agent" | "companion", agentId = "a") =>
    sessions.open(agentId, kind, () => void closed.push(name));
  return { open, closed };
}

it("closes the oldest session of a kind for the newest, and of no other agent", () => {
  const { open, closed } = openSessions();
  open("other", "agent", "b");
  open("shipper", "companion");
  for (let number = 1; number <= maxAgentSessions + 2; number += 1) open(`${number}`, "agent");
  expect(closed).toEqual(["1", "2"]);
  for (let number = 1; number <= maxCompanionSessions; number += 1) {
    open(`companion ${number}`, "companion");
  }
  expect(closed).toEqual(["1", "2", "shipper"]);
});

it("counts no session that is over", () => {
  const { open, closed } = openSessions();
  for (let number = 1; number <= 3 * maxAgentSessions; number += 1) {
    using _ = open(`${number}`, "agent");
  }
  expect(closed).toEqual([]);
});

it("sends the calls of all sessions of an agent through one turnstile", () => {
  const { open } = openSessions();
  const first = open("1", "agent");
  expect(open("2", "companion").turnstile).toBe(first.turnstile);
  expect(open("3", "agent", "b").turnstile).not.toBe(first.turnstile);
});
