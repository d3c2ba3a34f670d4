import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import { expect, inject, it, vi } from "vitest";

import { openServer } from "../support/open-server.ts";
import { makeKey } from "../support/provisioner-process.ts";
import { connect, endsWith, json, push, resource } from "../support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "../support/raw-provisioner.ts";

vi.setConfig({ testTimeout: 600_000 });

const patience = { timeout: 540_000, interval: 500 };
const keys = 40;
/** More than the buffers of a connection take. */
const largeTemplate = `# ${"x".repeat(9 * 1024 * 1024)}`;
/** Archives of nine MiB that are held at the same time: there is room for one more call of any size. */
const held = 17;

/** A provisioner that answers pings, never reads a call, and comes back whenever it is cut off. */
class DeafProvisioner implements AsyncDisposable {
  readonly #options: Parameters<typeof RawProvisioner.connect>[0];
  readonly #leaving = new AbortController();
  #session: RawProvisioner | undefined;
  /** The times that it was sent a part of a call. */
  sent = 0;

  private constructor(options: Parameters<typeof RawProvisioner.connect>[0]) {
    this.#options = options;
  }

  static async open(url: string, key: string): Promise<DeafProvisioner> {
    const deaf = new DeafProvisioner({ url, key, id: randomUUID() });
    await deaf.#connect();
    return deaf;
  }

  async #connect(): Promise<void> {
    const session = await RawProvisioner.connect(this.#options);
    this.#session = session;
    const pongs = setInterval(() => session.pong(), 1_000);
    void session.pauseAtNext().then(() => (this.sent += 1));
    void this.#comeBack(session, pongs);
  }

  async #comeBack(session: RawProvisioner, pongs: NodeJS.Timeout): Promise<void> {
    await session.closed();
    clearInterval(pongs);
    if (!this.#leaving.signal.aborted) await this.#connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#session?.[Symbol.asyncDispose]();
  }
}

it("a provisioner gets its jobs while those of 40 other keys never read theirs", async () => {
  await using server = await openServer(inject("postgresUrl"), {
    SLIPWAY_TERRAFORM: "off",
    SLIPWAY_MAX_PENDING_BUILDS_PER_USER: "100",
    SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER: "100",
  });
  await using opened = new AsyncDisposableStack();
  const create = (name: string, template_id: string) =>
    server.admin.call(createWorkspace, { params: { user: "me" }, body: { name, template_id } });
  const { provisioner: first } = await connect(server, "deaf");
  const deafTemplate = await push(server, "deaf", first, largeTemplate);
  await first[Symbol.asyncDispose]();
  const reader = opened.use((await connect(server, "hearing")).provisioner);
  const template = await push(server, "hearing", reader);

  const tags = { only: "deaf", more: "than jobs have" };
  const openDeaf = async (number: number): Promise<DeafProvisioner> => {
    const key = await makeKey(server.admin, `deaf-${number}`, tags);
    const deaf = opened.use(await DeafProvisioner.open(server.url, key));
    await create(`deaf-${number}`, deafTemplate);
    return deaf;
  };
  const deaf = await Promise.all(Array.from({ length: keys }, (_, number) => openDeaf(number)));
  const sent = () => deaf.filter((one) => one.sent > 0).length;
  await expect.poll(sent, patience).toBeGreaterThanOrEqual(held);

  for (const name of ["first", "second"]) {
    const workspace = await create(name, template);
    const { call, method } = await vi.waitUntil(
      () => reader.nextCall().catch(() => undefined),
      patience,
    );
    expect(method).toBe("start");
    reader.sendPart(call, "result", json({ resources: [resource], agents: [] }));
    reader.send({ type: "end", call });
    await endsWith(server, workspace, "succeeded");
  }
});
