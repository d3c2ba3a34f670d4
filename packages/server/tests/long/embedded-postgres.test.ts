import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import {
  type EmbeddedPostgres,
  findBinaries,
  openEmbeddedPostgres,
  allowAccess,
  startPostmaster,
  systemAccount,
} from "@slipway/postgres";
import { parseProcStatus, silentLogger, systemClock } from "@slipway/runtime";
import { type Account, chownTree } from "@slipway/runtime/ownership";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** `daemon`: initdb requires a user that has a name on the machine. */
const ordinaryUser = 1;
const isRoot = process.getuid?.() === 0;

let root: string;
/** A data directory for the tests that need a database but not a new one. */
let dataDir: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-test-"));
  await chmod(root, 0o755);
  dataDir = join(root, "data");
});

afterAll(async () => rm(root, { recursive: true, force: true }));

async function open(directory: string, signal?: AbortSignal): Promise<EmbeddedPostgres> {
  return openEmbeddedPostgres({
    dataDir: directory,
    logger: silentLogger,
    clock: systemClock,
    signal: signal ?? new AbortController().signal,
  });
}

async function query(database: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client(database.connection);
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end();
  }
}

function pidFileOf(directory: string): string {
  return join(directory, "postgres-18", "postmaster.pid");
}

it("makes a database at the first start and finds its rows at the next one", async () => {
  const first = await open(dataDir);
  expect(first.adopted).toBe(false);
  expect(
    await query(first, "select current_database(), current_user, current_setting('fsync')"),
  ).toEqual(["slipway", "slipway", "on"]);
  await query(first, "create table kept as select 42 as value");
  await first.close();
  await first.close();
  expect(await first.exited).toEqual({ code: 0, signal: null });

  await using second = await open(dataDir);
  expect(await query(second, "select value from kept")).toEqual([42]);
});

it("collates and encodes the same way on every machine", async () => {
  await using database = await open(dataDir);
  const settings = await query(
    database,
    "select datlocprovider::text, datlocale, pg_encoding_to_char(encoding) from pg_database where datname = 'slipway'",
  );
  expect(settings).toEqual(["b", "C.UTF-8", "UTF8"]);
});

it("lets nobody but its own user to the socket, and listens on no port", async () => {
  await using database = await open(dataDir);
  expect(await query(database, "show listen_addresses")).toEqual([""]);
  const { mode } = await stat(database.connection.host);
  expect(mode & 0o077).toBe(0);
});

it("takes over a server whose starter is gone, and can close it", async () => {
  const dropped = await open(dataDir);
  const adopter = await open(dataDir);
  expect(adopter.adopted).toBe(true);
  expect(adopter.pid).toBe(dropped.pid);
  expect(await query(adopter, "select 1")).toEqual([1]);

  await adopter.close();
  expect(await adopter.exited).toEqual({ code: null, signal: null });
  expect(await dropped.exited).toEqual({ code: 0, signal: null });
  // Closing a database that has already ended is not an error.
  await dropped.close();
});

it("goes on watching an adopted server when the signal of its opening is aborted", async () => {
  await using dropped = await open(dataDir);
  const opening = new AbortController();
  const adopter = await open(dataDir, opening.signal);
  opening.abort();
  expect(adopter.adopted).toBe(true);
  await dropped.close();
  expect(await adopter.exited).toEqual({ code: null, signal: null });
  await adopter.close();
});

it("tells of a server that was killed, and recovers what it had acknowledged", async () => {
  const killed = await open(dataDir);
  await query(killed, "create table acknowledged as select 7 as value");
  process.kill(killed.pid, "SIGKILL");
  expect(await killed.exited).toEqual({ code: null, signal: "SIGKILL" });
  expect(await readFile(pidFileOf(dataDir), "utf8")).toContain(String(killed.pid));

  await using reopened = await open(dataDir);
  expect(reopened.adopted).toBe(false);
  expect(await query(reopened, "select value from acknowledged")).toEqual([7]);
});

it("starts although the process number of its old server belongs to another process now", async () => {
  const killed = await open(dataDir);
  process.kill(killed.pid, "SIGKILL");
  await killed.exited;
  // PostgreSQL checks only processes of its own user.
  const other = spawn("sleep", ["1000"], isRoot ? { uid: 65_534, gid: 65_534 } : {});
  try {
    for (const path of [pidFileOf(dataDir), join(killed.connection.host, ".s.PGSQL.5432.lock")]) {
      const stale = await readFile(path, "utf8");
      expect(stale).toContain(String(killed.pid));
      await writeFile(path, stale.replace(String(killed.pid), String(other.pid)));
    }
    await using reopened = await open(dataDir);
    expect(reopened.adopted).toBe(false);
    expect(reopened.pid).not.toBe(other.pid);
  } finally {
    other.kill("SIGKILL");
  }
});

it("makes again what a kill in the middle left half made", async () => {
  await mkdir(join(dataDir, "postgres-18.new-0badcafe/base"), { recursive: true });
  await rm(join(dataDir, "runtime"), { recursive: true });
  const { version } = await findBinaries();
  await mkdir(join(dataDir, "runtime", `postgres-${version}.new-0badcafe`), { recursive: true });

  await using database = await open(dataDir);
  expect(await query(database, "select 1")).toEqual([1]);
  expect((await readdir(dataDir)).filter((name) => name.includes(".new-"))).toEqual([]);
  expect(
    (await readdir(join(dataDir, "runtime"))).filter((name) => name.includes(".new-")),
  ).toEqual([]);
});

it.for([
  { found: "17", directory: "postgres-17" },
  { found: "19", directory: "postgres-19" },
  { found: "16", directory: "postgres-18" },
])(
  "refuses data of version $found in $directory and leaves them as they are",
  async ({ found, directory }) => {
    const other = await mkdtemp(join(root, "other-"));
    await mkdir(join(other, directory));
    await writeFile(join(other, directory, "PG_VERSION"), `${found}\n`);
    await expect(open(other)).rejects.toMatchObject({
      name: "EmbeddedPostgresError",
      code: "version-mismatch",
      message: expect.stringContaining(`PostgreSQL ${found}`),
    });
    expect(await readdir(other)).toEqual([directory]);
  },
);

it("puts the socket into a private directory when the path of the data is too long for one", async () => {
  const long = join(root, "a-directory-with-a-name-that-is-too-long-for-a-socket".padEnd(120, "-"));
  const database = await open(long);
  const { host } = database.connection;
  expect(host.startsWith(long)).toBe(false);
  expect((await stat(host)).mode & 0o777).toBe(0o700);
  expect(await query(database, "select 1")).toEqual([1]);
  const adopter = await open(long);
  expect(adopter.connection.host).toBe(host);
  await adopter.close();
  await database.close();
  await expect(stat(host)).rejects.toMatchObject({ code: "ENOENT" });
});

it("names the directory that the server's user cannot traverse", async () => {
  const closed = join(root, "closed");
  const inside = join(closed, "data");
  await mkdir(inside, { recursive: true });
  await chmod(closed, 0o700);
  const opening = allowAccess({ uid: 54_321, gid: 54_321 }, inside);
  await expect(opening).rejects.toMatchObject({
    code: "directory-unreachable",
    message: expect.stringContaining(`cannot traverse ${closed} (mode 700)`),
  });
});

it("reports a server that does not start with the end of its log", async () => {
  const broken = join(root, "broken");
  await (await open(broken)).close();
  await writeFile(join(broken, "postgres-18", "postgresql.conf"), "nonsense = 'yes'\n");
  await expect(open(broken)).rejects.toMatchObject({
    code: "start-failed",
    message: expect.stringContaining("unrecognized configuration parameter"),
  });
});

it("leaves no server behind when the opening is aborted", async () => {
  const opening = new AbortController();
  const reason = new Error("changed my mind");
  const opened = open(dataDir, opening.signal);
  setImmediate(() => opening.abort(reason));
  await expect(opened).rejects.toBe(reason);
  await using next = await open(dataDir);
  expect(next.adopted).toBe(false);
});

/** The account under which earlier releases ran PostgreSQL when started by root. */
const nobody: Account = { uid: 65_534, gid: 65_534 };

/** Resolves to true if a program succeeds as that account. */
async function succeedsAs(account: Account, program: string, ...args: string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: "ignore", ...account });
  const [code] = await once(child, "exit");
  return code === 0;
}

async function userOfProcess(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return parseProcStatus(status, "Uid") ?? Number.NaN;
}

describe.runIf(isRoot)("where root starts it", () => {
  it("runs as a user of its own, and lets no other to it", async () => {
    await using database = await open(dataDir);
    const { uid } = await systemAccount();
    expect(uid).not.toBe(0);
    expect(uid).not.toBe(nobody.uid);
    expect(await userOfProcess(database.pid)).toBe(uid);
    const cluster = join(dataDir, "postgres-18");
    expect((await stat(cluster)).uid).toBe(uid);
    for (const account of [nobody, { uid: ordinaryUser, gid: ordinaryUser }]) {
      expect(await succeedsAs(account, "ls", cluster)).toBe(false);
      expect(await succeedsAs(account, "kill", "-0", String(database.pid))).toBe(false);
      expect(await succeedsAs(account, "cat", `/proc/${database.pid}/environ`)).toBe(false);
    }
    expect(await succeedsAs(nobody, "true")).toBe(true);
  });

  it("takes a database, stopped or running, from nobody, who had it in earlier releases", async () => {
    const old = join(root, "of-nobody");
    const cluster = join(old, "postgres-18");
    const { uid } = await systemAccount();
    const first = await open(old);
    await query(first, "create table kept as select 42 as answer");
    await first.close();

    await chownTree(cluster, nobody);
    const second = await open(old);
    expect(await query(second, "select answer from kept")).toEqual([42]);
    expect(await userOfProcess(second.pid)).toBe(uid);
    await second.close();

    await chownTree(cluster, nobody);
    const { version } = await findBinaries();
    const running = await startPostmaster(
      {
        postgres: join(old, "runtime", `postgres-${version}`, "bin/postgres"),
        clusterDirectory: cluster,
        socketDirectory: cluster,
        account: nobody,
        isThrowaway: false,
      },
      old,
      systemClock,
      new AbortController().signal,
    );
    const third = await open(old);
    await running.exited;
    expect(third.adopted).toBe(false);
    expect(await query(third, "select answer from kept")).toEqual([42]);
    expect(await userOfProcess(third.pid)).toBe(uid);
    await third.close();
    expect((await stat(join(cluster, "PG_VERSION"))).uid).toBe(uid);
  });

  it("says what to do when that user does not exist and cannot be created", async () => {
    const creating = systemAccount("slipway-not-there", [["no-such-program"], ["false"]]);
    await expect(creating).rejects.toMatchObject({
      code: "user-missing",
      message: expect.stringContaining('create it with "useradd --system slipway-not-there"'),
    });
  });
});

it("works for an ordinary user", async () => {
  const own = join(root, "ordinary");
  await mkdir(own, { mode: 0o777 });
  await chmod(own, 0o777);
  const program = `
    import { silentLogger, systemClock } from "@slipway/runtime";
    import { openEmbeddedPostgres } from "@slipway/postgres";
    const database = await openEmbeddedPostgres({
      dataDir: ${JSON.stringify(join(own, "data"))}, logger: silentLogger, clock: systemClock,
      signal: AbortSignal.timeout(50_000),
    });
    console.log(database.connection.host, database.adopted);
    await database.close();
  `;
  const child = spawn(
    process.execPath,
    ["--conditions=@slipway/source", "--input-type=module", "-e", program],
    {
      cwd: new URL("../..", import.meta.url),
      stdio: ["ignore", "pipe", "pipe"],
      ...(isRoot ? { uid: ordinaryUser, gid: ordinaryUser } : {}),
    },
  );
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(errors).toBe("");
  expect(output).toBe(`${join(own, "data/postgres-18")} false\n`);
});
