import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { CurrentSubject, ProgramEnd } from "./subject.ts";

/** Files over SFTP (draft-ietf-secsh-filexfer-02) and scp. */
export function describeFiles(subject: CurrentSubject): void {
  let local: string;
  let remote: string;

  const makeDirectories = (): void => {
    local = join(subject().home, "local");
    remote = join(subject().home, "remote");
    mkdirSync(local);
    mkdirSync(remote);
  };

  const run = (program: "sftp" | "scp", args: readonly string[], input = ""): Promise<ProgramEnd> =>
    subject().run(program, args, { directory: local, input });
  const sftp = (commands: readonly string[]): Promise<ProgramEnd> =>
    run("sftp", ["-b", "-", "127.0.0.1:remote"], commands.join("\n"));

  describe("OpenSSH's sftp", () => {
    beforeEach(makeDirectories);

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
    beforeEach(makeDirectories);

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
  });
}
