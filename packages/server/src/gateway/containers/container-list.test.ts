import { expect, it } from "vitest";

import { Unreachable } from "../../platform/errors/errors.ts";
import { parseContainerList, parseLabelFilter, withLabels } from "./container-list.ts";

const id = "6f1c5a55-6c5e-4ad5-8e7c-111111111111";
const container = {
  created_at: "2026-11-30T01:02:03.123456789Z",
  id: "c1",
  name: "web",
  image: "site:1",
  labels: { "devcontainer.local_folder": "/home/ada/site", tier: "front" },
  running: true,
  ports: [
    { port: 80, network: "tcp", host_ip: "0.0.0.0", host_port: 8080 },
    { port: 443, network: "tcp" },
  ],
  status: "running",
  volumes: { "/srv": "/data" },
};
const devcontainer = {
  id,
  name: "site",
  workspace_folder: "/home/ada/site",
  subagent_id: null,
  status: "running",
  dirty: false,
  container,
  agent: { id, name: "site", directory: "/workspaces/site" },
};

it("parses a list in its order, with times in the form of the contract", () => {
  const list = parseContainerList({ devcontainers: [devcontainer], containers: [container] });
  const parsed = { ...container, created_at: "2026-11-30T01:02:03.123Z" };
  expect(list).toEqual({
    devcontainers: [{ ...devcontainer, container: parsed }],
    containers: [parsed],
  });
});

it("takes null for an empty list, as stock agents send it, and drops fields that it does not know", () => {
  const answer = {
    devcontainers: null,
    containers: [{ ...container, extra: 1 }],
    warnings: ["one"],
  };
  const { devcontainers, containers, warnings } = parseContainerList(answer);
  expect(devcontainers).toEqual([]);
  expect(containers[0]).not.toHaveProperty("extra");
  expect(warnings).toEqual(["one"]);
});

it.each([
  [null],
  [[]],
  [{ containers: {} }],
  [{ containers: [null] }],
  [{ containers: [{ ...container, name: 1 }] }],
  [{ containers: [{ ...container, created_at: "yesterday" }] }],
  [{ containers: [{ ...container, labels: { a: 1 } }] }],
  [{ containers: [{ ...container, ports: [{ port: 65_536, network: "tcp" }] }] }],
  [{ containers: [], devcontainers: [{ ...devcontainer, id: "x" }] }],
  [{ containers: [], devcontainers: [{ ...devcontainer, status: "flying" }] }],
  [{ containers: Array.from({ length: 2001 }, () => container) }],
])("refuses %#", (answer) => {
  expect(() => parseContainerList(answer)).toThrow(Unreachable);
});

it("leaves the containers that have all labels; an empty value stands for any", () => {
  const other = { ...container, id: "c2", labels: { tier: "back" } };
  const list = parseContainerList({
    devcontainers: [devcontainer],
    containers: [container, other],
  });
  const idsWith = (...texts: string[]) =>
    withLabels(
      list,
      texts.flatMap((text) => parseLabelFilter(text) ?? []),
    ).containers.map((one) => one.id);
  expect(idsWith()).toEqual(["c1", "c2"]);
  expect(idsWith("tier=")).toEqual(["c1", "c2"]);
  expect(idsWith("tier=front")).toEqual(["c1"]);
  expect(idsWith("tier=back", "devcontainer.local_folder=")).toEqual([]);
  expect(idsWith("constructor=")).toEqual([]);
  expect(withLabels(list, [{ key: "none", value: "" }]).devcontainers).toHaveLength(1);
});

it.each(["a", "", "a=b=c"])("refuses the label filter %j", (text) => {
  expect(parseLabelFilter(text)).toBeUndefined();
});
