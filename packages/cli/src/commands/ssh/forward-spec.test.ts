import fc from "fast-check";
import { expect, it } from "vitest";

import { UsageError } from "../../command/errors.ts";
import { readSshForward } from "./forward-spec.ts";

const port = (host: string, number: number) => ({ kind: "port", host, port: number });
const socket = (path: string) => ({ kind: "socket", path });

it.each([
  ["8080:localhost:80", port("localhost", 8080), port("localhost", 80)],
  ["0:db:5432", port("localhost", 0), port("db", 5432)],
  ["0.0.0.0:8080:10.0.0.1:80", port("0.0.0.0", 8080), port("10.0.0.1", 80)],
  ["[::1]:8080:[fe80::1]:80", port("::1", 8080), port("fe80::1", 80)],
  ["/run/there.sock:/run/here.sock", socket("/run/there.sock"), socket("/run/here.sock")],
  ["8080:/run/here.sock", port("localhost", 8080), socket("/run/here.sock")],
  ["/run/there.sock:localhost:80", socket("/run/there.sock"), port("localhost", 80)],
])("reads %s", (text, listen, target) => {
  expect(readSshForward("-R", text)).toEqual({ listen, target });
});

it.each([
  "",
  "8080",
  "8080:80",
  "host:80",
  ":8080:host:80",
  "8080:host:0",
  "8080:host:65536",
  "65536:host:80",
  "8080::80",
  "a:8080:host:80:more",
  "x:host:80",
  "8080:host:8x",
  "/run/sock",
  "::1:8080:host:80",
])("refuses %j, naming the flag and the wanted form", (text) => {
  expect(() => readSshForward("-L", text)).toThrow(/^-L .* is not a forward, wanted \[address:\]/);
});

it("takes any text for a forward or for none", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const outcome = ((): unknown => {
        try {
          return readSshForward("-L", text);
        } catch (error) {
          return error instanceof UsageError ? undefined : error;
        }
      })();
      expect(outcome).not.toBeInstanceOf(Error);
    }),
  );
});
