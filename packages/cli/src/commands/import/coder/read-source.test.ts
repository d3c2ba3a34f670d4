import { createServer } from "node:http";

import { systemClock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { PatientClient } from "./patient-client.ts";
import { readTemplates, readUsers, readWorkspaces } from "./read-source.ts";

/** Opens a server that answers every request with this text. */
async function answering(text: string): Promise<PatientClient> {
  const server = await openLocalServer(
    createServer((_request, response) => void response.end(text)),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  return new PatientClient({ serverUrl: server.url, token: "t", clock: systemClock, signal });
}

it.each(["null", "7", '"text"', "[[], 1, null]", '{"users": {}, "workspaces": "x"}'])(
  "reads an answer of another form as empty: %s",
  async (text) => {
    const server = await answering(text);
    expect(await readUsers(server)).toEqual([]);
    expect(await readWorkspaces(server)).toEqual([]);
    const templates = await readTemplates(server);
    expect(templates.every(({ name }) => name === "")).toBe(true);
  },
);

it("reads deprecated templates, which stock servers list only on request", async () => {
  const server = await openLocalServer(
    createServer((request, response) => {
      const isDeprecated = request.url?.includes("deprecated%3Atrue") === true;
      const isVersions = request.url?.includes("/versions") === true;
      const template = isDeprecated ? { id: "2", name: "old" } : { id: "1", name: "box" };
      response.end(JSON.stringify(isVersions ? [] : [template]));
    }),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  const options = { serverUrl: server.url, token: "t", clock: systemClock, signal };
  const templates = await readTemplates(new PatientClient(options));
  expect(templates.map(({ name }) => name)).toEqual(["box", "old"]);
});

it("refuses a list that never ends", async () => {
  const users = Array.from({ length: 100_001 }, () => "{}").join(",");
  const server = await answering(`{"users":[${users}]}`);
  await expect(readUsers(server)).rejects.toThrow("the server lists more than 100000 users");
});
