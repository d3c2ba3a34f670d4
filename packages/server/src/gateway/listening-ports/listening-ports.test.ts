import { expect, it } from "vitest";

import { parseListeningPorts, visiblePorts } from "./listening-ports.ts";

const port = (number: number) => ({ process_name: "node", network: "tcp", port: number });

it("parses the agent's list in its order, each port once", () => {
  const answer = { ports: [port(8080), { ...port(3000), extra: 1 }, port(8080)] };
  expect(parseListeningPorts(answer)).toEqual([port(8080), port(3000)]);
  expect(parseListeningPorts({ ports: [] })).toEqual([]);
});

it("cuts long names", () => {
  const [first] = parseListeningPorts({ ports: [{ ...port(1), process_name: "x".repeat(1000) }] });
  expect(first?.process_name).toHaveLength(64);
});

it.each([
  [null],
  ["ports"],
  [{}],
  [{ ports: {} }],
  [{ ports: [null] }],
  [{ ports: [{ ...port(1), port: "1" }] }],
  [{ ports: [port(65_536)] }],
  [{ ports: [port(-1)] }],
  [{ ports: [port(1.5)] }],
  [{ ports: [{ port: 1, network: "tcp" }] }],
])("refuses %j", (answer) => {
  expect(() => parseListeningPorts(answer)).toThrow(
    expect.objectContaining({ name: "Unreachable" }),
  );
});

it("hides the agent's own ports, those of databases and the like, and those of apps", () => {
  const ports = [0, 1, 8, 9, 22, 80, 443, 5432, 3000, 8080, 27_017].map(port);
  const urls = ["http://localhost:8080/x?y", "https://example.com", "not a URL", "", "http://h:99"];
  expect(visiblePorts(ports, urls).map((one) => one.port)).toEqual([9, 80, 443, 3000]);
});
