import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../../tests/support/command-host.ts";
import { openSshWorkspace, type SshWorkspace } from "../../../tests/support/ssh-workspace.ts";
import {
  type PrepareInContainer,
  prepareInContainer,
} from "../../containers/container-commands.ts";
import { Engine } from "../../containers/engine.ts";

interface Machine {
  readonly workspace: SshWorkspace;
  /** Returns the commands that the engine was called with, each in one line. */
  readonly calls: () => readonly string[];
}

/** An engine with a container `box`, in which commands run here. */
const engineScript = `
case $1 in
inspect) case "$*" in *" box") echo '{"running":true,"labels":{},"env":[]}' ;;
  *) echo 'Error: No such container' >&2; exit 1 ;; esac ;;
exec) case "$*" in
  *whoami*) echo ada ;;
  *passwd) echo 'ada:x:1000:1000::/home/ada:/bin/sh' ;;
  *) while [ "$1" != box ]; do [ "$1" = --env ] && export "$2"; shift; done; shift; exec "$@" ;;
  esac ;;
esac`;

async function openMachine(): Promise<Machine> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-container-session-"));
  const log = join(directory, "calls");
  writeFileSync(log, "");
  const program = join(directory, "docker");
  writeFileSync(program, `#!/bin/sh\necho $* >> ${log}${engineScript}\n`);
  chmodSync(program, 0o700);
  const commands = openCommandHost();
  onTestFinished(() => {
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  const engine = new Engine({
    commands,
    prepare: async () => ({
      ...shellCommand("true"),
      environment: { PATH: `${directory}:/usr/bin:/bin` },
    }),
  });
  const prepare: PrepareInContainer = (target, text, options) =>
    prepareInContainer(engine, target, text, options);
  return {
    workspace: await openSshWorkspace({ containers: { isEnabled: true, access: { prepare } } }),
    calls: () => readFileSync(log, "utf8").split("\n").filter(Boolean),
  };
}

const inBox = "-oSetEnv=CODER_CONTAINER=box";

describe("an SSH session in a container", () => {
  it("runs as the container's user, with its shell, in its home", async () => {
    const { workspace, calls } = await openMachine();
    const end = await workspace.ssh([inBox, "cat; exit 7"], "typed");
    expect(end).toMatchObject({ exitCode: 7, stdout: "typed" });
    const command = calls().find((call) => call.startsWith("exec --interactive"));
    expect(command).toMatch(
      /^exec --interactive --user ada --workdir \/home\/ada --env .* box \/bin\/sh -c cat; exit 7$/,
    );
    expect(command).not.toContain("--tty");
  });

  it("gets the terminal and the variables of the client", async () => {
    const { workspace, calls } = await openMachine();
    const flags = ["-tt", "-oSetEnv=CODER_CONTAINER=box CODER_CONTAINER_USER=root GREETING=hello"];
    const { stdout } = await workspace.ssh([...flags, "echo $GREETING"]);
    expect(stdout).toContain("hello");
    expect(calls().find((call) => call.startsWith("exec --interactive"))).toContain(
      "--tty --user root --workdir / ",
    );
  });

  it("hangs up what runs in the container when the client leaves", async () => {
    const { workspace, calls } = await openMachine();
    const child = workspace.start(["echo started; exec sleep 60"], [inBox]);
    const session = (): string =>
      / --env SLIPWAY_CONTAINER_SESSION=(\S+)/.exec(calls().join("\n"))?.[1] ?? "";
    await expect.poll(session).not.toBe("");
    child.kill("SIGKILL");
    const hangUp = (): string | undefined =>
      calls().find((call) => call.startsWith("exec --user 0 box sh -c for process in"));
    await expect.poll(hangUp).toBeDefined();
    expect(calls().join("\n")).toContain(`sh ${session()}`);
  });

  it.each([
    ["SetEnv=CODER_CONTAINER=none", "there is no container none"],
    ["SetEnv=CODER_CONTAINER=--privileged", '"--privileged" is not the name of a container'],
    ["SetEnv=CODER_CONTAINER=box CODER_CONTAINER_USER=-u", '"-u" is not the name of a user'],
  ])("says why it cannot run: %s", async (option, reason) => {
    const { workspace } = await openMachine();
    const end = await workspace.ssh([`-o${option}`, "true"]);
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain(reason);
  });

  it("is refused where containers are off, and for SFTP", async () => {
    const off = await openSshWorkspace();
    const refused = await off.ssh([inBox, "true"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("Containers are turned off for this agent");
    const { workspace } = await openMachine();
    const sftp = await workspace.ssh(["-s", inBox, "sftp"]);
    expect(sftp.exitCode).toBe(1);
    expect(sftp.stderr).toContain("SFTP does not reach into containers");
  });
});
