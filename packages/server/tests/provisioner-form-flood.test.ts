import { createWorkspace } from "@slipway/api/workspaces/routes";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { endCall, evaluate, pushForm, valuesOf } from "./support/raw-provisioner-forms.ts";
import {
  connect,
  endsWith,
  parameter,
  patience,
  push,
  resource,
} from "./support/raw-provisioner-jobs.ts";

/* Members who ask one provisioner for more than it can answer, and a provisioner whose answers are too large. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

async function openQuestions(): Promise<number> {
  return (await server.db.selectFrom("parameter_readings").select("id").execute()).length;
}

it("members who fill the queue of forms delay neither other forms nor builds", async () => {
  const { provisioner } = await connect(server, "flooded");
  const version = await pushForm(server, "flooded", provisioner);
  const template_id = await push(server, "flooded", provisioner);
  const { provisioner: second } = await connect(server, "calm");
  const calmVersion = await pushForm(server, "calm", second);
  const members = await Promise.all(
    Array.from({ length: 10 }, (_, number) => addPerson(server, `flood-${number}`)),
  );
  const { client: calm } = await addPerson(server, "calm");
  const refusals: unknown[] = [];
  const floods = members.flatMap(({ client }) =>
    Array.from({ length: 25 }, (_, number) =>
      evaluate(client, version, { region: `r${number}` }).catch(
        (error: unknown) => void refusals.push(error),
      ),
    ),
  );
  // One more than 20 of each wait, and fewer of those who come once 200 of all do.
  await expect.poll(() => refusals.length, patience).toBeGreaterThanOrEqual(40);
  await expect.poll(openQuestions, patience).toBe(members.length);
  const asked = () => provisioner.messages.filter(({ method }) => method === "parameters");
  await expect.poll(asked, patience).toHaveLength(2);

  const asking = evaluate(calm, calmVersion, { region: "us" });
  const { call } = await second.nextCall();
  endCall(second, call, [parameter("region", "us")]);
  expect(valuesOf(await asking)).toEqual(["region=us"]);

  const workspace = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "flooded", template_id },
  });
  const isStart = () => provisioner.messages.find(({ method }) => method === "start");
  await expect.poll(isStart, patience).toBeDefined();
  endCall(provisioner, isStart()?.call ?? "", { resources: [resource], agents: [] });
  await endsWith(server, workspace, "succeeded");
  expect(asked()).toHaveLength(2);

  // Those who wait get an answer when the provisioner has left.
  await provisioner[Symbol.asyncDispose]();
  await Promise.all(floods);
  for (const refusal of refusals) expect(refusal).toMatchObject({ status: 503 });
  expect(await openQuestions()).toBe(0);
  await second[Symbol.asyncDispose]();
});

it("an answer of more than two MiB is refused, and a smaller one shown", async () => {
  const { provisioner } = await connect(server, "large");
  const version = await pushForm(server, "large", provisioner);
  const described = (name: string, bytes: number) => ({
    ...parameter(name, "x"),
    description: "d".repeat(bytes),
  });
  const answer = async (region: string, bytes: number) => {
    const asking = evaluate(server.admin, version, { region });
    const { call } = await provisioner.nextCall();
    endCall(provisioner, call, [described("region", bytes), described("zone", bytes)]);
    return asking;
  };
  const mebibyte = 1024 * 1024;
  const shown = await answer("small", mebibyte - 1024);
  expect(shown.diagnostics).toEqual([]);
  expect(shown.parameters[1]?.description).toHaveLength(mebibyte - 1024);
  expect(await answer("large", mebibyte)).toMatchObject({
    diagnostics: [
      expect.objectContaining({
        severity: "error",
        detail: expect.stringContaining("the result has more than 2097152 bytes"),
      }),
    ],
  });
  expect(await provisioner.next("abort")).toMatchObject({ type: "abort" });
  expect(await openQuestions()).toBe(0);
  await provisioner[Symbol.asyncDispose]();
});
