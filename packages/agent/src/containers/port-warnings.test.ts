import { expect, it } from "vitest";

import type { Container } from "./container.ts";
import { portWarnings } from "./port-warnings.ts";

function container(name: string, hostIp: string, running = true): Container {
  const ports = [{ port: 80, network: "tcp", host_ip: hostIp, host_port: 8080 }];
  const empty = { created_at: "", id: name, image: "", labels: {}, status: "", volumes: {} };
  return { ...empty, name, running, ports };
}

it("warns of a port that several containers publish", () => {
  expect(portWarnings([container("a", "10.0.0.1"), container("b", "10.0.0.2")])).toEqual([
    "several containers publish port 8080: a, b",
  ]);
  expect(portWarnings([container("a", "10.0.0.1"), container("b", "10.0.0.2", false)])).toEqual([]);
});
