import { chmod, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readShellScripts } from "../src/features/downloads/shell-scripts.ts";
import {
  type DownloadServer,
  openDownloadServer,
  packArchive,
  program,
  serveArchive,
} from "./support/download-server.ts";
import { leftIn, makeMachine, usual } from "./support/shell-machine.ts";

/* The script that installs the command, in this machine's shell and with its programs. */

let server: DownloadServer;

beforeAll(async () => {
  server = await openDownloadServer();
});

afterAll(() => server[Symbol.asyncDispose]());

describe("/install.sh", () => {
  it("installs, upgrades and removes the command", async () => {
    const { home, sh } = await makeMachine();
    const install = await server.script("/install.sh");
    const installed = await sh(install);
    expect(installed).toMatchObject({ code: 0, out: "" });
    expect(installed.err).toContain(`slipway login ${server.url}`);
    expect(installed.err).toContain("add it to your PATH");
    const link = join(home, ".local/bin/slipway");
    expect((await sh(`"${link}" list`)).out).toContain("args=list\n");
    const again = await sh(install);
    expect(again.err).toContain("is up to date: slipway v0.1.0");
    expect(again.err).not.toContain("downloading");

    const before = await readlink(link);
    const url = await serveArchive(await packArchive(`${program}# newer\n`));
    const newer = (await readShellScripts()).install({ accessUrl: url, version: "v0" });
    expect(await sh(newer)).toMatchObject({ code: 0 });
    expect(await readlink(link)).not.toBe(before);

    expect((await sh(install, { args: ["--uninstall"] })).code).toBe(0);
    expect(await readdir(join(home, ".local/bin"))).toEqual([]);
    expect(await readdir(join(home, ".local/lib"))).toEqual([]);
    expect((await sh(install, { args: ["--uninstall"] })).err).toContain("nothing to remove");
  });

  it("keeps the three releases that were installed last", async () => {
    const { home, sh } = await makeMachine();
    const releases = async () => {
      const names = await readdir(join(home, ".local/lib/slipway"));
      return names.filter((name) => !name.startsWith(".")).toSorted();
    };
    const script = (await readShellScripts()).install;
    const installed: string[] = [];
    for (let release = 0; release < 5; release += 1) {
      const before = release === 0 ? [] : await releases();
      const url = await serveArchive(await packArchive(`${program}# release ${release}\n`));
      expect(await sh(script({ accessUrl: url, version: "v0" }))).toMatchObject({ code: 0 });
      installed.push(...(await releases()).filter((name) => !before.includes(name)));
    }
    expect(await releases()).toEqual(installed.slice(-3).toSorted());
  });

  it("names the section of the SSH configuration that the removed command has written", async () => {
    const { home, sh } = await makeMachine([...usual, "sed"]);
    const install = await server.script("/install.sh");
    await sh(install);
    await mkdir(join(home, ".ssh"));
    const config = join(home, ".ssh/config");
    const section = "# >>> slipway config-ssh >>>\nHost *.slipway\n# <<< slipway config-ssh <<<\n";
    await writeFile(config, `Host a\n${section}Host b\n`);
    const { err } = await sh(install, { args: ["--uninstall"] });
    const remove = /^slipway: (sed .*)$/m.exec(err)?.[1] ?? "";
    expect(err).toContain(`${config} still has the section of slipway config-ssh`);
    expect(await sh(remove)).toMatchObject({ code: 0 });
    expect(await readFile(config, "utf8")).toBe("Host a\nHost b\n");
    await sh(install);
    const again = await sh(install, { args: ["--uninstall"] });
    expect(again.err).not.toContain("config-ssh");
  });

  it.each([
    ["curl -fsSL", []],
    ["wget -qO-", ["--prefix", "own place"]],
  ])("says how to remove it with %s", async (read, options) => {
    const downloader = read.split(" ")[0] ?? "";
    const { home, sh } = await makeMachine([...usual.filter((one) => one !== "curl"), downloader]);
    const { err } = await sh(await server.script("/install.sh"), { args: [...options] });
    const prefix = options.length === 0 ? "" : ` --prefix '${home}/own place'`;
    expect(err).toContain(
      `remove it: ${read} ${server.url}/install.sh | sh -s -- --uninstall${prefix}\n`,
    );
  });

  it("leaves another program of that name alone", async () => {
    const { home, sh } = await makeMachine();
    await mkdir(join(home, "prefix/bin"), { recursive: true });
    const other = join(home, "prefix/bin/slipway");
    await writeFile(other, "other");
    await chmod(other, 0o755);
    for (const args of [
      ["--prefix", "prefix"],
      ["--prefix=prefix", "--uninstall"],
    ]) {
      const { code, err } = await sh(await server.script("/install.sh"), { args });
      expect(code).toBe(1);
      expect(err).toContain("is not from this script");
    }
    expect(await readFile(other, "utf8")).toBe("other");
    expect(await readdir(join(home, "prefix"))).toEqual(["bin"]);
  });

  it.each([[["--nonsense"]], [["--prefix"]], [["extra"]]])("refuses %j", async (args) => {
    const { home, sh } = await makeMachine();
    const { code } = await sh(await server.script("/install.sh"), { args });
    expect(code).toBe(1);
    expect(await leftIn(home)).toEqual([]);
  });

  it("explains itself", async () => {
    const { sh } = await makeMachine();
    const { code, out } = await sh(await server.script("/install.sh"), { args: ["--help"] });
    expect(code).toBe(0);
    expect(out).toContain(`curl -fsSL ${server.url}/install.sh | sh -s -- --uninstall`);
  });
});
