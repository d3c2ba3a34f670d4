import { expect, it } from "vitest";

import { featureVariables } from "./feature-variables.ts";

it("names variables after the last word of a feature and the option", () => {
  const features = {
    "ghcr.io/coder/devcontainer-features/code-server:1": { port: 9090, "app-name": "Code" },
    "./local-feature": { on: true },
    "registry:5000/team/tool@sha256:ab": { level: "high" },
    plain: {},
  };
  expect(featureVariables(features)).toEqual({
    FEATURE_CODE_SERVER_OPTION_PORT: "9090",
    FEATURE_CODE_SERVER_OPTION_APP_NAME: "Code",
    FEATURE_LOCAL_FEATURE_OPTION_ON: "true",
  });
});

it("leaves out what is not a variable", () => {
  const long = "x".repeat(4097);
  const options = { a: null, b: [1], c: { d: 1 }, "e=f": "1", g: "a\0b", h: long, "": "1" };
  expect(featureVariables({ tool: options, other: "1", " ": { a: "1" } })).toEqual({
    FEATURE_TOOL_OPTION_: "1",
  });
});

it("limits their number", () => {
  const options = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`o${at}`, at]));
  expect(Object.keys(featureVariables({ tool: options }))).toHaveLength(256);
});
