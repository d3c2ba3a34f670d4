import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import type { ClientChannel } from "ssh2";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { SftpStatus } from "../../src/ssh/sftp/errors.ts";
import { maxHandles } from "../../src/ssh/sftp/open-handles.ts";
import { maxPacketBytes, PacketReader } from "../../src/ssh/sftp/packets.ts";
import {
  answered,
  forReading,
  forWriting,
  noAttributes,
  openRawSftpAt,
  packet,
  type RawSftp,
  request,
  uint64,
} from "../support/raw-sftp-client.ts";
import { byte, execute, openRawSshClient, string, uint32 } from "../support/raw-ssh-client.ts";
import { openSshWorkspace } from "../support/ssh-workspace.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-sftp-attack-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function openRawSftp(options: Parameters<typeof openSshWorkspace>[0] = {}): Promise<RawSftp> {
  const { port } = await openSshWorkspace({ directory: folder, ...options });
  return openRawSftpAt(port);
}

describe("the files of a client", () => {
  it("are all that its user can reach, and none that the user cannot", async () => {
    const sftp = await openRawSftp();
    mkdirSync(join(folder, "closed"), { mode: 0 });
    const { fields } = await sftp.ask(request.realPath, string("../../../../../../etc"));
    expect(fields.subarray(8, 12).toString()).toBe("/etc");
    expect(await sftp.status(request.stat, string("/etc/passwd"))).toBeUndefined();
    const isRoot = process.getuid?.() === 0;
    const answer = await sftp.status(request.openDirectory, string("closed"));
    expect(answer).toBe(isRoot ? undefined : SftpStatus.permissionDenied);
  });

  it("may be links that lead in circles", async () => {
    symlinkSync("two", join(folder, "one"));
    symlinkSync("one", join(folder, "two"));
    const sftp = await openRawSftp();
    for (const type of [request.stat, request.realPath, request.openDirectory]) {
      expect(await sftp.status(type, string("one/x"))).toBe(SftpStatus.failure);
    }
    expect(await sftp.status(request.open, string("one"), uint32(forWriting), noAttributes)).toBe(
      SftpStatus.failure,
    );
  });

  it("may have names that are no text", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff, 0xfe)]), "x");
    const sftp = await openRawSftp();
    const { fields: handle } = await sftp.ask(request.openDirectory, string("."));
    const { fields } = await sftp.ask(request.readDirectory, handle);
    expect(fields.subarray(0, 10)).toEqual(
      Buffer.concat([uint32(1), string(Buffer.of(0xff, 0xfe))]),
    );
    expect(await sftp.status(request.stat, string(Buffer.of(0xff, 0xfe)))).toBeUndefined();
  });

  it("may be pipes that nobody else has open", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const sftp = await openRawSftp();
    const writing = [string("pipe"), uint32(2), noAttributes];
    expect(await sftp.status(request.open, ...writing)).toBe(SftpStatus.failure);
    const handle = await sftp.open("pipe", forReading);
    expect(await sftp.status(request.read, handle, uint64(0n), uint32(1))).toBe(SftpStatus.failure);
  });
});

it("expands the home of its user, and takes no other name for one", async () => {
  const home = mkdtempSync(join(folder, "home-"));
  mkdirSync(join(home, "x"));
  mkdirSync(join(folder, "~bob"));
  const sftp = await openRawSftp({ home });
  const expand = async (name: string): Promise<string> => {
    const fields = [string("expand-path@openssh.com"), string(name)];
    const { fields: found } = await sftp.ask(request.extended, ...fields);
    return found.subarray(8, 8 + found.readUInt32BE(4)).toString();
  };
  const real = realpathSync(folder);
  expect(await expand("~")).toBe(realpathSync(home));
  expect(await expand("~/x")).toBe(join(realpathSync(home), "x"));
  expect(await expand("~bob")).toBe(join(real, "~bob"));
  expect(await expand("~bob/../~")).toBe(join(real, "~"));
});

describe("the size of a file by its path", () => {
  const cut = (sftp: RawSftp, path: string): Promise<number | undefined> =>
    sftp.status(request.setPath, string(path), uint32(1), uint64(1n));

  it("is set, and nothing is made for it", async () => {
    writeFileSync(join(folder, "file"), "content");
    const sftp = await openRawSftp();
    expect(await cut(sftp, "file")).toBe(SftpStatus.ok);
    expect(statSync(join(folder, "file")).size).toBe(1);
    expect(await cut(sftp, "none")).toBe(SftpStatus.noSuchFile);
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await cut(sftp, "pipe")).toBe(SftpStatus.failure);
  });

  it.runIf(process.platform === "linux")("waits for no lease", async () => {
    writeFileSync(join(folder, "file"), "content");
    await lease(join(folder, "file"));
    const sftp = await openRawSftp();
    expect(await cut(sftp, "file")).toBe(SftpStatus.failure);
    expect(statSync(join(folder, "file")).size).toBe(7);
  });

  it.runIf(process.platform === "linux")("takes no terminal", async () => {
    const { pid, port } = await startServices();
    const { terminal } = await openTerminal();
    const sftp = await openRawSftpAt(port);
    expect(await cut(sftp, terminal)).toBe(SftpStatus.failure);
    await sftp.open(terminal, forWriting);
    // The number of its terminal (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ");
    expect(fields?.[4]).toBe("0");
  });
});

describe("a hostile client of SFTP", () => {
  it("opens no more files than are left for its connection, and those again once it has closed them", async () => {
    writeFileSync(join(folder, "file"), "x");
    // A quarter for all connections, half of that for one connection, three descriptors for the session.
    const sftp = await openRawSftp({ descriptorLimit: 80 });
    const one = [string("file"), uint32(forReading), noAttributes];
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sftp.ask(request.open, ...one)),
    );
    const handles = answers.filter(({ type }) => type === answered.handle);
    expect(handles.length).toBe(7);
    expect(await sftp.status(request.openDirectory, string("."))).toBe(SftpStatus.failure);
    expect(await sftp.status(request.open, string("none"), ...one.slice(1))).toBe(
      SftpStatus.failure,
    );
    for (const { fields } of handles) await sftp.status(request.close, fields);
    for (let count = 0; count < 20; count += 1) {
      expect(await sftp.status(request.open, string("none"), ...one.slice(1))).toBe(
        SftpStatus.noSuchFile,
      );
    }
    const again = await Promise.all(handles.map(() => sftp.status(request.open, ...one)));
    expect(again).toEqual(handles.map(() => undefined));
  });

  it.each([
    ["no path", ""],
    ["a path of 200 KB", "x".repeat(200_000)],
    ["a path with a zero byte", "a\0b"],
    ["a path of dots", "./../".repeat(40_000)],
  ])("names %s, and goes on", async (_, path) => {
    const sftp = await openRawSftp();
    const { type } = await sftp.ask(request.stat, string(path));
    expect(type).toBe(path === "" ? answered.attributes : answered.status);
    expect(await sftp.status(request.stat, string("none"))).toBe(SftpStatus.noSuchFile);
  });

  it("opens files without end, of which so many are open at once", async () => {
    writeFileSync(join(folder, "file"), "x");
    const sftp = await openRawSftp();
    const one = [string("file"), uint32(forReading), noAttributes];
    const answers = await Promise.all(
      Array.from({ length: 10 * maxHandles }, () => sftp.ask(request.open, ...one)),
    );
    const handles = answers.filter(({ type }) => type === answered.handle);
    expect(handles.length).toBe(maxHandles);
    expect(await sftp.status(request.openDirectory, string("."))).toBe(SftpStatus.failure);
    expect(await sftp.status(request.close, handles[0]?.fields ?? byte(0))).toBe(SftpStatus.ok);
    expect(await sftp.status(request.open, ...one)).toBeUndefined();
  });

  it("uses handles that are closed, of another kind, or were never given", async () => {
    writeFileSync(join(folder, "file"), "x");
    const sftp = await openRawSftp();
    const file = await sftp.open("file", forReading);
    const { fields: directory } = await sftp.ask(request.openDirectory, string("."));
    const read = [uint64(0n), uint32(10)];
    expect(await sftp.status(request.readDirectory, file)).toBe(SftpStatus.failure);
    expect(await sftp.status(request.read, directory, ...read)).toBe(SftpStatus.failure);
    expect(await sftp.status(request.close, file)).toBe(SftpStatus.ok);
    expect(await sftp.status(request.close, file)).toBe(SftpStatus.failure);
    for (const name of ["", "1", "99", "__proto__", "x".repeat(100_000)]) {
      expect(await sftp.status(request.read, string(name), ...read)).toBe(SftpStatus.failure);
    }
    expect(await sftp.status(request.write, directory, uint64(0n), string("x"))).toBe(
      SftpStatus.failure,
    );
  });

  it("reads and writes where no file can be", async () => {
    writeFileSync(join(folder, "file"), "content");
    const sftp = await openRawSftp();
    const file = await sftp.open("file", forReading | forWriting);
    for (const offset of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const at = uint64(offset);
      expect(await sftp.status(request.read, file, at, uint32(1))).toBe(SftpStatus.failure);
      expect(await sftp.status(request.write, file, at, string("x"))).toBe(SftpStatus.failure);
      const size = [uint32(1), at];
      expect(await sftp.status(request.setFile, file, ...size)).toBe(SftpStatus.failure);
    }
    expect(statSync(join(folder, "file")).size).toBe(7);
  });

  it("reads 4 GB at once, and gets what one answer holds", async () => {
    const sftp = await openRawSftp();
    const file = await sftp.open("/dev/zero", forReading);
    const { type, fields } = await sftp.ask(request.read, file, uint64(0n), uint32(0xffffffff));
    expect(type).toBe(answered.data);
    expect(fields.length).toBeLessThan(maxPacketBytes);
  });

  it.each([
    ["a packet of 4 GB", uint32(0xffffffff)],
    ["a packet without a type", uint32(0)],
    ["a request without its fields", packet(byte(request.open), uint32(1))],
    ["a text longer than its packet", packet(byte(request.stat), uint32(1), uint32(0xfffffff0))],
    [
      "more attributes than fit",
      packet(byte(9), uint32(1), string("x"), uint32(0x80000000), uint32(0xffffffff)),
    ],
  ])("sends %s, which ends the session", async (_, bytes) => {
    const sftp = await openRawSftp();
    const exited = once(sftp.channel, "exit");
    sftp.send(bytes);
    expect(await exited).toEqual([1]);
  });

  it("asks for what nobody knows", async () => {
    const sftp = await openRawSftp();
    for (const type of [0, 2, 21, 101, 199, 201, 255]) {
      expect(await sftp.status(type, string("x"))).toBe(SftpStatus.unsupported);
    }
    expect(await sftp.status(request.extended, string("evil@example.com"))).toBe(
      SftpStatus.unsupported,
    );
  });

  it("asks without end and reads no answer, which is not produced then", async () => {
    const sftp = await openRawSftp();
    const file = await sftp.open("/dev/zero", forReading);
    sftp.channel.pause();
    const before = process.memoryUsage().arrayBuffers;
    const one = packet(byte(request.read), uint32(1), file, uint64(0n), uint32(0xffffffff));
    sftp.send(Buffer.concat(Array.from({ length: 10_000 }, () => one)));
    const { port } = await openSshWorkspace();
    const { client } = await openRawSshClient(port);
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
    // 2.6 GB in total.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  it("gets nothing where the transfer of files is blocked, whatever the case of its name", async () => {
    const { port } = await openSshWorkspace({ settings: { blockFileTransfer: true } });
    const { client } = await openRawSshClient(port);
    const opened = Promise.withResolvers<readonly [ClientChannel, Promise<unknown[]>]>();
    client.subsys("sftp", (error, channel) => {
      if (error === undefined) opened.resolve([channel, once(channel, "exit")]);
      else opened.reject(error);
    });
    const [channel, exited] = await opened.promise;
    channel.write(packet(byte(1), uint32(3)));
    expect(await text(channel)).toBe("");
    expect(await exited).toEqual([65]);
    const other = new Promise((resolve) => {
      client.subsys("SFTP", (error) => resolve(error?.message));
    });
    expect(await other).toMatch("Unable to start subsystem");
  });
});

it("sends a packet byte by byte", () => {
  const reader = new PacketReader();
  const all = packet(Buffer.alloc(maxPacketBytes, 1));
  const packets: Buffer[] = [];
  for (const value of all) packets.push(...reader.receive(byte(value)));
  expect(packets).toEqual([all.subarray(4)]);
});

/** Runs a program until the test ends, and returns the first line that it prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  await expect.poll(() => printed, { timeout: 20_000 }).toContain("\n");
  return printed.split("\n")[0] ?? "";
}

/** Starts a process that holds a lease on a file and does not release it when asked (fcntl(2), F_SETLEASE). */
async function lease(path: string): Promise<void> {
  const program =
    "import fcntl,signal,sys,time; f=open(sys.argv[1]); signal.signal(signal.SIGIO, signal.SIG_IGN); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK); print('held', flush=True); time.sleep(600)";
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const holder = spawn("python3", ["-c", program, path], { stdio: [...stdio] });
  expect(await firstLine(holder)).toBe("held");
}

/** Starts services in a separate session, which could acquire a terminal. */
async function startServices(): Promise<{
  readonly pid: number | undefined;
  readonly port: number;
}> {
  const program = fileURLToPath(new URL("../support/services-program.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ports: Record<string, number> = JSON.parse(await firstLine(child));
  return { pid: child.pid, port: ports["1"] ?? 0 };
}

/** Opens a terminal that controls no session. */
async function openTerminal(): Promise<{ readonly terminal: string }> {
  const program =
    "import os,time; m,s=os.openpty(); print(os.ttyname(s), flush=True); time.sleep(600)";
  const holder = spawn("python3", ["-c", program], { stdio: ["ignore", "pipe", "inherit"] });
  return { terminal: await firstLine(holder) };
}
