import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { endOf, openSshOptions } from "@slipway/testkit/compliance";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";
import { SftpError } from "./errors.ts";
import { FieldReader } from "./fields.ts";
import { maxPacketBytes, PacketReader } from "./packets.ts";

describe("OpenSSH's scp", () => {
  it.each([[["-s"]], [["-O"]]])(
    "is refused where transfers are blocked, with %j",
    async (flags) => {
      const folder = mkdtempSync(join(tmpdir(), "slipway-sftp-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, "file"), "x");
      const { port } = await openSshWorkspace({ settings: { blockFileTransfer: true } });
      const args = [
        ...openSshOptions,
        ...flags,
        "-P",
        String(port),
        "file",
        `127.0.0.1:${folder}/copy`,
      ];
      const child = spawn("scp", args, { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
      expect((await endOf(child)).exitCode).not.toBe(0);
      expect(existsSync(join(folder, "copy"))).toBe(false);
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
