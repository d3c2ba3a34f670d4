import { parseUuid } from "@slipway/wire/bytes/uuid";
import { Workspace_Status as Status } from "@slipway/wire/protobuf/gen/tailnet_pb";
import fc from "fast-check";
import { expect, it } from "vitest";

import { type ReachableWorkspace, ToldWorkspaces } from "./told-workspaces.ts";

const id = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

function workspace(changes: Partial<ReachableWorkspace> = {}): ReachableWorkspace {
  return {
    id: id(1),
    name: "one",
    status: "running",
    agents: [{ id: id(9), name: "main" }],
    ...changes,
  };
}

it("tells everything at first, even if that is nothing, and then only changes", () => {
  expect(new ToldWorkspaces().update([])).toMatchObject({ upsertedWorkspaces: [] });
  const told = new ToldWorkspaces();
  expect(told.update([workspace()])).toMatchObject({
    upsertedWorkspaces: [{ name: "one", status: Status.RUNNING }],
    upsertedAgents: [{ name: "main" }],
    deletedWorkspaces: [],
    deletedAgents: [],
  });
  expect(told.update([workspace()])).toBeUndefined();
  expect(told.update([workspace({ status: "stopping" })])).toMatchObject({
    upsertedWorkspaces: [{ name: "one", status: Status.STOPPING }],
    upsertedAgents: [],
  });
});

it("tells a renamed agent as a new and a deleted one", () => {
  const told = new ToldWorkspaces();
  told.update([workspace()]);
  expect(told.update([workspace({ agents: [{ id: id(9), name: "other" }] })])).toMatchObject({
    upsertedWorkspaces: [],
    upsertedAgents: [{ name: "other" }],
    deletedAgents: [{ name: "main" }],
  });
});

it("leads a client from any state to any other", () => {
  const agents = fc.uniqueArray(
    fc.record({ id: fc.integer({ min: 10, max: 14 }).map(id), name: fc.constantFrom("a", "b") }),
    {
      selector: (agent) => agent.id,
      maxLength: 3,
    },
  );
  const workspaces = fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 4 }).map(id),
      name: fc.constantFrom("x", "y"),
      status: fc.constantFrom("running" as const, "stopped" as const),
      agents,
    }),
    { selector: (one) => one.id, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(workspaces, { maxLength: 5 }), (states) => {
      const told = new ToldWorkspaces();
      const names = new Map<string, string>();
      const present = new Set<string>();
      for (const state of states) {
        const update = told.update(state);
        for (const one of update?.deletedWorkspaces ?? []) names.delete(parseUuid(one.id));
        for (const one of update?.upsertedWorkspaces ?? [])
          names.set(parseUuid(one.id), `${one.name} ${one.status}`);
        for (const one of update?.deletedAgents ?? [])
          present.delete(`${parseUuid(one.id)} ${one.name}`);
        for (const one of update?.upsertedAgents ?? [])
          present.add(`${parseUuid(one.id)} ${one.name}`);
        const statuses = { running: Status.RUNNING, stopped: Status.STOPPED };
        const wanted = state.map((one) => [one.id, `${one.name} ${statuses[one.status]}`] as const);
        expect(names).toEqual(new Map(wanted));
        expect(present).toEqual(
          new Set(state.flatMap((one) => one.agents.map((agent) => `${agent.id} ${agent.name}`))),
        );
      }
    }),
  );
});
