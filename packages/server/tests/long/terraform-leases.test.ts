import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { SecretBox } from "../../src/platform/auth/secret-box.ts";
import {
  seedBuild,
  type SeededBuild,
  type SeededWorkspace,
  seedWorkspace,
} from "../support/rows.ts";
import { openTerraformWorker, type TerraformWorkerOptions } from "../support/terraform-worker.ts";

/*
 * Two workers on two machines that share a database, and a program in the place of OpenTofu, which counts the resources that
 * it has created: each apply notes its begin and its end, and creates one more until it may end.
 */

const tofu = `#!/bin/sh
note() { echo "$1 $$" >>"$STAGE/../notes"; }
save() { echo "{\\"version\\":4,\\"lineage\\":\\"one\\",\\"serial\\":$serial,\\"resources\\":[]}" >terraform.tfstate; }
case $1 in
version) echo "OpenTofu v1.12.6" ;;
show) echo '{"format_version":"1.0"}' ;;
apply)
  serial=$(sed -n 's/.*"serial":\\([0-9]*\\).*/\\1/p' terraform.tfstate 2>/dev/null)
  serial=$((serial + 1))
  note "begin-$serial"
  save
  trap 'note interrupt; [ -e "$STAGE/stubborn" ] || { serial=$((serial + 10)); save; note end; exit 1; }' INT
  until [ -e "$STAGE/go" ]; do sleep 0.1; done
  serial=$((serial + 100)); save; note end ;;
esac
`;
const patience = { timeout: 60_000, interval: 100 };
vi.setConfig({ testTimeout: 240_000 });
const secrets = new SecretBox(["secret of the workers"]);

let database: TestDatabase;
let place: SeededWorkspace;
let build: SeededBuild;
let stage: string;
let opened: AsyncDisposableStack;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await mkdtemp(join(tmpdir(), "slipway-leases-"));
  opened.defer(() => rm(stage, { recursive: true, force: true, maxRetries: 10 }));
  await writeFile(join(stage, "tofu"), tofu, { mode: 0o755 });
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  place = await seedWorkspace(database.db);
  const definition = {
    driver: "terraform",
    displayName: "",
    description: "",
    icon: "",
    parameters: [],
    presets: [],
    agents: [],
  };
  const archive = pack();
  archive.entry({ name: "main.tf" }, "");
  archive.finalize();
  await sql`update files set data = ${await buffer(archive)} where id = ${place.fileId}`.execute(
    database.db,
  );
  await sql`update template_versions set definition = ${JSON.stringify(definition)}
    where id = ${place.versionId}`.execute(database.db);
  build = await seedBuild(database.db, place, { number: 1, transition: "start", job: "pending" });
});
afterEach(() => opened.disposeAsync());

async function machine(
  name: string,
  limits: { readonly maxSilenceMs: number; readonly graceMs: number },
): Promise<TerraformWorkerOptions> {
  const directory = join(stage, name);
  await mkdir(directory);
  const program = join(stage, "tofu");
  return { databaseUrl: database.url, workerId: randomUUID(), directory, program, ...limits };
}

function spawnWorker(options: TerraformWorkerOptions): ChildProcess {
  const file = fileURLToPath(new URL("../support/terraform-worker-program.ts", import.meta.url));
  const args = ["--conditions=@slipway/source", file, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  opened.defer(() => void child.kill("SIGKILL"));
  return child;
}

const allow = ({ directory }: TerraformWorkerOptions): Promise<void> =>
  writeFile(join(directory, "go"), "");

/** Returns the notes of the applies, without their processes. */
async function notes(): Promise<readonly string[]> {
  const text = await readFile(join(stage, "notes"), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")[0] ?? ""]));
}

async function job() {
  const { rows } = await sql<{
    readonly completed: boolean;
    readonly error: string | null;
    readonly attempt: number;
    readonly isHeld: boolean;
  }>`select completed_at is not null as completed, error, attempt, lease_until > now() as "isHeld"
    from jobs where id = ${build.jobId}`.execute(database.db);
  return rows[0];
}

async function keptSerial(): Promise<number | undefined> {
  const { rows } = await sql<{ readonly sealed: Buffer | null }>`
    select driver_state_encrypted as sealed from workspace_builds
      where id = ${build.buildId}`.execute(database.db);
  const sealed = rows[0]?.sealed;
  return sealed ? JSON.parse(secrets.open(sealed)).serial : undefined;
}

const endLease = () =>
  sql`update jobs set lease_until = now() where id = ${build.jobId}`.execute(database.db);

it("ends before the lease when its server is stopped, which then writes nothing", async () => {
  const first = await machine("first", { maxSilenceMs: 4_000, graceMs: 20_000 });
  const second = await machine("second", { maxSilenceMs: 60_000, graceMs: 20_000 });
  const server = spawnWorker(first);
  await expect.poll(notes, patience).toEqual(["begin-1"]);
  server.kill("SIGSTOP");
  await expect.poll(notes, patience).toEqual(["begin-1", "interrupt", "end"]);
  expect(await job()).toMatchObject({ attempt: 1, isHeld: true, completed: false });
  await using _ = openTerraformWorker(second);
  await endLease();
  await expect.poll(async () => (await notes()).length, patience).toBe(4);
  const [, serial] = ((await notes())[3] ?? "").split("-");
  await expect.poll(keptSerial, patience).toBe(Number(serial));
  server.kill("SIGCONT");
  // It tries to keep its own state, which is refused, and gives the job up.
  const run = join(first.directory, "runs", place.workspaceId);
  const own = await readFile(join(run, "files", "terraform.tfstate"));
  const hash = createHash("sha256").update(own).digest("hex");
  await expect.poll(() => readFile(join(run, "kept-states"), "utf8"), patience).toContain(hash);
  server.kill("SIGTERM");
  await once(server, "exit");
  expect(await keptSerial()).toBe(Number(serial));
  expect(await job()).toMatchObject({ attempt: 2, completed: false });
  await allow(second);
  await expect.poll(job, patience).toMatchObject({ attempt: 2, completed: true, error: null });
  expect(await notes()).toHaveLength(5);
  expect(await keptSerial()).toBe(Number(serial) + 100);
});

it("is killed before the lease ends if it ignores the interrupt", async () => {
  const first = await machine("first", { maxSilenceMs: 4_000, graceMs: 2_000 });
  await writeFile(join(first.directory, "stubborn"), "");
  const server = spawnWorker(first);
  await expect.poll(notes, patience).toEqual(["begin-1"]);
  const pid = Number((await readFile(join(stage, "notes"), "utf8")).split(" ")[1]);
  server.kill("SIGSTOP");
  await expect.poll(notes, patience).toEqual(["begin-1", "interrupt"]);
  // The stopped server leaves a zombie.
  const status = () => readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X");
  await expect.poll(status, patience).toMatch(/\) [XZ]/);
  expect(await job()).toMatchObject({ isHeld: true, completed: false });
});

it("is waited for by a server that was killed and starts again, which renews its lease", async () => {
  const first = await machine("first", { maxSilenceMs: 120_000, graceMs: 20_000 });
  const server = spawnWorker(first);
  await expect.poll(notes, patience).toEqual(["begin-1"]);
  const leaseFile = join(first.directory, "runs", place.workspaceId, "lease");
  const interruptAt = async (): Promise<number> => {
    const [time] = (await readFile(leaseFile, "utf8").catch(() => "0")).split(" ");
    return Number(time);
  };
  server.kill("SIGKILL");
  const before = await interruptAt();
  expect(before).toBeGreaterThan(0);
  await using _ = openTerraformWorker(first);
  await expect.poll(interruptAt, patience).toBeGreaterThan(before);
  expect(await notes()).toEqual(["begin-1"]);
  await allow(first);
  await expect.poll(job, patience).toMatchObject({ attempt: 2, completed: true, error: null });
  expect(await notes()).toEqual(["begin-1", "end", "begin-102", "end"]);
  expect(await keptSerial()).toBe(202);
});

it("is ended, and its state kept, when its build is canceled while the server is down", async () => {
  const first = await machine("first", { maxSilenceMs: 60_000, graceMs: 20_000 });
  const server = spawnWorker(first);
  await expect.poll(notes, patience).toEqual(["begin-1"]);
  server.kill("SIGKILL");
  await sql`update jobs set canceled_at = now() where id = ${build.jobId}`.execute(database.db);
  await using _ = openTerraformWorker(first);
  await expect.poll(job, patience).toMatchObject({ completed: true, error: "canceled" });
  expect(await notes()).toEqual(["begin-1", "interrupt", "end"]);
  expect(await keptSerial()).toBe(11);
});
