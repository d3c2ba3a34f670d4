import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
} from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { getUser } from "@slipway/api/users/routes";
import { pushVersion } from "@slipway/testkit";
import { dependentFiles, configurationHead } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OpenServer } from "../support/open-server.ts";
import { addPerson, type Client, type Person } from "../support/people.ts";
import { openTerraformServer } from "../support/terraform-server.ts";
import { openTextSocket } from "../support/text-socket.ts";

/* Forms of configurations whose parameters depend on each other, with OpenTofu itself. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;
let version = "";

beforeAll(async () => {
  server = opened.use(await openTerraformServer());
  ann = await addPerson(server, "ann");
  version = await push(dependentFiles);
}, 1_200_000);
afterAll(() => opened.disposeAsync());

function push({ "main.tf": main = "", ...more }: Readonly<Record<string, string>>) {
  return pushVersion(server.admin, main, { file: "main.tf", more });
}

const none: DynamicParametersResponse = { id: 0, diagnostics: [], parameters: [] };

type Inputs = DynamicParametersRequest["inputs"];

function evaluate(
  inputs: Inputs,
  {
    client = ann.client,
    of = version,
    owner,
  }: {
    readonly client?: Client;
    readonly of?: string;
    readonly owner?: string;
  } = {},
): Promise<DynamicParametersResponse> {
  const body = { id: 1, inputs, ...(owner === undefined ? {} : { owner_id: owner }) };
  return client.call(evaluateParameters, { params: { version: of }, body });
}

/** Returns the values of the parameters by their names; those of values that do not fit are marked. */
function values({ parameters }: DynamicParametersResponse): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parameters.map(({ name, value, diagnostics }) => [
      name,
      diagnostics.length === 0 ? value.value : `! ${value.value}`,
    ]),
  );
}

describe("a form", () => {
  it("has the parameters that there are for its values", async () => {
    const usual = { gpu: "false", region: "eu", zone: "eu-1", quota: "ann" };
    expect(values(await evaluate({}))).toEqual(usual);
    const more = await evaluate({ gpu: "true", gpus: "3", region: "us", theme: "light" });
    expect(values(more)).toEqual({
      gpu: "true",
      gpus: "3",
      region: "us",
      zone: "us-1",
      quota: "ann",
      theme: "light",
    });
    expect(more.diagnostics).toEqual([]);
    expect(more.parameters.find(({ name }) => name === "zone")).toMatchObject({
      default_value: { value: "us-1", valid: true },
      options: [{ value: { value: "us-1" } }],
    });
    // Values of parameters that are gone are no fault of a form.
    const fewer = await evaluate({ gpu: "false", gpus: "3", theme: "light" });
    expect(values(fewer)).toEqual(usual);
    expect(fewer.diagnostics).toEqual([]);
  });

  it("tells which values do not fit, and follows the others", async () => {
    const found = await evaluate({
      gpu: "true",
      gpus: "9",
      region: "us",
      zone: "eu-2",
      nonsense: "x",
    });
    expect(values(found)).toEqual({
      gpu: "true",
      gpus: "! 9",
      region: "us",
      zone: "! eu-2",
      quota: "ann",
      theme: "dark",
    });
    expect(found.diagnostics).toMatchObject([{ extra: { code: "unknown_parameter" } }]);
  });

  it("takes values of many lines and sizes", async () => {
    const long = "x".repeat(60_000);
    const found = await evaluate({ gpu: "true", theme: "one\ntwo\n$HOME ${gpu}\t", quota: long });
    expect(values(found)).toMatchObject({ theme: "one\ntwo\n$HOME ${gpu}\t", quota: `! ${long}` });
  });

  it("is for the owner that it names, if the user may act for them", async () => {
    const owner = ann.user.id;
    expect(values(await evaluate({}, { client: server.admin }))).toMatchObject({ quota: "admin" });
    expect(values(await evaluate({}, { client: server.admin, owner }))).toMatchObject({
      quota: "ann",
    });
    const { id: other } = (await addPerson(server, "bob")).user;
    await expect(evaluate({}, { owner: other })).rejects.toMatchObject({ status: 404 });
    const nobody = "a0a0a0a0-0000-4000-8000-000000000000";
    await expect(evaluate({}, { owner: nobody })).rejects.toMatchObject({ status: 404 });
  });

  it("tells why a configuration cannot be read, with its file and line", async () => {
    const failing = await push({
      "main.tf": `${configurationHead}
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
}
data "coder_parameter" "zone" {
  name    = "zone"
  default = { eu = "eu-1" }[data.coder_parameter.region.value]
}`,
    });
    expect(values(await evaluate({ region: "eu" }, { of: failing }))).toEqual({
      region: "eu",
      zone: "eu-1",
    });
    const found = await evaluate({ region: "mars" }, { of: failing });
    expect(found.diagnostics).toMatchObject([
      {
        severity: "error",
        extra: { code: "evaluation_failed" },
        detail: expect.stringMatching(/^main\.tf:\d+:\d+: Invalid index/) as unknown,
      },
    ]);
    expect(values(found)).toEqual({ region: "mars", zone: "eu-1" });
  });
});

describe("a form over a socket", () => {
  const open = () =>
    openTextSocket(
      `${server.url.replace("http", "ws")}/api/v2/templateversions/${version}/dynamic-parameters`,
      ann.client.headers,
    );

  it("follows its values, and answers the newest of several messages", async () => {
    const form = open();
    const answers = (): readonly DynamicParametersResponse[] =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages follow the contract
      form.messages.map((text) => JSON.parse(text) as DynamicParametersResponse);
    const patience = { timeout: 60_000, interval: 20 };
    await expect.poll(() => answers().map(({ id }) => id), patience).toEqual([-1]);
    for (let id = 1; id <= 30; id += 1) {
      const inputs = { gpu: "true", theme: "t".repeat(id) };
      form.raw.send(JSON.stringify({ id, inputs }));
    }
    await expect.poll(() => answers().at(-1)?.id, patience).toBe(30);
    expect(answers().length).toBeLessThan(10);
    expect(values(answers().at(-1) ?? none)).toMatchObject({
      theme: "t".repeat(30),
      gpus: "1",
    });
    form.raw.send(JSON.stringify({ id: 31, inputs: { gpu: "true", theme: "a\0b" } }));
    await expect.poll(() => answers().at(-1)?.id, patience).toBe(31);
    expect(values(answers().at(-1) ?? none)).toMatchObject({ theme: "! a\0b" });
    form.raw.send("{");
    expect(await form.ended).toMatchObject({ code: 1008 });
  });

  it("is closed for too many messages, and for an owner for whom the user may not act", async () => {
    const form = open();
    await expect.poll(() => form.messages.length, { timeout: 60_000 }).toBe(1);
    for (let id = 0; id < 500; id += 1) {
      form.raw.send(JSON.stringify({ id, inputs: { theme: `${id}` } }));
    }
    expect(await form.ended).toMatchObject({ code: 1008 });
    const foreign = open();
    await expect.poll(() => foreign.messages.length, { timeout: 60_000 }).toBe(1);
    const { id: owner_id } = await server.admin.call(getUser, { params: { user: "me" } });
    foreign.raw.send(JSON.stringify({ id: 1, inputs: {}, owner_id }));
    expect(await foreign.ended).toMatchObject({ code: 1008 });
    expect(foreign.messages).toHaveLength(1);
  });
});
