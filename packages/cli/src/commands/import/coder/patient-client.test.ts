import { createServer, type RequestListener } from "node:http";

import { getBuildInfo } from "@slipway/api/deployment/routes";
import { createUser } from "@slipway/api/users/routes";
import type { Clock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { PatientClient } from "./patient-client.ts";

/** A clock whose sleeps end at once, and their lengths. */
function hastyClock(): { readonly clock: Clock; readonly slept: number[] } {
  const slept: number[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  };
  return { clock, slept };
}

async function open(
  listener: RequestListener,
  clock: Clock = hastyClock().clock,
): Promise<PatientClient> {
  const server = await openLocalServer(createServer(listener));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  return new PatientClient({ serverUrl: server.url, token: "secret", clock, signal });
}

const ada = { username: "ada", email: "ada@example.com" };

it("waits as long as a busy server asks, within a limit, also with a change", async () => {
  const waits = ["7", "100000"];
  const { clock, slept } = hastyClock();
  const client = await open((_request, response) => {
    const wait = waits.shift();
    if (wait === undefined) response.writeHead(201).end("{}");
    else response.writeHead(429, { "Retry-After": wait }).end();
  }, clock);
  await client.call(createUser, { body: ada });
  expect(slept).toEqual([7_000, 120_000]);
});

it("gives up after eight attempts", async () => {
  let attempts = 0;
  const client = await open((_request, response) => {
    attempts += 1;
    response.writeHead(503).end();
  });
  await expect(client.call(getBuildInfo)).rejects.toMatchObject({ status: 503 });
  expect(attempts).toBe(8);
});

it("repeats a read whose answer broke off, and no change that may have been carried out", async () => {
  let attempts = 0;
  const client = await open((request, response) => {
    attempts += 1;
    if (attempts % 2 === 1) request.socket.destroy();
    else response.end("{}");
  });
  await client.call(getBuildInfo);
  expect(attempts).toBe(2);
  await expect(client.call(createUser, { body: ada })).rejects.toThrow("cannot reach");
  expect(attempts).toBe(3);
});

it("follows no redirect, not even without its token", async () => {
  let reached = 0;
  const other = await open((_request, response) => {
    reached += 1;
    response.end("{}");
  });
  const { clock, slept } = hastyClock();
  const client = await open(
    (_request, response) => response.writeHead(307, { Location: `${other.serverUrl}/x` }).end(),
    clock,
  );
  await expect(client.call(getBuildInfo)).rejects.toMatchObject({
    cause: { message: `the server redirects to ${other.serverUrl}` },
  });
  expect(reached).toBe(0);
  expect(slept).toEqual([]);
});
