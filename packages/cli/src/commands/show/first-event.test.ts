import { type SseEvent, SseParser } from "@slipway/sdk/stream";
import { expect, it } from "vitest";

import { firstEvent } from "./first-event.ts";

const stream = "event: ping\n\nevent: data\ndata: [1]\n\nevent: data\ndata: [2]\n\n";

function firstOf(text: string): SseEvent | undefined {
  return firstEvent(new SseParser().push(text));
}

it("skips pings and takes the first data", () => {
  expect(firstOf(stream)).toEqual({ type: "data", data: "[1]" });
  expect(firstOf(stream.replaceAll("\n", "\r\n"))).toEqual({ type: "data", data: "[1]" });
});

it("waits for the end of an event, wherever the stream is cut", () => {
  const end = stream.indexOf("[1]\n\n") + 5;
  for (let length = 0; length < end; length += 1) {
    expect(firstOf(stream.slice(0, length))).toBeUndefined();
  }
});

it("treats an error as the end", () => {
  expect(firstOf('event: error\ndata: {"message":"no"}\n\n')).toMatchObject({ type: "error" });
});
