import { expect, it } from "vitest";

import { hasAgentPlaces, isEmptyState, managedAddresses, newerState } from "./state-file.ts";

function state(fields: object): Uint8Array {
  return Buffer.from(
    JSON.stringify({ version: 4, lineage: "one", serial: 1, resources: [], ...fields }),
  );
}

const box = {
  module: "module.m",
  mode: "managed",
  type: "docker_container",
  name: "box",
  instances: [{ dependencies: ["coder_agent.main"] }],
};

it("prefers the newer state of the same workspace", () => {
  const [older, newer] = [state({ serial: 3 }), state({ serial: 4 })];
  expect(newerState(older, newer)).toBe(newer);
  expect(newerState(newer, older)).toBe(newer);
  expect(newerState(undefined, older)).toBe(older);
  expect(newerState(older, undefined)).toBe(older);
});

it("keeps the stored state if the one left is of something else, or cut off", () => {
  const kept = state({ serial: 3 });
  expect(newerState(kept, state({ serial: 9, lineage: "other" }))).toBe(kept);
  expect(newerState(kept, Buffer.from('{"serial": 9, "lin'))).toBe(kept);
});

it("lists what it manages, without declarations", () => {
  const resources = [
    box,
    { mode: "managed", type: "coder_agent", name: "main" },
    { mode: "data", type: "x" },
  ];
  expect(managedAddresses(state({ resources }))).toEqual(["module.m.docker_container.box"]);
  expect(isEmptyState(state({ resources }))).toBe(false);
  expect(isEmptyState(state({}))).toBe(true);
  expect(isEmptyState(undefined)).toBe(true);
});

it("tells whether something runs with an agent's token", () => {
  expect(hasAgentPlaces(state({ resources: [box] }))).toBe(true);
  expect(
    hasAgentPlaces(state({ resources: [{ ...box, instances: [{ dependencies: ["x.y"] }] }] })),
  ).toBe(false);
  expect(hasAgentPlaces(undefined)).toBe(false);
});
