import { expect, it } from "vitest";

import { candidatesOf } from "./server-url-inside.ts";

it("tries the address itself, then those of the machine, with port and path", () => {
  expect(candidatesOf("http://127.0.0.1:3000/slipway", "172.17.0.1")).toEqual([
    "http://127.0.0.1:3000/slipway",
    "http://host.docker.internal:3000/slipway",
    "http://172.17.0.1:3000/slipway",
  ]);
  expect(candidatesOf("http://localhost:3000", "")).toEqual([
    "http://localhost:3000",
    "http://host.docker.internal:3000",
  ]);
});
