import { expect, it } from "vitest";

import { parseWorkspaceAddress } from "./workspace-address.ts";

it.each([
  ["demo", { name: "demo", agent: undefined }],
  ["demo.main", { name: "demo", agent: "main" }],
  ["demo.main.inner", { name: "demo", agent: "main.inner" }],
])("reads %s", (text, address) => {
  expect(parseWorkspaceAddress(text)).toEqual(address);
});
