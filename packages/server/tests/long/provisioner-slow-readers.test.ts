import { createWorkspace } from "@slipway/api/workspaces/routes";
import { expect, inject, it, vi } from "vitest";

import { openServer } from "../support/open-server.ts";
import { connect, push } from "../support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "../support/raw-provisioner.ts";

vi.setConfig({ testTimeout: 300_000 });

const patience = { timeout: 240_000, interval: 500 };
const slowOnes = 4;

it("provisioners that answer pings and never read are cut off when others of their key wait", async () => {
  await using server = await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" });
  const { provisioner, key } = await connect(server, "slow");
  const text = `# ${"x".repeat(9 * 1024 * 1024)}`;
  const template_id = await push(server, "slow", provisioner, text);
  await provisioner[Symbol.asyncDispose]();
  const create = (number: number) =>
    server.admin.call(createWorkspace, {
      params: { user: "me" },
      body: { name: `slow-${number}`, template_id },
    });
  await using sessions = new AsyncDisposableStack();
  const slow: RawProvisioner[] = [];
  for (let number = 0; number < slowOnes; number += 1) {
    const session = sessions.use(await RawProvisioner.connect({ url: server.url, key }));
    const paused = session.pauseAtNext();
    await create(number);
    await paused;
    const pongs = setInterval(() => session.pong(), 1_000);
    sessions.defer(() => clearInterval(pongs));
    slow.push(session);
  }
  // Nobody needs their room, and they answer pings.
  const next = sessions.use(await RawProvisioner.connect({ url: server.url, key }));
  await create(slowOnes);
  const call = await vi.waitUntil(
    () => next.messages.find(({ type }) => type === "call"),
    patience,
  );
  expect(call).toMatchObject({ method: "start" });
  expect(next.part(call.call ?? "", "archive").length).toBeGreaterThan(text.length);
  // One of them was cut off at least; the others are sent the rest.
  for (const session of slow) session.resume();
  await Promise.any(slow.map((session) => session.closed()));
});
