import { expect, it } from "vitest";

import { parsePostmasterFile } from "./postmaster-file.ts";

const lines = [
  "4711",
  "/data/postgres-18",
  "1795570814",
  "5432",
  "/sockets",
  "",
  "16777217 3",
  "ready   ",
  "",
];

it("reads where a server is and whether it is ready", () => {
  expect(parsePostmasterFile(lines.join("\n"))).toEqual({
    pid: 4711,
    port: 5432,
    socketDirectory: "/sockets",
    status: "ready",
  });
});

it.for([
  ["stopping", "stopping"],
  ["starting", "starting"],
  ["standby ", "starting"],
] as const)("takes the status %j for %j", ([status, meaning]) => {
  const text = lines.with(7, status).join("\n");
  expect(parsePostmasterFile(text)?.status).toBe(meaning);
});

it("takes a file without a status for a start in progress", () => {
  expect(parsePostmasterFile(lines.slice(0, 5).join("\n"))?.status).toBe("starting");
});

it.for(["", "\n", "4711", "4711\n/data\n1\n5432", "-4711\n/data\n1\n5432\n/sockets\n"])(
  "sees no server in %j",
  (text) => {
    expect(parsePostmasterFile(text)).toBeUndefined();
  },
);
