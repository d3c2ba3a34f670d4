import { type Duplex, duplexPair } from "node:stream";

import { expect, it, onTestFinished } from "vitest";

import { openCommandHost } from "../../tests/support/command-host.ts";
import { serviceOptions } from "../../tests/support/service-options.ts";
import { WorkspaceServices } from "./workspace-services.ts";

/** The port of the HTTP API. */
const apiPort = 4;

function openServices(): WorkspaceServices {
  const commands = openCommandHost();
  const services = new WorkspaceServices({ ...serviceOptions, commands });
  onTestFinished(() => {
    services.close();
    commands[Symbol.dispose]();
  });
  return services;
}

/** Connects to the HTTP API; returns the client's end. */
function connect(services: WorkspaceServices): Duplex {
  const [client, connection] = duplexPair();
  services.byPort.get(apiPort)?.accept(connection);
  return client;
}

/** Sends a request, and resolves to the first line of the answer; empty if the connection ends without one. */
async function ask(client: Duplex): Promise<string> {
  client.write("GET /api/v0/runs HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
  const answer = Buffer.concat(await client.toArray()).toString();
  return answer.split("\r\n", 1)[0] ?? "";
}

it("loads the HTTP API with its first connections, which lose nothing", async () => {
  const services = openServices();
  expect(services.runs).toBeUndefined();
  const answers = await Promise.all([ask(connect(services)), ask(connect(services))]);
  expect(answers).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
  const { runs } = services;
  expect(runs?.list()).toEqual([]);
  expect(await ask(connect(services))).toBe("HTTP/1.1 200 OK");
  expect(services.runs).toBe(runs);
});

it("opens no HTTP API for connections that end, or once it is closed", async () => {
  const services = openServices();
  connect(services).destroy();
  const late = connect(services);
  services.close();
  expect(await ask(late)).toBe("");
  expect(services.runs).toBeUndefined();
});
