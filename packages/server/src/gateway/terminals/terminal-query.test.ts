import { encodeTerminalPreamble } from "@slipway/wire/services/terminal-preamble";
import { expect, it } from "vitest";

import { readTerminalQuery } from "./terminal-query.ts";

const reconnect = "f0d1a9c4-5b1e-4f53-9c1a-0b7a4d8e2c11";

it("encodes the recorded first message", () => {
  const bytes = Buffer.from(encodeTerminalPreamble(readTerminalQuery({ reconnect, height: "24" })));
  expect(bytes.subarray(0, 2).toString("hex")).toBe("8400");
  expect(bytes.subarray(2).toString()).toBe(
    `{"ID":"${reconnect}","Height":24,"Width":80,"Command":"","Container":"","ContainerUser":"","BackendType":""}`,
  );
});

it("reads every parameter", () => {
  expect(
    readTerminalQuery({
      reconnect: reconnect.toUpperCase(),
      height: "65537",
      width: "0",
      command: 'echo "é"',
      container: "c",
      container_user: "u",
      backend_type: "buffered",
    }),
  ).toEqual({
    ID: reconnect,
    Height: 1,
    Width: 0,
    Command: 'echo "é"',
    Container: "c",
    ContainerUser: "u",
    BackendType: "buffered",
  });
});

it("passes the place of a viewer that resumes on to the agent", () => {
  const start = readTerminalQuery({
    reconnect,
    viewer: reconnect.toUpperCase(),
    received: "70000",
  });
  expect(start).toMatchObject({ Viewer: reconnect, Received: 70_000 });
  expect(Buffer.from(encodeTerminalPreamble(start)).toString()).toContain(
    `"Viewer":"${reconnect}","Received":70000}`,
  );
});

it.each([
  [{}, ["reconnect"]],
  [{ reconnect: "" }, ["reconnect"]],
  [{ reconnect: "x" }, ["reconnect"]],
  [{ reconnect, height: "-1" }, ["height"]],
  [{ reconnect, width: "1.5" }, ["width"]],
  [{ reconnect, width: "1234567890" }, ["width"]],
  [{ reconnect, backend_type: "tmux" }, ["backend_type"]],
  [{ reconnect, viewer: "" }, ["viewer"]],
  [{ reconnect, viewer: "x", received: "-1" }, ["viewer", "received"]],
  [{ reconnect, received: "9007199254740992" }, ["received"]],
  [{ reconnect, command: "x".repeat(65_535) }, ["command"]],
  [
    { height: "x", width: "x", backend_type: "x" },
    ["reconnect", "height", "width", "backend_type"],
  ],
])("refuses %j", (query, fields) => {
  expect(() => readTerminalQuery(query)).toThrow(
    expect.objectContaining({
      message: "Invalid query parameters.",
      validations: fields.map((field) => expect.objectContaining({ field })),
    }),
  );
});
