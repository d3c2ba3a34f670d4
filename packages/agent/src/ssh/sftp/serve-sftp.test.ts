import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import {
  endOf,
  type Ended,
  openSshWorkspace,
  sshOptions,
} from "../../../tests/support/ssh-workspace.ts";
import { SftpError } from "./errors.ts";
import { FieldReader } from "./fields.ts";
import { maxPacketBytes, PacketReader } from "./packets.ts";

let folder: string;
let local: string;
let remote: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-sftp-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  local = join(folder, "local");
  remote = join(folder, "remote");
  mkdirSync(local);
  mkdirSync(remote);
});

async function run(program: string, args: readonly string[], input = ""): Promise<Ended> {
  const { port } = await openSshWorkspace({ directory: remote, home: folder });
  const all = [...sshOptions, "-P", String(port), ...args];
  const child = spawn(program, all, { cwd: local, stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(input);
  return endOf(child);
}

const sftp = (commands: readonly string[]): Promise<Ended> =>
  run("sftp", ["-b", "-", "127.0.0.1"], commands.join("\n"));

describe("OpenSSH's sftp", () => {
  it("puts and gets a large file, unchanged", async () => {
    const content = randomBytes(20_000_000);
    writeFileSync(join(local, "file"), content, { mode: 0o640 });
    expect(await sftp(["put -p file", "get file back"])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(remote, "file")).equals(content)).toBe(true);
    expect(statSync(join(remote, "file")).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(local, "back")).equals(content)).toBe(true);
  });

  it("makes, lists, renames and removes", async () => {
    writeFileSync(join(local, "file"), "x");
    const { stdout, exitCode } = await sftp([
      "pwd",
      "mkdir one",
      "put file one/a",
      "rename one/a one/b",
      "ln -s b one/link",
      "ls -1 one",
      "ls -l one",
      "chmod 600 one/b",
      "rm one/link",
      "mkdir two",
      "rmdir two",
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Remote working directory: ${remote}`);
    expect(stdout).toContain("one/b\none/link");
    expect(stdout).toMatch(/-rw-\S+ .* 1 .*b/);
    expect(readdirSync(remote)).toEqual(["one"]);
    expect(statSync(join(remote, "one/b")).mode & 0o777).toBe(0o600);
  });

  it("lists a directory of many files", async () => {
    for (let index = 0; index < 500; index += 1) writeFileSync(join(remote, `f${index}`), "");
    const { stdout } = await sftp(["ls -1"]);
    expect(stdout.match(/^f\d+\s*$/gm)).toHaveLength(500);
  });

  it("tells the size and the free space of a file system", async () => {
    const { stdout, exitCode } = await sftp(["df", "df -i ."]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Size +Used +Avail[^]* \d+ +\d+ +\d+ +\d+ +\d+%/);
  });

  it.each(["get none", "rm none", "rmdir none", "cd none", "put none"])(
    "fails at %j",
    async (command) => {
      const { exitCode, stderr } = await sftp([command]);
      expect(exitCode).toBe(1);
      expect(stderr).not.toBe("");
    },
  );
});

describe("OpenSSH's scp", () => {
  it.each([[["-s"]], [["-O"]]])("copies a tree, both ways, with %j", async (flags) => {
    mkdirSync(join(local, "tree/deep"), { recursive: true });
    writeFileSync(join(local, "tree/deep/file"), "content");
    const there = await run("scp", [...flags, "-r", "tree", `127.0.0.1:${remote}/copy`]);
    expect(there).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(remote, "copy/deep/file"), "utf8")).toBe("content");
    const back = await run("scp", [...flags, "-r", `127.0.0.1:${remote}/copy`, "back"]);
    expect(back).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(local, "back/deep/file"), "utf8")).toBe("content");
  });

  it.each([[["-s"]], [["-O"]]])(
    "is refused where transfers are blocked, with %j",
    async (flags) => {
      writeFileSync(join(local, "file"), "x");
      const { port } = await openSshWorkspace({ settings: { blockFileTransfer: true } });
      const args = [
        ...sshOptions,
        ...flags,
        "-P",
        String(port),
        "file",
        `127.0.0.1:${remote}/file`,
      ];
      const child = spawn("scp", args, { cwd: local, stdio: ["pipe", "pipe", "pipe"] });
      expect((await endOf(child)).exitCode).not.toBe(0);
      expect(existsSync(join(remote, "file"))).toBe(false);
    },
  );
});

describe("PacketReader", () => {
  it("finds packets however they are cut", () => {
    const stream = Buffer.from([0, 0, 0, 1, 7, 0, 0, 0, 3, 1, 2, 3]);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const reader = new PacketReader();
      const packets = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((piece) =>
        reader.receive(piece),
      );
      expect(packets).toEqual([Buffer.from([7]), Buffer.from([1, 2, 3])]);
    }
  });

  it.each([0, maxPacketBytes + 1, 0xffffffff])("refuses a packet of %d bytes", (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    expect(() => new PacketReader().receive(head)).toThrow("wanted 1 to");
  });
});

describe("FieldReader", () => {
  it("throws only its own error for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const fields = new FieldReader(Buffer.from(bytes), 0);
        try {
          for (;;) {
            fields.attributes();
            fields.text();
          }
        } catch (error) {
          if (!(error instanceof SftpError)) throw error;
        }
      }),
    );
  });
});
