import { expect, it } from "vitest";

import { connectionEnd } from "./connection-end.ts";

it.each([
  [undefined, {}],
  [undefined, { disconnect_reason: "graceful", exit_code: 0 }],
  ["The agent stopped", { disconnect_reason: "server_shutdown", exit_code: 1 }],
  [
    "Lost: the network failed or the client vanished",
    { disconnect_reason: "network_error", exit_code: 1 },
  ],
  ["exit status 3", { disconnect_reason: "exit status 3", exit_code: 3 }],
  ["Exit code 3", { disconnect_reason: "", exit_code: 3 }],
  ["Exit code 3", { disconnect_reason: "graceful", exit_code: 3 }],
  ["constructor", { disconnect_reason: "constructor" }],
])("says %s of %j", (text, end) => {
  expect(connectionEnd(end)).toBe(text);
});
