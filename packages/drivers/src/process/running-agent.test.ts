import { expect, it } from "vitest";

import { findAgents, findMembers } from "./running-agent.ts";
import type { AgentMarks, RunningProcess } from "./running-process.ts";

const marks: AgentMarks = { agentId: "agent", directory: "/data/one", tokenHash: "hash" };

function running(pid: number, fields: Partial<RunningProcess> = {}): RunningProcess {
  return {
    pid,
    parentPid: 1,
    groupId: pid,
    start: `start of ${pid}`,
    startedAtMs: pid * 1000,
    uid: 1000,
    marks: undefined,
    ...fields,
  };
}

function pidsOf(found: readonly RunningProcess[]): number[] {
  return found.map(({ pid }) => pid).toSorted((a, b) => a - b);
}

const recordOf = (pid: number) => ({ ...marks, pid, start: `start of ${pid}` });
const nobody: ReadonlySet<number> = new Set();
const all = { marks: () => true, uids: nobody };
const none: readonly RunningProcess[] = [];

it("an agent is the process of its record, not an older child that carries its marks", () => {
  const processes = [running(10, { marks }), running(20, { marks })];
  const agents = findAgents(processes, [recordOf(20)]);
  expect(agents.map((agent) => agent.process.pid)).toEqual([20]);
});

it("without a record an agent is the oldest group leader that carries its marks", () => {
  const processes = [
    running(30, { marks }),
    running(20, { marks }),
    running(10, { marks, groupId: 9 }),
  ];
  const agents = findAgents(processes, []);
  expect(agents).toEqual([{ ...marks, process: running(20, { marks }) }]);
});

it("a record whose process number was given to another process names nobody", () => {
  const later = running(20, { start: "another start" });
  expect(findAgents([later], [recordOf(20)])).toEqual([]);
});

it("a child of an agent that died is not taken for the agent", () => {
  const child = running(21, { marks });
  expect(findAgents([child], [recordOf(20)])).toEqual([]);
});

it("an agent is known by its record alone where environments cannot be read", () => {
  const agents = findAgents([running(20)], [recordOf(20)]);
  expect(agents.map((agent) => agent.agentId)).toEqual(["agent"]);
});

it("everything marked, in a group with a member, or descended from one is a member", () => {
  const processes = [
    running(10, { marks }),
    running(11, { parentPid: 10 }),
    running(12, { parentPid: 11, groupId: 11 }),
    running(13, { marks }),
    running(14, { groupId: 13 }),
    running(15),
    running(16, { groupId: 0 }),
    running(17, { marks: { ...marks, directory: "/data/two" } }),
  ];
  const agents = findAgents(processes, []);
  const one = { marks: ({ directory }: AgentMarks) => directory === "/data/one", uids: nobody };
  const members = findMembers(processes, agents, one, none);
  expect(pidsOf(members)).toEqual([10, 11, 12, 13, 14]);
});

it("a member seen before is one still after its agent has ended", () => {
  const orphan = running(11);
  expect(findMembers([orphan, running(12)], [], all, [orphan])).toEqual([orphan]);
});

it("what a member started in its group, before it ended, is a member", () => {
  const leader = running(11);
  const child = running(20, { groupId: 11 });
  expect(findMembers([child, running(12)], [], all, [leader])).toEqual([child]);
  // The id of a process that is gone may name another, with its own process group.
  const other = running(11, { start: "later" });
  expect(findMembers([child, other], [], all, [leader])).toEqual([]);
});

it("whatever runs as a workspace's user is a member, with no mark, group or parent that tells", () => {
  const escaped = running(11, { uid: 7000 });
  const selection = { marks: () => false, uids: new Set([7000]) };
  expect(findMembers([escaped, running(12)], [], selection, none)).toEqual([escaped]);
});

it("this process is no member", () => {
  const self = running(process.pid, { marks });
  expect(findMembers([self], [], all, none)).toEqual([]);
});
