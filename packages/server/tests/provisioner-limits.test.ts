import { randomUUID } from "node:crypto";

import {
  deleteProvisionerKey,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { makeKey } from "./support/provisioner-process.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";

/* The limits of keys and sessions hold for requests at the same time too. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

const params = { organization: "default" };
const patience = { timeout: 60_000, interval: 100 };

it("an organization has 100 keys, however many are created at once", async () => {
  for (let at = 0; at < 97; at += 1) await makeKey(server.admin, `key-${at}`, {});
  const made = await Promise.allSettled(
    Array.from({ length: 10 }, (_, at) => makeKey(server.admin, `late-${at}`, {})),
  );
  const refusals = made.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refusals).toHaveLength(7);
  for (const refusal of refusals) expect(refusal).toMatchObject({ status: 409 });
  expect(await server.admin.call(listProvisionerKeys, { params })).toHaveLength(100);
  await server.admin.call(deleteProvisionerKey, { params: { ...params, key: "key-0" } });
  await makeKey(server.admin, "again", {});
  for (const key of ["key-1", "key-2", "key-3", "key-4", "key-5"]) {
    await server.admin.call(deleteProvisionerKey, { params: { ...params, key } });
  }
});

/** Opens sessions at the same time; resolves to those that stay, and the status of each refusal. */
async function openAll(
  key: string,
  count: number,
): Promise<{ readonly sessions: readonly RawProvisioner[]; readonly statuses: readonly number[] }> {
  const all = await Promise.all(
    Array.from({ length: count }, async () => RawProvisioner.open({ url: server.url, key })),
  );
  const sessions = all.filter((one) => one instanceof RawProvisioner);
  for (const one of sessions) opened.use(one);
  return {
    sessions,
    statuses: all.flatMap((one) => (one instanceof RawProvisioner ? [] : [one.status])),
  };
}

const openOnes = (sessions: readonly RawProvisioner[]): number =>
  sessions.filter(({ isOpen }) => isOpen).length;

it("a server takes 100 sessions with a key, and 200 in all, however many begin at once", async () => {
  const key = await makeKey(server.admin, "first", {});
  const id = randomUUID();
  await using known = await RawProvisioner.connect({ url: server.url, key, id });
  const first = await openAll(key, 102);
  expect(first.statuses.every((status) => status === 503)).toBe(true);
  await expect.poll(() => openOnes(first.sessions), patience).toBe(99);
  // A provisioner that lost its connection unnoticed replaces its own session.
  await using again = await RawProvisioner.connect({ url: server.url, key, id });
  expect(await known.closed()).toMatchObject({ code: 1012 });
  const second = await openAll(await makeKey(server.admin, "second", {}), 99);
  await using last = await RawProvisioner.connect({
    url: server.url,
    key: await makeKey(server.admin, "third", {}),
  });
  expect(openOnes(second.sessions)).toBe(99);
  const fourth = await makeKey(server.admin, "fourth", {});
  expect(await RawProvisioner.open({ url: server.url, key: fourth })).toMatchObject({
    status: 503,
    text: expect.stringContaining("Too many provisioners"),
  });
  await last[Symbol.asyncDispose]();
  const next = async (): Promise<boolean> => {
    const one = await RawProvisioner.open({ url: server.url, key: fourth });
    if (one instanceof RawProvisioner) opened.use(one);
    return one instanceof RawProvisioner;
  };
  await expect.poll(next, patience).toBe(true);
  expect(openOnes([again, ...first.sessions])).toBe(100);
});
