import { describe, expect, it } from "vitest";

import { currentUser } from "./user.ts";

describe("currentUser", () => {
  it("takes the shell of the passwd entry before the environment's", () => {
    const entry = { username: "u", homedir: "/home/u", shell: "/bin/zsh" };
    const user = currentUser({ SHELL: "/bin/fish" }, entry);
    expect(user).toEqual({ name: "u", home: "/home/u", shell: "/bin/zsh" });
    expect(currentUser({ HOME: "/elsewhere" }, entry).home).toBe("/elsewhere");
  });

  it("falls back to SHELL, and says so when there is none", () => {
    const entry = { username: "u", homedir: "/home/u", shell: null };
    expect(currentUser({ SHELL: "/bin/fish" }, entry).shell).toBe("/bin/fish");
    expect(() => currentUser({}, entry)).toThrow("no shell in /etc/passwd");
  });
});
