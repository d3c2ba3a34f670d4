import { expect, it } from "vitest";

import { localText, readForwards } from "./forward-spec.ts";

function read(...tcp: readonly string[]): readonly string[] {
  return readForwards({ tcp, udp: [] }).map(
    (forward) => `${localText(forward)} -> ${forward.remotePort}`,
  );
}

it.each([
  ["8080", ["127.0.0.1:8080 -> 8080"]],
  ["8080:80", ["127.0.0.1:8080 -> 80"]],
  ["5000-5002", ["127.0.0.1:5000 -> 5000", "127.0.0.1:5001 -> 5001", "127.0.0.1:5002 -> 5002"]],
  ["5000-5001:6000-6001", ["127.0.0.1:5000 -> 6000", "127.0.0.1:5001 -> 6001"]],
  ["0.0.0.0:8080", ["0.0.0.0:8080 -> 8080"]],
  ["0.0.0.0:8080:80", ["0.0.0.0:8080 -> 80"]],
  ["10.0.0.1:50-51:60-61", ["10.0.0.1:50 -> 60", "10.0.0.1:51 -> 61"]],
  ["localhost:8080:80", ["localhost:8080 -> 80"]],
  ["[::1]:8080:80", ["[::1]:8080 -> 80"]],
  ["[fe80::1%eth0]:53", ["[fe80::1%eth0]:53 -> 53"]],
  [
    "8080,9000:3000, 65535",
    ["127.0.0.1:8080 -> 8080", "127.0.0.1:9000 -> 3000", "127.0.0.1:65535 -> 65535"],
  ],
])("reads %s", (text, forwards) => {
  expect(read(text)).toEqual(forwards);
});

it("reads several flags of both protocols", () => {
  expect(readForwards({ tcp: ["1:2", "3"], udp: ["1:2"] })).toEqual([
    { protocol: "tcp", address: undefined, localPort: 1, remotePort: 2 },
    { protocol: "tcp", address: undefined, localPort: 3, remotePort: 3 },
    { protocol: "udp", address: undefined, localPort: 1, remotePort: 2 },
  ]);
});

it.each([
  "",
  "x",
  "0",
  "65536",
  "80:",
  ":80",
  "80:x",
  "80:81:82",
  "90-80",
  "1.2.3.4",
  "1.2.3.4:80:81:82",
  "::1:80",
  "[::1]",
  "[::1]80",
  "[]:80",
  "1.2.3.4.5:80",
  "somewhere:80",
  "80,,81",
  "80-",
  "-1",
  "1e3",
])("refuses %j, naming the flag and the wanted form", (text) => {
  expect(() => readForwards({ tcp: [], udp: [text] })).toThrow(/^--udp .*wanted local:remote/);
});

it.each([
  ["8080:0", "0"],
  ["99999:80", "99999"],
  ["80-70000", "70000"],
  ["0.0.0.0:65536:80", "65536"],
])("names the port of %j that is out of range", (text, port) => {
  expect(() => read(text)).toThrow(
    `--tcp "${text}" has the port ${port}, wanted 1 to 65535; wanted`,
  );
});

it("refuses ranges of unequal length", () => {
  expect(() => read("80-82:90-91")).toThrow("has 3 local and 2 remote ports");
});

it("refuses a local port that is given twice, but not for both protocols", () => {
  expect(() => read("80:1", "70-90:170-190")).toThrow("--tcp 127.0.0.1:80 is given twice");
  expect(read("1.1.1.1:80", "80")).toHaveLength(2);
});

it("refuses no and too many ports", () => {
  expect(() => read()).toThrow("pass --tcp or --udp");
  expect(() => read("1-60000")).toThrow("has more than 1024 ports");
  expect(() => read("1-1000", "2001-3000")).toThrow("2000 ports are too many");
});
