import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getUser } from "@slipway/api/users/routes";
import { silentLogger } from "@slipway/runtime";
import { logInAsAdmin, openTestDatabase, pushVersion, startServerProcess } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { type Database, openDatabase } from "../../src/platform/db/database.ts";
import { openServer } from "../support/open-server.ts";
import { addPerson } from "../support/people.ts";
import { openTextSocket, type TextSocket } from "../support/text-socket.ts";

/*
 * Many forms whose parameters depend on each other, with a program in the place of OpenTofu: each plan notes its begin and its
 * end, and waits until it may go on.
 */

const users = 20;
const formsOfUser = 10;
const patience = { timeout: 120_000, interval: 50 };
vi.setConfig({ testTimeout: 300_000 });

let opened: AsyncDisposableStack;
let stage: string;
let environment: Readonly<Record<string, string>>;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await mkdtemp(join(tmpdir(), "slipway-forms-"));
  opened.defer(() => rm(stage, { recursive: true, force: true, maxRetries: 10 }));
  const program = join(stage, "tofu");
  const script = `#!/bin/sh
note() { echo "$1 $CODER_WORKSPACE_OWNER $$" >>'${stage}/notes'; }
case $1 in
version) echo "OpenTofu v1.12.6" ;;
show) echo '{"format_version":"1.0"}' ;;
plan)
  if [ -e '${stage}/stubborn' ]; then trap '' INT; else trap 'note end; exit 1' INT; fi
  note begin
  until [ -e '${stage}/go' ]; do sleep 0.05; done
  note end ;;
esac
`;
  await writeFile(program, script, { mode: 0o755 });
  environment = { SLIPWAY_TERRAFORM: program, SLIPWAY_TERRAFORM_USERS: "server" };
});
afterEach(() => opened.disposeAsync());

const allow = (): Promise<void> => writeFile(join(stage, "go"), "");
const hold = (): Promise<void> => rm(join(stage, "go"));

interface Note {
  readonly what: string;
  readonly owner: string;
  readonly pid: number;
}

async function notes(): Promise<readonly Note[]> {
  const text = await readFile(join(stage, "notes"), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [what = "", owner = "", pid] = line.split(" ");
    return line === "" ? [] : [{ what, owner, pid: Number(pid) }];
  });
}

/** Returns the owners of the runs after each note. */
function running(all: readonly Note[]): readonly (readonly string[])[] {
  const owners = new Map<number, string>();
  return all.map(({ what, owner, pid }) => {
    if (what === "begin") owners.set(pid, owner);
    else owners.delete(pid);
    return [...owners.values()];
  });
}

const runningNow = async () => running(await notes()).at(-1) ?? [];

/** Makes a version one whose parameter depends on others. */
async function makeDependent(db: Database, version: string): Promise<void> {
  const source = { address: "data.coder_parameter.theme", name: "theme", mayBeEphemeral: false };
  const change = JSON.stringify({ driver: "terraform", parameterSources: [source] });
  await sql`update template_versions set definition = definition || ${change}::jsonb
    where id = ${version}`.execute(db);
}

const template = `driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

interface Form extends TextSocket {
  readonly owner: string;
  /** The code and the reason of the end; undefined while it is open. */
  end: { readonly code: number; readonly reason: string } | undefined;
  ask(theme: string): void;
}

/** Opens a form, which asks for the parameters of the defaults. */
function openForm(
  url: string,
  version: string,
  {
    owner,
    headers,
  }: { readonly owner: string; readonly headers: Readonly<Record<string, string>> },
): Form {
  const path = `/api/v2/templateversions/${version}/dynamic-parameters`;
  const socket = openTextSocket(`${url.replace("http", "ws")}${path}`, headers);
  const form: Form = {
    ...socket,
    owner,
    end: undefined,
    ask: (theme) => socket.raw.send(JSON.stringify({ id: 1, inputs: { theme } })),
  };
  void socket.ended.then((end) => (form.end = end));
  return form;
}

it("reads the parameters of many forms two at a time, one of a user, and refuses one too many", async () => {
  const server = opened.use(await openServer(inject("postgresUrl"), environment));
  const version = await pushVersion(server.admin, template);
  await makeDependent(server.db, version);
  const names = Array.from({ length: users + 1 }, (_, number) => `user-${number}`);
  const people = await Promise.all(names.map((name) => addPerson(server, name)));
  const open = ({ user, client: { headers } }: (typeof people)[number]): Form =>
    openForm(server.url, version, { owner: user.username, headers });
  const [patient, ...others] = people;
  const single = others.pop();
  if (patient === undefined || single === undefined) throw new Error("there are people");

  // The same question of several forms is asked once.
  await allow();
  const forms = [patient, ...others].flatMap((one) =>
    Array.from({ length: formsOfUser }, () => open(one)),
  );
  const last = open(single);
  const all = [...forms, last];
  await Promise.all(all.map(({ firstMessage }) => firstMessage));
  expect((await notes()).filter(({ what }) => what === "begin")).toHaveLength(users + 1);

  await hold();
  const before = (await notes()).length;
  for (const [number, form] of all.entries()) form.ask(`theme-${number}`);
  const refused = () => all.flatMap(({ end }) => (end === undefined ? [] : [end]));
  await expect.poll(() => refused().length, patience).toBe(1);
  await expect.poll(runningNow, patience).toHaveLength(2);
  // Others wait for none of them.
  await single.client.call(getUser, { params: { user: "me" } });
  expect(refused()).toEqual([
    { code: 1013, reason: "Too many parameter forms wait for their parameters." },
  ]);

  const kept = forms.filter(({ owner, end }) => owner === patient.user.username && !end);
  for (const form of all) if (!kept.includes(form)) form.raw.terminate();
  await expect.poll(runningNow, patience).toEqual([patient.user.username]);
  await allow();
  await expect
    .poll(() => kept.map(({ messages }) => messages.length), patience)
    .toEqual(kept.map(() => 2));
  const found = await notes();
  const begun = found
    .slice(before)
    .filter(({ what, owner }) => what === "begin" && owner !== patient.user.username);
  // All of them, had the questions of closed forms been kept.
  expect(begun.length).toBeLessThan((users * formsOfUser) / 3);
  for (const owners of running(found)) {
    expect(owners.length).toBeLessThanOrEqual(2);
    expect(new Set(owners).size).toBe(owners.length);
  }
  expect(refused().filter(({ code }) => code === 1013)).toHaveLength(1);
});

it("refuses a user's forms when 21 of them wait, and answers others", async () => {
  const server = opened.use(await openServer(inject("postgresUrl"), environment));
  const version = await pushVersion(server.admin, template);
  await makeDependent(server.db, version);
  const { headers } = server.admin;
  await allow();
  const forms = Array.from({ length: 23 }, () =>
    openForm(server.url, version, { owner: "admin", headers }),
  );
  await Promise.all(forms.map(({ firstMessage }) => firstMessage));
  await hold();
  for (const [number, form] of forms.entries()) form.ask(`theme-${number}`);
  const refused = () => forms.filter(({ end }) => end?.code === 1013);
  await expect.poll(() => refused().length, patience).toBe(2);
  const { user, client } = await addPerson(server, "ann");
  const other = openForm(server.url, version, { owner: user.username, headers: client.headers });
  await expect
    .poll(async () => (await runningNow()).toSorted(), patience)
    .toEqual(["admin", "ann"]);
  await allow();
  await other.firstMessage;
  await expect
    .poll(() => forms.filter(({ messages }) => messages.length === 2).length, patience)
    .toBe(21);
  expect(refused()).toHaveLength(2);
});

it("ends with its server, which leaves no program and no files of it", async () => {
  const { url: postgresUrl } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const dataDir = join(stage, "data");
  await writeFile(join(stage, "stubborn"), "");
  const server = opened.use(
    await startServerProcess({
      dataDir,
      port: 0,
      environment: { ...environment, SLIPWAY_POSTGRES_URL: postgresUrl },
    }),
  );
  const admin = await logInAsAdmin(server.url);
  const version = await pushVersion(admin, template);
  const db = opened.adopt(openDatabase({ url: postgresUrl }, silentLogger), (one) => one.destroy());
  await makeDependent(db, version);
  const forms = Array.from({ length: 3 }, () =>
    openForm(server.url, version, { owner: "admin", headers: admin.headers }),
  );
  const areOpen = (): boolean => forms.every(({ raw }) => raw.readyState === raw.OPEN);
  await expect.poll(areOpen, patience).toBe(true);
  await expect.poll(runningNow, patience).toEqual(["admin"]);
  await server.end("SIGTERM");
  const ends = await Promise.all(forms.map(({ ended }) => ended));
  expect(ends.map(({ reason }) => reason)).toEqual(forms.map(() => "The server is shutting down."));
  const [{ pid } = { pid: 0 }] = await notes();
  await expect(access(`/proc/${pid}`)).rejects.toThrow("ENOENT");
  expect(await readdir(join(dataDir, "terraform"))).toEqual([]);
  expect(await readdir(join(dataDir, "templates"))).toEqual([]);
});
