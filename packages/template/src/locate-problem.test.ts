import { expect, it } from "vitest";

import { locateProblem } from "./locate-problem.ts";

const text = [
  "driver: docker",
  "agents:",
  "  main:",
  "    container:",
  "      image: debian",
  "      docker: { privileged: true, devices: [/dev/fuse, /dev/kvm] }",
].join("\n");

it.each([
  ["agents.main.container.docker.privileged", 6, 17],
  ["agents.main.container.docker.devices[1]", 6, 56],
  // What is not there is at its nearest parent.
  ["agents.main.container.memory", 4, 5],
  ["agents.other.container", 2, 1],
])("finds %s", (path, line, column) => {
  expect(locateProblem(text, path, "no")).toEqual({ line, column, path, message: "no" });
});

it("has a place for a path in a file that is none", () => {
  expect(locateProblem("a: [", "a", "no")).toEqual({
    line: 1,
    column: 1,
    path: "a",
    message: "no",
  });
});
