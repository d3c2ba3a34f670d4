import { expect, it } from "vitest";

import { defaultLimits } from "../platform/config/limits.ts";
import { connectionLimits } from "./connection-limits.ts";

it.each([
  [Infinity, 65_536, 16_384],
  [1_048_576, 65_536, 16_384],
  [32_768, 24_576, 12_288],
  [1_024, 768, 384],
])("with %i files, leaves some for the server and for others", (files, inAll, perAddress) => {
  expect(connectionLimits(defaultLimits, files)).toEqual({ inAll, perAddress });
});

it("is what the settings say where that is less", () => {
  const limits = { ...defaultLimits, maxConnections: 100, maxConnectionsPerAddress: 50 };
  expect(connectionLimits(limits, 1_024)).toEqual({ inAll: 100, perAddress: 50 });
});
