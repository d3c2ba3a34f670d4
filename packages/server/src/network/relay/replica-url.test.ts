import type { networkInterfaces } from "node:os";

import { expect, it } from "vitest";

import { isLoopback, replicaUrl } from "./replica-url.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;
type Interface = NonNullable<Interfaces[string]>[number];

function interfaceOf(address: string, internal = false): Interface {
  const rest = { address, netmask: "", mac: "", cidr: null, internal };
  return address.includes(":")
    ? { ...rest, family: "IPv6", scopeid: 0 }
    : { ...rest, family: "IPv4" };
}

const machine: Interfaces = {
  lo: [interfaceOf("127.0.0.1", true)],
  eth0: [interfaceOf("fe80::1"), interfaceOf("2001:db8::5"), interfaceOf("10.0.0.5")],
};

it.each([
  ["10.1.1.1", machine, "http://10.1.1.1:3000"],
  ["2001:db8::1", machine, "http://[2001:db8::1]:3000"],
  ["127.0.0.1", machine, "http://127.0.0.1:3000"],
  ["0.0.0.0", machine, "http://10.0.0.5:3000"],
  [
    "::",
    { eth0: [interfaceOf("fe80::1"), interfaceOf("2001:db8::5")] },
    "http://[2001:db8::5]:3000",
  ],
  ["0.0.0.0", { lo: [interfaceOf("127.0.0.1", true)] }, "http://127.0.0.1:3000"],
])("is derived from the listen address %s", (host, interfaces, wanted) => {
  expect(replicaUrl({ host }, 3000, interfaces)).toBe(wanted);
});

it.each([
  ["http://127.0.0.1:3000", true],
  ["http://127.8.0.1", true],
  ["http://localhost:3000", true],
  ["http://[::1]:3000", true],
  ["http://10.0.0.5:3000", false],
  ["https://relay.example.com", false],
])("knows a loopback address: %s", (url, wanted) => {
  expect(isLoopback(url)).toBe(wanted);
});
