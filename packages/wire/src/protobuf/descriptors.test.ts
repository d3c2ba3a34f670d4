import { expect, it } from "vitest";

import { rpcPath } from "./descriptors.ts";
import { Agent } from "./gen/agent_pb.ts";
import { Tailnet } from "./gen/tailnet_pb.ts";

it("joins service and method", () => {
  expect(rpcPath(Agent.method.updateStats)).toBe("/coder.agent.v2.Agent/UpdateStats");
  expect(rpcPath(Tailnet.method.streamDERPMaps)).toBe("/coder.tailnet.v2.Tailnet/StreamDERPMaps");
});

it("knows all methods and their shapes", () => {
  expect(Agent.methods.map((method) => method.methodKind)).toEqual(Array(19).fill("unary"));
  expect(
    Object.fromEntries(Tailnet.methods.map((method) => [method.name, method.methodKind])),
  ).toEqual({
    PostTelemetry: "unary",
    StreamDERPMaps: "server_streaming",
    RefreshResumeToken: "unary",
    Coordinate: "bidi_streaming",
    WorkspaceUpdates: "server_streaming",
  });
});
