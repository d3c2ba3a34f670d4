import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { routePath } from "@slipway/api/contract/route";
import { followParameters } from "@slipway/api/templates/parameter-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import type { TagDefinition } from "@slipway/template";
import { createFakeClock, TcpProxy } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { RemoteParameters } from "../src/features/provisioners/remote-parameters.ts";
import { connectionOptions } from "../src/platform/db/database.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import { makeKey, startProvisioner } from "./support/provisioner-process.ts";
import {
  endCall,
  evaluate as evaluateAs,
  pushForm,
  sources,
  valuesOf,
} from "./support/raw-provisioner-forms.ts";
import { parameter, patience } from "./support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";
import { openTextSocket, type TextSocket } from "./support/text-socket.ts";

/* Forms of versions that run on provisioners elsewhere: the parameters are read there. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

/** A template of provisioners with one tag, and a provisioner with it. */
interface Stage {
  readonly tag: string;
  readonly key: string;
  readonly version: string;
  readonly provisioner: RawProvisioner;
}

interface OpenOptions {
  /** The server of the provisioner. */
  readonly url?: string;
  /** The tags that the template declares beside that of its push. */
  readonly tags?: readonly TagDefinition[];
}

/** Pushes a template, whose parameters are read by the first provisioner of its tag. */
async function open(
  tag: string,
  { url = server.url, tags = [] }: OpenOptions = {},
): Promise<Stage> {
  const key = await makeKey(server.admin, tag, { only: tag });
  const provisioner = opened.use(await RawProvisioner.connect({ url, key }));
  return { tag, key, version: await pushForm(server, tag, provisioner, tags), provisioner };
}

const evaluate = (
  version: string,
  inputs: Readonly<Record<string, string>>,
  client: Client = server.admin,
) => evaluateAs(client, version, inputs);

function openForm(version: string): TextSocket {
  const path = routePath(followParameters, { version });
  return openTextSocket(`${server.url.replace("http", "ws")}/api/v2${path}`, server.admin.headers);
}

interface Input {
  readonly parameters: Readonly<Record<string, string>>;
}

/** Answers the next question with the parameters of its region; resolves to its input. */
async function answerNext(provisioner: RawProvisioner): Promise<Input> {
  const { call, method } = await provisioner.nextCall();
  expect(method).toBe("parameters");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the server under test
  const input = JSON.parse(provisioner.part(call, "input").toString()) as Input;
  const { region = "eu" } = input.parameters;
  endCall(provisioner, call, [parameter("region", region), parameter("zone", `${region}-1`)]);
  return input;
}

async function openQuestions(): Promise<number> {
  return (await server.db.selectFrom("parameter_readings").select("id").execute()).length;
}

describe("a form", () => {
  it("has the parameters that a provisioner reads for its values, once for the same ones", async () => {
    const { version, provisioner } = await open("once");
    const asking = evaluate(version, { region: "us" });
    const input = await answerNext(provisioner);
    expect(input).toMatchObject({
      parameters: { region: "us" },
      sources,
      owner: { username: "admin" },
      template: { version: expect.any(String) },
    });
    expect(valuesOf(await asking)).toEqual(["region=us", "zone=us-1"]);
    expect((await asking).diagnostics).toEqual([]);
    expect(valuesOf(await evaluate(version, { region: "us" }))).toEqual(["region=us", "zone=us-1"]);
    expect(await openQuestions()).toBe(0);
  });

  it("is answered by a provisioner with another server", async () => {
    await using replica = await openReplica(server, { SLIPWAY_TERRAFORM: "off" });
    const { version, provisioner } = await open("other", { url: replica.url });
    const asking = evaluate(version, { region: "us" });
    await answerNext(provisioner);
    expect(valuesOf(await asking)).toEqual(["region=us", "zone=us-1"]);
    await provisioner[Symbol.asyncDispose]();
  });

  it("asks another provisioner when the first one leaves", async () => {
    const { version, provisioner, key } = await open("leaves");
    const asking = evaluate(version, { region: "us" });
    await provisioner.nextCall();
    await using second = await RawProvisioner.connect({ url: server.url, key });
    await provisioner[Symbol.asyncDispose]();
    await answerNext(second);
    expect(valuesOf(await asking)).toEqual(["region=us", "zone=us-1"]);
  });

  it("asks the provisioner with the fewest open questions", async () => {
    const { version, provisioner, key } = await open("fewest");
    const ann = await addPerson(server, "fewest");
    const first = evaluate(version, { region: "us" });
    const { call } = await provisioner.nextCall();
    await using second = await RawProvisioner.connect({ url: server.url, key });
    const other = evaluate(version, { region: "asia" }, ann.client);
    await answerNext(second);
    expect(valuesOf(await other)).toEqual(["region=asia", "zone=asia-1"]);
    endCall(provisioner, call, [parameter("region", "us")]);
    await first;
  });

  it("goes where the value of its tag says, if that can be stored", async () => {
    const tags = [{ name: "place", value: "eu", parameter: "region" }];
    const { tag, version } = await open("place", { tags });
    const key = await makeKey(server.admin, "place-eu", { only: tag, place: "eu" });
    await using provisioner = await RawProvisioner.connect({ url: server.url, key });
    const detail = expect.stringContaining("place=mars is online");
    expect(await evaluate(version, { region: "mars" })).toMatchObject({
      diagnostics: [expect.objectContaining({ detail })],
    });
    const form = openForm(version);
    expect(await answerNext(provisioner)).toMatchObject({ parameters: {} });
    await form.firstMessage;
    form.raw.send(JSON.stringify({ id: 7, inputs: { region: "a\0b", zone: "z" } }));
    expect(await answerNext(provisioner)).toMatchObject({ parameters: { zone: "z" } });
    await expect.poll(() => form.messages.at(-1), patience).toContain('"id":7');
    form.raw.close();
  });

  it("shows the defaults, and why, without a provisioner that reads parameters", async () => {
    const { tag, version, provisioner, key } = await open("absent");
    await provisioner[Symbol.asyncDispose]();
    const shown = {
      diagnostics: [
        expect.objectContaining({
          severity: "warning",
          detail: expect.stringContaining(
            `no provisioner of the server's version with the tags only=${tag} is online`,
          ),
        }),
      ],
    };
    const alone = await evaluate(version, { region: "us" });
    expect(alone).toMatchObject(shown);
    expect(valuesOf(alone)).toEqual(["region=us", "zone=eu-1"]);
    const query = { protocol: "1", build: "v0", name: "old", id: randomUUID() };
    await using _ = await RawProvisioner.connect({ url: server.url, key, query });
    expect(await evaluate(version, { region: "us" })).toMatchObject(shown);
    await using newer = await RawProvisioner.connect({ url: server.url, key });
    const asking = evaluate(version, { region: "us" });
    await answerNext(newer);
    expect(valuesOf(await asking)).toEqual(["region=us", "zone=us-1"]);
  });

  it.each([
    ["an error", undefined, "a data source hangs"],
    ["no list", {}, "malformed result"],
    [
      "a type that there is not",
      [{ ...parameter("region", "x"), type: "map" }],
      "malformed result",
    ],
    ["a NUL", [parameter("region", "a\0b")], "malformed result"],
  ])("shows that the parameters cannot be read after %s", async (name, result, text) => {
    const { version, provisioner } = await open(`bad-${name.replaceAll(" ", "-")}`);
    const asking = evaluate(version, { region: "us" });
    const { call } = await provisioner.nextCall();
    if (result !== undefined) endCall(provisioner, call, result);
    else provisioner.send({ type: "end", call, error: { code: "run-failed", message: text } });
    expect(await asking).toMatchObject({
      diagnostics: [
        expect.objectContaining({ severity: "error", detail: expect.stringContaining(text) }),
      ],
    });
    expect(await openQuestions()).toBe(0);
  });

  it("ends the run on the provisioner when it is closed", async () => {
    const { version, provisioner } = await open("closed");
    const form = openForm(version);
    const { call } = await provisioner.nextCall();
    form.raw.close();
    expect(await provisioner.next("abort")).toMatchObject({ call });
    await expect.poll(openQuestions, patience).toBe(0);
    provisioner.send({ type: "end", call, error: { code: "aborted", message: "aborted" } });
    const asking = evaluate(version, { region: "us" });
    await answerNext(provisioner);
    expect(valuesOf(await asking)).toEqual(["region=us", "zone=us-1"]);
  });

  it("waits while its provisioner has two questions, and is asked when one is answered", async () => {
    const { version, provisioner } = await open("two");
    const people = await Promise.all(
      ["two-a", "two-b", "two-c"].map((one) => addPerson(server, one)),
    );
    const asking = people.map(({ client }) => evaluate(version, { region: "us" }, client));
    const first = await provisioner.nextCall();
    await provisioner.nextCall();
    await expect.poll(openQuestions, patience).toBe(3);
    provisioner.send({ type: "alive" });
    await provisioner.next("alive");
    const begun = provisioner.messages.filter(({ method }) => method === "parameters");
    expect(begun).toHaveLength(2);
    endCall(provisioner, first.call, [parameter("region", "us")]);
    const third = await provisioner.nextCall();
    for (const { call = "" } of [...begun.slice(1), third]) {
      endCall(provisioner, call, [parameter("region", "us")]);
    }
    for (const answer of asking) expect(valuesOf(await answer)).toEqual(["region=us"]);
  });
});

it("a provisioner that is cut off leaves no run of a form behind, and is asked again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-forms-"));
  opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  const program = join(directory, "tofu");
  const script = `#!/bin/sh
case $1 in
version) echo "OpenTofu v1.12.6" ;;
show) echo '{"format_version":"1.0"}' ;;
plan)
  echo begun >>'${directory}/plans'
  until [ -e '${directory}/go' ]; do sleep 0.05; done ;;
esac
`;
  await writeFile(program, script, { mode: 0o755 });
  const { version, key, provisioner: first } = await open("cut-off");
  await first[Symbol.asyncDispose]();
  await using proxy = await TcpProxy.open(() => [{ port: Number(new URL(server.url).port) }]);
  await using provisioner = startProvisioner({
    url: proxy.url,
    key,
    dataDir: join(directory, "data"),
    environment: { SLIPWAY_TERRAFORM: program },
  });
  await provisioner.said("waiting for jobs");
  const asking = evaluate(version, { region: "us" });
  const plans = () => readFile(join(directory, "plans"), "utf8").catch(() => "");
  await expect.poll(plans, patience).toBe("begun\n");
  for (const link of proxy.links) link.cut();
  await expect.poll(plans, patience).toBe("begun\nbegun\n");
  await provisioner.said("run ended");
  await writeFile(join(directory, "go"), "");
  expect((await asking).diagnostics).toEqual([]);
  await provisioner.said("run ended", 2);
  provisioner.process.kill("SIGTERM");
  expect(await provisioner.exited).toBe(0);
});

it("a workspace has the parameters that its provisioner declares for its values", async () => {
  const { version, provisioner } = await open("workspace");
  const params = { organization: "default" };
  const body = { name: "workspace", template_version_id: version };
  const template = await server.admin.call(createTemplate, { params, body });
  const create = (region: string, zone: string) =>
    server.admin.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name: `w-${zone}`,
        template_id: template.id,
        rich_parameter_values: [
          { name: "region", value: region },
          { name: "zone", value: zone },
        ],
      },
    });
  const none = create("us", "us-1");
  const { call } = await provisioner.nextCall();
  endCall(provisioner, call, [parameter("region", "us")]);
  await expect(none).rejects.toMatchObject({ status: 400 });
  const made = create("asia", "asia-1");
  await answerNext(provisioner);
  expect((await made).latest_build.status).toMatch(/pending|starting/);
});

describe("a question", () => {
  /** Returns what asks provisioners, with hints of its own, and a question about a version. */
  async function openReader(clock: Clock, tag: string, versionId: string) {
    const { db } = server;
    const common = { db, clock: systemClock, logger: silentLogger };
    const connection = connectionOptions({ url: server.postgresUrl });
    const replicaId = randomUUID();
    const pubsub = opened.use(new PostgresPubSub({ ...common, connection, replicaId }));
    const { organization_id: organizationId, created_by: ownerId } = await db
      .selectFrom("template_versions")
      .where("id", "=", versionId)
      .select(["organization_id", "created_by"])
      .executeTakeFirstOrThrow();
    const question = { organizationId, tags: { only: tag }, versionId, ownerId, values: {} };
    return { reader: new RemoteParameters({ db, pubsub, clock, logger: silentLogger }), question };
  }

  it("is put and answered by hints alone, also when it had to wait for others", async () => {
    const { tag, version, provisioner } = await open("hints");
    const { reader, question } = await openReader(createFakeClock(), tag, version);
    const { signal } = new AbortController();
    const asking = ["one", "two", "three"].map((region) =>
      reader.read({ ...question, values: { region } }, signal),
    );
    for (const _ of asking) await answerNext(provisioner);
    for (const answer of asking) expect(await answer).toHaveLength(2);
  });

  it("is given up when no answer comes within a minute", async () => {
    const { tag, version, provisioner } = await open("silent");
    const clock = createFakeClock();
    const { reader, question } = await openReader(clock, tag, version);
    const asking = reader.read(question, new AbortController().signal);
    let isOver = false;
    const outcome = asking.catch((error: unknown) => error).finally(() => (isOver = true));
    const { call } = await provisioner.nextCall();
    await vi.waitUntil(
      async () => {
        await clock.advance(clock.sleepers === 0 ? 0 : 1_000);
        return isOver;
      },
      { timeout: 30_000, interval: 2 },
    );
    expect(String(await outcome)).toContain("did not answer within 60 seconds");
    expect(await provisioner.next("abort")).toMatchObject({ call });
    expect(await openQuestions()).toBe(0);
  });

  it("is not put to a provisioner of another organization, nor to one that lacks a tag", async () => {
    const { tag, version, provisioner } = await open("foreign");
    const { reader, question } = await openReader(systemClock, tag, version);
    const { signal } = new AbortController();
    const elsewhere = { ...question, organizationId: randomUUID() };
    expect(await reader.read(elsewhere, signal)).toBeUndefined();
    const more = { ...question, tags: { ...question.tags, more: "x" } };
    expect(await reader.read(more, signal)).toBeUndefined();
    const asking = reader.read(question, signal);
    await answerNext(provisioner);
    expect(await asking).toMatchObject([{ name: "region" }, { name: "zone" }]);
  });
});
