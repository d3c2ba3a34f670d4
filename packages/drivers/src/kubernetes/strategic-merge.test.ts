import { expect, it } from "vitest";

import { strategicMerge } from "./strategic-merge.ts";

const base = {
  hostNetwork: false,
  nodeSelector: { pool: "a", zone: "b" },
  containers: [
    { name: "one", image: "a", args: ["x"], env: [{ name: "A", value: "1" }] },
    { name: "two", image: "b" },
  ],
  tolerations: [{ key: "a" }],
};

it("merges maps by key, and lists of objects by theirs", () => {
  const patch = {
    hostNetwork: true,
    nodeSelector: { zone: "c" },
    containers: [
      { name: "one", env: [{ name: "B", value: "2" }] },
      { name: "three", image: "c" },
    ],
  };
  expect(strategicMerge(base, patch)).toEqual({
    hostNetwork: true,
    nodeSelector: { pool: "a", zone: "c" },
    containers: [
      {
        name: "one",
        image: "a",
        args: ["x"],
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
      { name: "two", image: "b" },
      { name: "three", image: "c" },
    ],
    tolerations: [{ key: "a" }],
  });
});

it("replaces other lists, and removes what is null", () => {
  const patch = { nodeSelector: { pool: null }, tolerations: [{ key: "b" }], hostNetwork: null };
  expect(strategicMerge(base, patch)).toMatchObject({
    nodeSelector: { zone: "b" },
    tolerations: [{ key: "b" }],
  });
  expect(strategicMerge(base, patch)).not.toHaveProperty("hostNetwork");
});

it("follows the directives that delete an item and replace a map or a list", () => {
  expect(
    strategicMerge(base, {
      containers: [{ name: "two", $patch: "delete" }],
      nodeSelector: { $patch: "replace", disk: "ssd" },
    }),
  ).toMatchObject({ containers: [{ name: "one" }], nodeSelector: { disk: "ssd" } });
  const replaced = strategicMerge(base, {
    containers: [{ $patch: "replace" }, { name: "four", image: "d" }],
  });
  expect(replaced["containers"]).toEqual([{ name: "four", image: "d" }]);
});

it("changes neither of the two", () => {
  const before = structuredClone(base);
  strategicMerge(base, { nodeSelector: { zone: "c" }, containers: [{ name: "one", image: "z" }] });
  expect(base).toEqual(before);
});
