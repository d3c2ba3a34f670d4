import { createHash } from "node:crypto";

import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { exchangePod, type ProvedPod } from "../src/features/agents/identity/pod-service.ts";
import { AuditNotes } from "../src/features/audit/note-service.ts";
import { SecretBox } from "../src/platform/auth/secret-box.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { smallTemplate } from "./support/template-world.ts";

/* What the server makes of the pod that a cluster vouches for. Real pods: packages/cli/tests/kubernetes. */

const key = "k".repeat(40);
const origin = {
  ip: "192.0.2.1",
  userAgent: "",
  requestId: "00000000-0000-4000-8000-000000000000",
  status: 200,
};
const { signal } = new AbortController();

const opened = new AsyncDisposableStack();
let server: OpenServer;
let token = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_SECRET_KEY: key }));
  const template = await pushTemplate(server.admin, "small", smallTemplate);
  const { id } = await makeWorkspace(server.admin, "dev", template, () => true);
  const params = { workspace: id, agent: "main" };
  token = (await server.admin.call(getExternalAgentCredentials, { params })).agent_token;
});

afterAll(() => opened.disposeAsync());

async function exchange(pod: ProvedPod | undefined): Promise<string> {
  const { db } = server;
  await using notes = new AuditNotes({ db, clock: systemClock, logger: silentLogger });
  const secrets = new SecretBox([key]);
  const needs = { db, secrets, notes, logger: silentLogger, provePod: async () => pod };
  return await exchangePod(needs, "the token of the pod", origin, signal);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

it("gives a pod the token of its agent", async () => {
  expect(await exchange({ tokenHash: hashOf(token), driver: "external" })).toBe(token);
});

it("gives none to a pod of another cluster, whose operators know the hash of the token", async () => {
  const pod = { tokenHash: hashOf(token), driver: "kubernetes/other" };
  await expect(exchange(pod)).rejects.toMatchObject({ code: "not-found" });
});

it("gives none to a pod without an agent, or that no cluster knows", async () => {
  const pod = { tokenHash: hashOf("another"), driver: "external" };
  await expect(exchange(pod)).rejects.toMatchObject({ code: "not-found" });
  await expect(exchange(undefined)).rejects.toMatchObject({ code: "unauthenticated" });
});
