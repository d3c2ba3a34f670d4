import { describe, expect, it } from "vitest";

import { remoteUser, remoteVariables } from "./remote-variables.ts";

const read = (metadata: unknown, containerEnvironment: readonly string[] = []) =>
  remoteVariables({
    metadata: typeof metadata === "string" ? metadata : JSON.stringify(metadata),
    containerEnvironment,
  });

describe("remoteVariables", () => {
  it("merges the entries of images and configurations; null is empty", () => {
    const metadata = [
      { id: "feature" },
      { remoteEnv: { EDITOR: "vi", PAGER: "less" } },
      { remoteEnv: { EDITOR: "nano", PAGER: null } },
    ];
    expect(read(metadata)).toEqual({ EDITOR: "nano", PAGER: "" });
    expect(read({ remoteEnv: { A: "b" } })).toEqual({ A: "b" });
  });

  it("refers to the container's environment, never to that of the workspace", () => {
    const metadata = [
      {
        remoteEnv: {
          PATH: "${containerEnv:PATH}:/opt/bin",
          TOKEN: "x${localEnv:CODER_AGENT_TOKEN}",
          NONE: "${containerEnv:NONE:standard}",
        },
      },
    ];
    expect(read(metadata, ["PATH=/bin:/usr/bin", "A=b=c"])).toEqual({
      PATH: "/bin:/usr/bin:/opt/bin",
      TOKEN: "x",
      NONE: "standard",
    });
  });

  it.each([
    "",
    "{",
    "null",
    "1",
    '[null, 1, {"remoteEnv": 1}, {"remoteEnv": {"a-b": "c", "": "d"}}]',
  ])("has none in %j", (metadata) => {
    expect(read(metadata)).toEqual({});
  });

  it("limits their number and size", () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [
        `V${index}`,
        "x".repeat(index === 0 ? 40_000 : 1),
      ]),
    );
    const variables = Object.values(read({ remoteEnv: many }));
    expect(variables).toHaveLength(256);
    expect(variables[0]).toHaveLength(32 * 1024);
  });
});

it("finds the last user that the metadata names", () => {
  const metadata = [
    { remoteUser: "node" },
    { remoteUser: "ada" },
    { remoteUser: "--privileged" },
    {},
  ];
  expect(remoteUser(JSON.stringify(metadata))).toBe("ada");
  expect(remoteUser("")).toBe("");
});
