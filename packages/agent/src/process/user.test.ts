import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { currentUser } from "./user.ts";

describe("currentUser", () => {
  it("takes the shell of the passwd entry before the environment's", () => {
    const entry = { username: "u", homedir: "/home/u", shell: "/bin/zsh" };
    const user = currentUser({ SHELL: "/bin/fish" }, entry);
    expect(user).toEqual({ name: "u", home: "/home/u", shell: "/bin/zsh" });
    expect(currentUser({ HOME: "/elsewhere" }, entry).home).toBe("/elsewhere");
  });

  it("falls back to SHELL, then to the standard shell, and says so when there is none", () => {
    const entry = { username: "u", homedir: "/home/u", shell: null };
    expect(currentUser({ SHELL: "/bin/fish" }, entry).shell).toBe("/bin/fish");
    expect(currentUser({}, entry).shell).toBe("/bin/sh");
    expect(() => currentUser({}, entry, "/bin/nowhere")).toThrow("there is no /bin/nowhere");
  });

  it.runIf(process.geteuid?.() === 0)(
    "gives the standard shell to a user that no passwd file knows, and runs its commands",
    async () => {
      const program = new URL("user.ts", import.meta.url).href;
      const text = `const { currentUser } = await import(${JSON.stringify(program)});
        process.setuid(54321);
        console.log(JSON.stringify(currentUser({ HOME: "/tmp" })));`;
      const args = ["--conditions=@slipway/source", "--input-type=module", "-e", text];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(JSON.parse(stdout)).toEqual({ name: "", home: "/tmp", shell: "/bin/sh" });
    },
  );
});
