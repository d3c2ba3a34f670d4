import { describe, expect, it } from "vitest";

import {
  hasAgentPlaces,
  isEmptyState,
  isWholeState,
  managedAddresses,
  newerState,
  pushedStateProblem,
  resourcesOf,
} from "./state-file.ts";

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
  expect(hasAgentPlaces(state({ resources: [box] }), "main")).toBe(true);
  expect(hasAgentPlaces(state({ resources: [box] }), "ain")).toBe(false);
  const other = { ...box, instances: [{ dependencies: ["x.y"] }] };
  expect(hasAgentPlaces(state({ resources: [other] }), "main")).toBe(false);
  expect(hasAgentPlaces(undefined, "main")).toBe(false);
});

describe("a pushed state", () => {
  const problem = (pushed: Uint8Array, kept: Uint8Array | undefined, isForced = false) =>
    pushedStateProblem(pushed, kept, { isForced, maxBytes: 1_000 });
  const kept = state({ serial: 5 });

  it.each([
    ["the first", state({}), undefined],
    ["a newer one", state({ serial: 6 }), kept],
    ["one that was changed by hand", state({ serial: 5, resources: [box] }), kept],
  ])("is accepted if it is %s", (_case, pushed, before) => {
    expect(problem(pushed, before)).toBeUndefined();
  });

  it.each([
    ["older", state({ serial: 4 }), "is older than the workspace's: it has the serial 4, wanted 5"],
    ["of something else", state({ serial: 9, lineage: "two" }), "it has the lineage two, and"],
  ])("is refused if it is %s, unless it is forced", (_case, pushed, message) => {
    expect(problem(pushed, kept)).toContain(message);
    expect(problem(pushed, kept, true)).toBeUndefined();
  });

  it.each([
    ["not JSON", Buffer.from("{"), "is not a JSON object"],
    ["a list", Buffer.from("[]"), "is not a JSON object"],
    ["of a newer version", state({ version: 5 }), "has version 5, wanted 4"],
    ["without a version", state({ version: undefined }), "has version none, wanted 4"],
    ["without a lineage", state({ lineage: "" }), "has no lineage"],
    ["without a serial", state({ serial: "1" }), "has no serial"],
    ["too large", state({ serial: 6, filler: "x".repeat(1_000) }), "wanted at most 1000"],
  ])("is refused if it is %s, even if it is forced", (_case, pushed, message) => {
    expect(problem(pushed, kept)).toContain(message);
    expect(problem(pushed, kept, true)).toContain(message);
  });
});

it("tells a state that is cut off", () => {
  expect(isWholeState(state({}))).toBe(true);
  expect(isWholeState(state({}).subarray(0, -1))).toBe(false);
});

describe("the resources of a state", () => {
  it("have the addresses by which the program names them", () => {
    const resources = [
      {
        mode: "data",
        type: "coder_workspace",
        name: "me",
        instances: [{ attributes: { id: "w" } }],
      },
      {
        module: 'module.ide["a.b"]',
        mode: "managed",
        type: "coder_app",
        name: "app",
        instances: [
          {
            index_key: 'say "x"',
            attributes: { slug: "x" },
            dependencies: ["coder_agent.main", 'module.ide["a.b"].coder_app.first[0]'],
          },
          { index_key: 1, attributes: { slug: "y" } },
        ],
      },
    ];
    expect(resourcesOf(state({ resources }))).toEqual([
      {
        address: "data.coder_workspace.me",
        configAddress: "data.coder_workspace.me",
        key: undefined,
        isData: true,
        type: "coder_workspace",
        name: "me",
        values: { id: "w" },
        dependsOn: [],
      },
      {
        address: String.raw`module.ide["a.b"].coder_app.app["say \"x\""]`,
        configAddress: "module.ide.coder_app.app",
        key: 'say "x"',
        isData: false,
        type: "coder_app",
        name: "app",
        values: { slug: "x" },
        dependsOn: ["coder_agent.main", "module.ide.coder_app.first"],
      },
      expect.objectContaining({ address: 'module.ide["a.b"].coder_app.app[1]', key: 1 }),
    ]);
  });

  it("leave out instances that wait for their removal", () => {
    const instances = [{ deposed: "00000001", attributes: { id: 1 } }, { attributes: { id: 2 } }];
    expect(resourcesOf(state({ resources: [{ ...box, instances }] }))).toMatchObject([
      { values: { id: 2 } },
    ]);
  });

  it("are for the program to read if the state has another version or is encrypted", () => {
    expect(resourcesOf(state({ version: 5 }))).toBeUndefined();
    const encrypted = { serial: 1, lineage: "one", encrypted_data: "x", encryption_version: "v0" };
    expect(resourcesOf(Buffer.from(JSON.stringify(encrypted)))).toBeUndefined();
    expect(resourcesOf(undefined)).toBeUndefined();
  });
});
