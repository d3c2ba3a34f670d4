import { expect, it } from "vitest";

import { AllowedMethods } from "./allowed-methods.ts";

const methods = new AllowedMethods();
methods.add("GET", "/api/agents/:agent");
methods.add("DELETE", "/api/agents/:agent/logs");
methods.add("PATCH", "/api/agents/me/logs");

it.each([
  ["/api/agents/1", ["GET"]],
  ["/api//agents/1/", ["GET"]],
  ["/api/agents/me/logs", ["DELETE", "PATCH"]],
  ["/api/agents", []],
  ["/api/agents/1/logs/2", []],
  ["/", []],
])("knows the methods of %s", (path, expected) => {
  expect(methods.of(path)).toEqual(expected);
});
