import { tarMimeType } from "@slipway/api/files/routes";
import { makeWorkspace, packTemplate, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { readRecording, type RecordedLine } from "@slipway/testkit/recordings";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { AnswerComparison } from "./support/compare-answer.ts";
import { ofTemplates } from "./support/deliberate-differences.ts";
import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";
import { RecordedIds } from "./support/recorded-ids.ts";
import { recordedTemplate } from "./support/recorded-template.ts";
import { bodyOf, hasJson } from "./support/recordings.ts";

/*
 * The requests of stock commands about templates, replayed on our server: the same statuses, every recorded key with
 * its type, and no others. Ids are learned from the answers as the requests proceed.
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

/** The names of the recorded templates. */
const templateNames = ["tpl1795564004", "tpl1795564299"];
const builtTemplateName = "tpl1795565376";

let server: OpenServer;
const ids = new RecordedIds();
const comparison = new AnswerComparison(ofTemplates);

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  for (const name of templateNames) await pushTemplate(server.admin, name, recordedTemplate);
  const built = await pushTemplate(server.admin, builtTemplateName, recordedTemplate);
  // This one had builds, which have durations.
  const { id } = await makeWorkspace(server.admin, "old", built, () => true);
  await waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
});
afterAll(() => server[Symbol.asyncDispose]());

function readRequests(command: string): readonly RecordedLine[] {
  const all = readRecording(`command/${command}`);
  const requests = all.filter(({ kind, path = "" }) => {
    return kind === "http" && path.startsWith("/api/v2/");
  });
  // Of repeated requests the last response counts: by then the job was done.
  return requests.filter((one, index) => {
    return one.method !== "GET" || requests.findLastIndex((other) => same(one, other)) === index;
  });
}

function same(a: RecordedLine, b: RecordedLine): boolean {
  return a.method === b.method && a.path === b.path;
}

/** Repeats a request until the job in the response is done. */
async function ask({
  method = "GET",
  path = "",
  request_body: body,
}: RecordedLine): Promise<Answer> {
  const relative = ids.translate(path.replace("/api/v2", ""));
  if (method === "POST" && relative === "/files") return upload();
  const input: unknown =
    body === undefined || body === "" ? undefined : JSON.parse(ids.translate(body));
  for (;;) {
    const answer = await server.request(method, relative, input);
    if (method !== "GET" || !isOpenJob(answer.body)) return answer;
  }
}

/** Returns whether a response is, or contains, an unfinished job. */
function isOpenJob(body: unknown): boolean {
  if (!isObject(body)) return false;
  const job = isObject(body["job"]) ? body["job"] : body;
  return "queue_position" in job && !("completed_at" in job);
}

/** Uploads a template. The recorded one is of another kind: its content is irrelevant here. */
async function upload(): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v2/files`, {
    method: "POST",
    headers: { ...server.admin.headers, "Content-Type": tarMimeType },
    body: Buffer.from(await packTemplate(`# pushed\n${recordedTemplate}`)),
  });
  const body: unknown = await response.json();
  return { status: response.status, type: response.headers.get("content-type"), body };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

describe("what a stock command asks", () => {
  it.each(commands)("%s gets answers of the recorded shapes", async (command) => {
    for (const record of readRequests(command)) {
      const answer = await ask(record);
      if (hasJson(record)) ids.learn(bodyOf(record), answer.body);
      expect(comparison.compare(record, answer)).toEqual([]);
    }
  });

  it("is answered otherwise only as listed", () => {
    expect(comparison.unseen()).toEqual([]);
  });
});
