import { expect, test } from "vitest";

import { firstEvent } from "./first-event.ts";

const stream = "event: ping\n\nevent: data\ndata: [1]\n\nevent: data\ndata: [2]\n\n";

test("skips pings and takes the first data", () => {
  expect(firstEvent(stream)).toEqual({ kind: "data", data: "[1]" });
  expect(firstEvent(stream.replaceAll("\n", "\r\n"))).toEqual({ kind: "data", data: "[1]" });
});

test("waits for the end of an event, wherever the stream is cut", () => {
  const end = stream.indexOf("[1]\n\n") + 5;
  for (let length = 0; length < end; length += 1) {
    expect(firstEvent(stream.slice(0, length))).toEqual({ kind: "none" });
  }
});

test("takes an error as the end", () => {
  expect(firstEvent('event: error\ndata: {"message":"no"}\n\n')).toEqual({ kind: "error" });
});
