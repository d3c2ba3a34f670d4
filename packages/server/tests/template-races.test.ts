import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { listTemplateVersions } from "@slipway/api/templates/version-routes";
import { pushTemplate, pushVersion } from "@slipway/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import type { Database } from "../src/platform/db/database.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { type Answer, openServer, type OpenServer } from "./support/open-server.ts";

/* A template that changes between the check of a request and its write. */

let server: OpenServer;
let templateId = "";
let active: TemplateVersion;
let other: TemplateVersion;
let nextName = 0;
const yaml = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
});

afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  nextName += 1;
  templateId = await pushTemplate(server.admin, `template-${nextName}`, yaml);
  await pushVersion(server.admin, `${yaml}# again\n`, { templateId });
  const params = { template: templateId };
  const versions = await server.admin.call(listTemplateVersions, { params });
  const [first, second] = versions;
  if (first === undefined || second === undefined) throw new TypeError("wanted two versions");
  [active, other] = [first, second];
});

type Writer = Parameters<Parameters<typeof holdOpen>[1]>[0];

/** Sends a request that waits for the template's row while this change is written; resolves to its response. */
async function during(
  write: (trx: Writer) => Promise<unknown>,
  send: () => Promise<Answer>,
): Promise<Answer> {
  await using changing = await holdOpen(server.db, async (trx) => {
    const row = trx.selectFrom("templates").where("id", "=", templateId);
    await row.select("id").forUpdate().execute();
    await write(trx);
  });
  const answer = send();
  await waitForBlocked(server.db);
  await changing.commit();
  return await answer;
}

const activate = (trx: Database | Writer, id: string) =>
  trx
    .updateTable("templates")
    .set({ active_version_id: id })
    .where("id", "=", templateId)
    .execute();
const archive = (trx: Database | Writer, id: string) =>
  trx.updateTable("template_versions").set({ archived: true }).where("id", "=", id).execute();

/** Resolves to the audit entries of a template or a version after its creation. */
function changesOf(id: string) {
  return server.db
    .selectFrom("audit_log")
    .where("resource_id", "=", id)
    .where("action", "<>", "create")
    .select(["action", "diff"])
    .execute();
}

describe("a version of a template", () => {
  it("is not archived if it becomes the active one meanwhile", async () => {
    const answer = await during(
      (trx) => activate(trx, other.id),
      () => server.request("POST", `/templateversions/${other.id}/archive`),
    );
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.body)).toContain("in use");
  });

  it("does not become the active one if it is archived meanwhile", async () => {
    const answer = await during(
      (trx) => archive(trx, other.id),
      () => server.request("PATCH", `/templates/${templateId}/versions`, { id: other.id }),
    );
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.body)).toContain("must not be archived");
    const { active_version_id: id } = await server.db
      .selectFrom("templates")
      .where("id", "=", templateId)
      .select("active_version_id")
      .executeTakeFirstOrThrow();
    expect(id).toBe(active.id);
  });

  it("is archived once by two requests", async () => {
    const answer = await during(
      (trx) => archive(trx, other.id),
      () => server.request("POST", `/templateversions/${other.id}/archive`),
    );
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.body)).toContain("already archived");
  });

  it("without a template is archived once, and audited once, by two requests", async () => {
    const id = await pushVersion(server.admin, yaml);
    const path = `/templateversions/${id}/archive`;
    await using changing = await holdOpen(server.db, (trx) => archive(trx, id));
    const answer = server.request("POST", path);
    await waitForBlocked(server.db);
    await changing.commit();
    expect(await answer).toMatchObject({ status: 400 });
    expect(await changesOf(id)).toEqual([]);
  });

  it("is audited with what it was when the change was written", async () => {
    await using changing = await holdOpen(server.db, (trx) =>
      trx
        .updateTable("template_versions")
        .set({ name: "between", message: "between" })
        .where("id", "=", other.id)
        .execute(),
    );
    const answer = server.request("PATCH", `/templateversions/${other.id}`, { message: "after" });
    await waitForBlocked(server.db);
    await changing.commit();
    expect(await answer).toMatchObject({
      status: 200,
      body: { name: "between", message: "after" },
    });
    expect(await changesOf(other.id)).toEqual([
      {
        action: "write",
        diff: { message: { old: "between", new: "after", secret: false } },
      },
    ]);
  });
});

describe("a template", () => {
  const remove = (trx: Writer) =>
    trx.updateTable("templates").set({ deleted: true }).where("id", "=", templateId).execute();

  it.each([
    ["changed", "PATCH", "", { description: "new" }],
    ["given another version", "PATCH", "/versions", undefined],
    ["deleted", "DELETE", "", undefined],
    ["rid of versions", "POST", "/versions/archive", { all: true }],
  ])("is not %s if it is deleted meanwhile", async (_what, method, path, body) => {
    const sent = path === "/versions" ? { id: other.id } : body;
    const answer = await during(remove, () =>
      server.request(method, `/templates/${templateId}${path}`, sent),
    );
    expect(answer).toMatchObject({ status: 404 });
    expect((await changesOf(templateId)).map(({ action }) => action)).toEqual([]);
  });

  it("is audited with what it was when the change was written", async () => {
    const rename = (trx: Writer) =>
      trx
        .updateTable("templates")
        .set({ description: "between" })
        .where("id", "=", templateId)
        .execute();
    const answer = await during(rename, () =>
      server.request("PATCH", `/templates/${templateId}`, { description: "after" }),
    );
    expect(answer).toMatchObject({ status: 200, body: { description: "after" } });
    expect(await changesOf(templateId)).toMatchObject([
      { diff: { description: { old: "between", new: "after" } } },
    ]);
  });
});
