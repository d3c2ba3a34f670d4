import { describe, expect, it } from "vitest";

import { type AgentCandidate, chooseAgent } from "./choose-agent.ts";

const main: AgentCandidate = {
  name: "main",
  workspaceId: "w1",
  workspace: "current",
  isWaiting: false,
  isOfPool: false,
};
const second = { ...main, name: "second" };
const other = { ...main, workspaceId: "w2" };
const starting = { ...main, workspace: "starting" } as const;
const ending = { ...main, workspace: "ending" } as const;
const waiting = { ...main, workspaceId: "w3", isWaiting: true, isOfPool: true };
const claimed = { ...main, workspaceId: "w4", isOfPool: true };

const contested = (...workspaceIds: string[]) => ({ type: "contested", workspaceIds });

describe("the agent of a machine", () => {
  it("is the only one, by its name or without", () => {
    expect(chooseAgent([main], "")).toEqual({ type: "chosen", candidate: main });
    expect(chooseAgent([main, second], "second")).toEqual({ type: "chosen", candidate: second });
    expect(chooseAgent([waiting], "")).toEqual({ type: "chosen", candidate: waiting });
  });

  it("is missing", () => {
    expect(chooseAgent([], "main")).toEqual({ type: "no-agent" });
    expect(chooseAgent([main], "x")).toEqual({ type: "no-agent-of-name" });
  });

  it("is one of several, which only its name tells apart", () => {
    expect(chooseAgent([second, main], "")).toEqual({ type: "unnamed", names: ["main", "second"] });
  });

  it("is of a build that another one replaces", () => {
    expect(chooseAgent([starting], "")).toEqual({ type: "outdated" });
    expect(chooseAgent([ending], "main")).toEqual({ type: "outdated" });
  });

  it("is nobody's when several workspaces say that it is theirs", () => {
    expect(chooseAgent([main, other], "")).toEqual(contested("w1", "w2"));
    expect(chooseAgent([other, main], "main")).toEqual(contested("w2", "w1"));
    // Neither agent is admitted while the other one restarts.
    expect(chooseAgent([other, starting], "main")).toEqual(contested("w2", "w1"));
  });

  it("is the other workspace's once the one ends, or has no agent of the name", () => {
    expect(chooseAgent([other, ending], "main")).toEqual({ type: "chosen", candidate: other });
    const alone = { ...other, name: "alone" };
    expect(chooseAgent([main, alone], "alone")).toEqual({ type: "chosen", candidate: alone });
  });

  it("is not disputed by workspaces that end", () => {
    expect(chooseAgent([other, ending], "")).toEqual({ type: "chosen", candidate: other });
    const rival = { ...ending, workspaceId: "w7" };
    expect(chooseAgent([rival, ending], "")).toEqual({ type: "outdated" });
    expect(chooseAgent([claimed, rival, waiting], "")).toEqual({
      type: "chosen",
      candidate: claimed,
    });
  });

  it("goes with what was claimed from a pool, not with the next one in the pool", () => {
    const chosen = { type: "chosen", candidate: claimed };
    expect(chooseAgent([waiting, claimed], "")).toEqual(chosen);
    expect(chooseAgent([waiting, claimed], "main")).toEqual(chosen);
    const restarting = { ...claimed, workspace: "starting" } as const;
    expect(chooseAgent([waiting, restarting], "")).toEqual({ type: "outdated" });
    const leaving = { ...claimed, workspace: "ending" } as const;
    expect(chooseAgent([waiting, leaving], "main")).toEqual({ type: "chosen", candidate: waiting });
  });

  it("does not go from a pool to who only names the machine", () => {
    expect(chooseAgent([main, waiting], "")).toEqual(contested("w1", "w3"));
    expect(chooseAgent([main, waiting, claimed], "")).toEqual(contested("w1", "w3", "w4"));
    const next = { ...waiting, workspaceId: "w5" };
    expect(chooseAgent([waiting, next], "")).toEqual(contested("w3", "w5"));
    const another = { ...claimed, workspaceId: "w6" };
    expect(chooseAgent([waiting, claimed, another], "")).toEqual(contested("w3", "w4", "w6"));
  });
});
