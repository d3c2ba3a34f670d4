import { expect, it } from "vitest";

import { checkContainerFlags, chooseContainer, inContainer } from "./container.ts";

const containers = [
  { id: "abcd1234", name: "web" },
  { id: "abcd9999", name: "abcd" },
  { id: "ffff0000", name: "db" },
];

it.each([
  ["web", "web"],
  ["abcd1234", "web"],
  ["abcd1", "web"],
  ["abcd", "abcd"],
  ["ffff", "db"],
])("finds the container %s", (wanted, name) => {
  expect(chooseContainer(containers, wanted)).toMatchObject({ name });
});

it("says which containers there are", () => {
  const choose = (wanted: string) => () => chooseContainer(containers, wanted);
  expect(choose("other")).toThrow(
    'the workspace runs no container "other": wanted one of web, abcd, db',
  );
  // Several begin so, or too little is given.
  expect(() => chooseContainer(containers.slice(0, 2), "abcd".slice(0, 3))).toThrow("no container");
  expect(() => chooseContainer([], "web")).toThrow("no container runs there");
});

it("names the container to the agent", () => {
  const request = { command: "id", pty: undefined, environment: { A: "b" } };
  expect(inContainer(request, undefined)).toBe(request);
  expect(inContainer(request, { id: "abcd", user: "" }).environment).toEqual({
    A: "b",
    CODER_CONTAINER: "abcd",
  });
  expect(inContainer(request, { id: "abcd", user: "root" }).environment).toMatchObject({
    CODER_CONTAINER_USER: "root",
  });
});

it("refuses flags that do not go with a container", () => {
  const flags = {
    container: "web",
    containerUser: undefined,
    stdio: false,
    forwardAgent: false,
    forwardGpg: false,
  };
  expect(() => checkContainerFlags(flags)).not.toThrow();
  expect(() => checkContainerFlags({ ...flags, stdio: true })).toThrow("--stdio");
  expect(() => checkContainerFlags({ ...flags, forwardAgent: true })).toThrow("--forward-agent");
  expect(() => checkContainerFlags({ ...flags, forwardGpg: true })).toThrow("--forward-gpg");
  const alone = { ...flags, container: undefined, containerUser: "root" };
  expect(() => checkContainerFlags(alone)).toThrow("--container-user needs a container");
});
