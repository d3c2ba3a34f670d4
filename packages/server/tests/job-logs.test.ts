import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openLocalServer, openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { sqlState } from "../src/platform/db/errors.ts";
import { openPeerSocket, type PeerSocket } from "../src/platform/http/peer-socket.ts";
import { JobLogWriter } from "../src/platform/jobs/job-log-writer.ts";
import { type JobLogPart, readJobLogs, streamJobLogs } from "../src/platform/jobs/log-stream.ts";
import { insertJob, insertJobLogs, maxLogsPerRead } from "../src/platform/jobs/queries.ts";
import { GatheredReads } from "../src/platform/pubsub/gathered-reads.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import { type Listener, type PubSub, topics } from "../src/platform/pubsub/pubsub.ts";
import { HeldAnswers } from "./support/held-answers.ts";
import { type SeededWorkspace, seedWorkspace, setJob } from "./support/rows.ts";

const line = { log_source: "provisioner_daemon", log_level: "info", stage: "" } as const;

let database: TestDatabase;
let place: SeededWorkspace;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
});

afterEach(() => database[Symbol.asyncDispose]());

function addJob(): Promise<string> {
  const { organizationId, userId: initiatorId, fileId } = place;
  const type = "template_version_import";
  return insertJob(database.db, { type, organizationId, initiatorId, fileId });
}

/** Serves a socket; resolves to the outputs that its peer has received when the socket closes. */
async function receive(serve: (socket: PeerSocket) => Promise<void>): Promise<readonly string[]> {
  const http = createServer();
  new WebSocketServer({ server: http }).on("connection", (socket) => {
    void openPeerSocket(socket, silentLogger, serve);
  });
  await using server = await openLocalServer(http);
  const client = new WebSocket(server.url.replace("http", "ws"));
  const outputs: string[] = [];
  client.on("message", (data: Buffer) => outputs.push(outputOf(data)));
  await once(client, "close");
  return outputs;
}

function outputOf(message: Buffer): string {
  const { output }: { readonly output?: unknown } = JSON.parse(message.toString());
  return typeof output === "string" ? output : "";
}

const silentPubSub: PubSub = {
  subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  publish: () => undefined,
};

it("does not forget that a line of a log is lost", async () => {
  const log = new JobLogWriter(database.db, silentPubSub, randomUUID());
  log.write("info", "of a job that does not exist");
  await expect(log.flush()).rejects.toMatchObject({ code: sqlState.foreignKeyViolation });
  await expect(log.flush()).rejects.toMatchObject({ code: sqlState.foreignKeyViolation });
});

it("reads a log to its end, however long it is", async () => {
  const jobId = await addJob();
  const outputs = Array.from({ length: 2 * maxLogsPerRead + 1 }, (_, index) => `line ${index}`);
  await insertJobLogs(
    database.db,
    jobId,
    outputs.map((output) => ({ ...line, output })),
  );
  const logs = await readJobLogs(database.db, jobId, { after: 0, before: undefined });
  expect(logs.map(({ output }) => output)).toEqual(outputs);
  const [first, last] = [logs.at(0)?.id ?? 0, logs.at(-1)?.id ?? 0];
  const between = await readJobLogs(database.db, jobId, { after: first, before: last });
  expect(between.map(({ output }) => output)).toEqual(outputs.slice(1, -1));
});

it("cuts a long line of a log and leaves out what PostgreSQL does not keep", async () => {
  const jobId = await addJob();
  const log = new JobLogWriter(database.db, silentPubSub, jobId);
  log.write("warn", `a\0b${"x".repeat(10_000)}`);
  await log.flush();
  expect(await readJobLogs(database.db, jobId, { after: 0, before: undefined })).toMatchObject([
    { log_level: "warn", output: `ab${"x".repeat(8190)}`, stage: "" },
  ]);
});

it("streams the last lines of a job that ends during a read", async () => {
  const jobId = await addJob();
  await setJob(database.db, jobId, "running");
  await insertJobLogs(database.db, jobId, [{ ...line, output: "first" }]);
  const answers = new HeldAnswers();
  const listeners = new LocalListeners();
  const pubsub = {
    subscribe: (topic: string, listener: Listener) => listeners.add(topic, listener),
    publish: (topic: string) => listeners.hint(topic),
  };
  const db = database.db.withPlugin(answers);
  const needs = { db, pubsub, clock: systemClock, jobLogReads: new GatheredReads<JobLogPart>() };
  const received = receive((socket) => streamJobLogs(needs, socket, jobId, 0));
  await expect.poll(() => answers.count).toBe(1);
  await insertJobLogs(database.db, jobId, [{ ...line, output: "last" }]);
  await setJob(database.db, jobId, "succeeded");
  answers.release();
  pubsub.publish(topics.job(jobId));
  expect(await received).toEqual(["first", "last"]);
});
