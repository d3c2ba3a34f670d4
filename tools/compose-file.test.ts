import { readFileSync } from "node:fs";

import { expect, it } from "vitest";
import { parse } from "yaml";

/* What `deploy/compose` promises operators, and a run of it does not show. */

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}

const { services, networks } = parse(read("deploy/compose/compose.yaml"));

/** Returns what a text tells nginx about the requests that it passes on. */
function proxyDirectives(text: string): readonly string[] {
  return (text.match(/^ *proxy_\w+ .*;$/gm) ?? []).map((line) => line.trim());
}

it("has the proxy pass requests on as the guide's does", () => {
  const guide = /^```nginx\n(.*?)^```$/ms.exec(read("docs/operations.md"))?.[1] ?? "";
  const directives = proxyDirectives(guide);
  expect(directives).toContain("proxy_next_upstream error timeout;");
  const deployed = proxyDirectives(read("deploy/compose/nginx.conf"));
  // The guide passes requests on in a second place, for the applications on other hosts.
  expect(deployed).toEqual(directives.filter((line) => !line.startsWith("proxy_pass")));
});

it("gives each service more than Docker's ten seconds to end, and the server those of its requests", () => {
  const seconds = (name: string) => Number.parseInt(services[name].stop_grace_period, 10);
  for (const name of Object.keys(services)) expect(seconds(name)).toBeGreaterThanOrEqual(30);
  expect(seconds("slipway")).toBeGreaterThanOrEqual(90);
  expect([services.database.stop_signal, services.proxy.stop_signal]).toEqual([
    "SIGINT",
    "SIGQUIT",
  ]);
});

it("starts the server after its database and the proxy after the server, each once it serves", () => {
  expect(services.slipway.depends_on).toEqual({ database: { condition: "service_healthy" } });
  expect(services.proxy.depends_on).toEqual({ slipway: { condition: "service_healthy" } });
});

it("has secrets in files alone, publishes the proxy alone, and trusts its address alone", () => {
  for (const [name, { environment = {}, ports = [] }] of Object.entries<{
    environment?: Record<string, string>;
    ports?: readonly string[];
  }>(services)) {
    const secrets = Object.keys(environment).filter((one) => /PASSWORD|SECRET|KEY/.test(one));
    for (const secret of secrets) expect(environment[secret]).toMatch(/^\/run\/secrets\//);
    expect(ports.length > 0).toBe(name === "proxy");
  }
  const { SLIPWAY_TRUSTED_PROXIES: trusted } = services.slipway.environment;
  expect(services.proxy.networks.default.ipv4_address).toBe(trusted);
  expect(networks.default.ipam.config[0].subnet.replace(".0/24", ".10")).toBe(trusted);
});
