import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { tarMimeType } from "@slipway/api";
import { makeWorkspace, packTemplate, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { shapeDifferences } from "./support/json-shape.ts";
import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";

/*
 * What stock commands asked about templates, asked of ours: the same statuses, and every recorded key with its type. Ids
 * are learned from the answers as the requests go on.
 */

const commands = [
  "templates-list",
  "templates-versions-list",
  "templates-presets-list",
  "templates-edit",
  "templates-pull",
  "templates-push",
  "create",
  "provisioner-jobs-list",
];

/** Where we answer otherwise on purpose: the place and its type there and here. */
const deliberate: Readonly<Record<string, string>> = {
  "GET /templateversions/ID/presets ": "null for no presets there, an empty list here",
  "GET /workspacebuilds/ID matched_provisioners.most_recently_seen":
    "null there once a worker has the job; our servers are always there to take it",
};

interface Recorded {
  readonly kind: string;
  readonly method?: string;
  readonly path?: string;
  readonly request_body?: string;
  readonly status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  readonly response_body?: string;
}

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    directory: /tmp
    env: { FOO: bar }
    troubleshooting_url: https://example.com/
    scripts:
      hello: { display_name: hello, run_on: [start], run: echo hello, log_path: hello.log }
      bye: { display_name: bye, run_on: [stop], run: echo bye, log_path: bye.log }
`;
/** The names of the recorded templates. */
const templateNames = ["tpl1795564004", "tpl1795564299"];
const builtTemplateName = "tpl1795565376";
const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

let server: OpenServer;
/** Ids of ours by recorded ones. */
const ids = new Map<string, string>();

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  for (const name of templateNames) await pushTemplate(server.admin, name, template);
  const built = await pushTemplate(server.admin, builtTemplateName, template);
  // Of this one there were builds: they have lengths.
  const { id } = await makeWorkspace(server.admin, "old", built, () => true);
  await waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
});
afterAll(() => server[Symbol.asyncDispose]());

async function readRequests(command: string): Promise<readonly Recorded[]> {
  const shared =
    process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
  const file = await readFile(join(shared, `recordings/command/${command}.jsonl`), "utf8");
  const requests = file
    .trim()
    .split("\n")
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of the recordings is told by their README
    .map((line) => JSON.parse(line) as Recorded)
    .filter(({ kind, path = "" }) => kind === "http" && path.startsWith("/api/v2/"));
  // Of what was asked again and again the last answer counts: then the job was done.
  return requests.filter((one, index) => {
    return one.method !== "GET" || requests.findLastIndex((other) => same(one, other)) === index;
  });
}

function same(a: Recorded, b: Recorded): boolean {
  return a.method === b.method && a.path === b.path;
}

function ours(text: string): string {
  return text.replaceAll(uuid, (id) => ids.get(id) ?? id);
}

/** Asks until a job that the answer is about is done. */
async function ask({ method = "GET", path = "", request_body: body }: Recorded): Promise<Answer> {
  const relative = ours(path.replace("/api/v2", ""));
  if (method === "POST" && relative === "/files") return upload();
  const input: unknown = body === undefined || body === "" ? undefined : JSON.parse(ours(body));
  for (;;) {
    const answer = await server.request(method, relative, input);
    if (method !== "GET" || !isOpenJob(answer.body)) return answer;
  }
}

/** Whether an answer is, or is about, a job that is not done. */
function isOpenJob(body: unknown): boolean {
  if (!isObject(body)) return false;
  const job = isObject(body["job"]) ? body["job"] : body;
  return "queue_position" in job && !("completed_at" in job);
}

/** The recorded template is one of another kind: what it says does not matter here. */
async function upload(): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v2/files`, {
    method: "POST",
    headers: { ...server.admin.headers, "Content-Type": tarMimeType },
    body: Buffer.from(await packTemplate(`# pushed\n${template}`)),
  });
  const body: unknown = await response.json();
  return { status: response.status, type: response.headers.get("content-type"), body };
}

/** Remembers what the recorded ids of an answer are here. */
function learn(recorded: unknown, answer: unknown): void {
  if (typeof recorded === "string" && typeof answer === "string") {
    if (recorded.match(uuid)?.[0] === recorded) ids.set(recorded, answer);
  } else if (isObject(recorded) && isObject(answer)) {
    for (const [key, value] of Object.entries(recorded)) learn(value, answer[key]);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

describe("what a stock command asks", () => {
  it.each(commands)("%s gets answers of the recorded shapes", async (command) => {
    for (const record of await readRequests(command)) {
      const answer = await ask(record);
      const name = `${record.method} ${(record.path ?? "").replace("/api/v2", "").replaceAll(uuid, "ID")}`;
      expect(answer.status, `${name}: ${JSON.stringify(answer.body)}`).toBe(record.status);
      const isJson = record.response_headers?.["content-type"]?.startsWith("application/json");
      if (isJson !== true) continue;
      const recorded: unknown = JSON.parse(record.response_body ?? "null");
      learn(recorded, answer.body);
      const found = shapeDifferences(recorded, answer.body).map(({ path }) => `${name} ${path}`);
      expect(found.filter((place) => deliberate[place] === undefined)).toEqual([]);
    }
  });
});
