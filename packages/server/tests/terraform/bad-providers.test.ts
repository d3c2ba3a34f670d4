import { chmod, cp, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type DriverBuild,
  type DriverLog,
  TerraformDriver,
  type TerraformDriverOptions,
} from "@slipway/drivers";
import { systemClock } from "@slipway/runtime";
import { sampleAgent, sampleBuild } from "@slipway/testkit/compliance";
import { buildTerraform, type TestTerraform } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

/* The driver with OpenTofu itself, and providers that are programs of all kinds. */

const { signal: never } = new AbortController();
const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
const patience = { timeout: 60_000, interval: 100 };

let terraform: TestTerraform;
let root = "";
let directory = "";
let lines: string[] = [];
let kept: Uint8Array | undefined;

beforeAll(async () => {
  terraform = await buildTerraform();
  root = await mkdtemp(join(tmpdir(), "slipway-bad-providers-"));
}, 1_200_000);
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 10 }));
beforeEach(async () => {
  directory = await mkdtemp(join(root, "case-"));
  lines = [];
  kept = undefined;
});

const log: DriverLog = { write: (level, _stage, line) => void lines.push(`${level} ${line}`) };

/** A configuration with a provider `bad`, which is a shell script. */
async function configuration(text: string, script?: string): Promise<string> {
  const files = join(directory, "template");
  await mkdir(files);
  await writeFile(join(files, "main.tf"), text);
  const folder = join(directory, `mirror/registry.opentofu.org/test/bad/1.0.0/${platform}`);
  await mkdir(folder, { recursive: true });
  if (script !== undefined) {
    const program = join(folder, "terraform-provider-bad_v1.0.0");
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
  }
  await writeFile(
    join(directory, "tofurc"),
    `provider_installation {\n  filesystem_mirror {\n    path = "${join(directory, "mirror")}"\n  }\n}\n`,
  );
  return files;
}

const usesBad = `terraform {
  required_providers {
    bad = { source = "test/bad" }
  }
}
resource "bad_thing" "one" {}
`;

function driver(
  limits: TerraformDriverOptions["limits"] = {},
  program = terraform.program,
): TerraformDriver {
  return new TerraformDriver({
    runsDir: join(directory, "runs"),
    program: { path: program },
    configFile: join(directory, "tofurc"),
    environment: { CLOUD_TOKEN: "token-of-the-cloud", DIRECTORY: directory },
    users: undefined,
    agentScripts: {},
    maxRuns: 1,
    limits: { graceMs: 60_000, ...limits },
    clock: systemClock,
  });
}

function build(files: string, fields: Partial<DriverBuild> = {}): DriverBuild {
  const { template, ...rest } = sampleBuild({ agents: [] });
  return {
    ...rest,
    template: { ...template, directory: files },
    keepState: async (state) => void (kept = state),
    hold: async () => ({
      renewedAtMs: () => systemClock.now(),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    ...fields,
  };
}

const runsLeft = async (): Promise<readonly string[]> => {
  const names = await readdir(join(directory, "runs"));
  return names.filter((name) => !name.startsWith("."));
};

describe("a provider", () => {
  it.each([
    ["crashes", "exit 3", /plugin|provider/i],
    ["is no provider", "echo hello; sleep 1", /plugin|provider/i],
  ])("that %s fails the build with the program's reason", async (_case, script, message) => {
    const files = await configuration(usesBad, script);
    await expect(driver().start(build(files), log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringMatching(message),
    });
    expect(kept).toBeUndefined();
    expect(await runsLeft()).toEqual([]);
  });

  it.each([
    ["lines", "yes | head -c 100000000"],
    ["messages to the program's log", "yes | head -c 100000000 >&2"],
  ])("that prints 100 MB of %s fails the build, in little memory", async (_case, script) => {
    const files = await configuration(usesBad, script);
    using memory = watchMemory();
    await expect(driver().start(build(files), log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringMatching(/^(?=.*(plugin|provider)).{1,20000}$/is),
    });
    expect(lines.join("\n").length).toBeLessThan(2 * 1024 * 1024);
    expect(await runsLeft()).toEqual([]);
    expect(memory.growth()).toBeLessThan(64 * 1024 * 1024);
    const deletion = build(files, { transition: "delete", readState: async () => kept });
    expect(await driver().delete(deletion, log, never)).toMatchObject({ resources: [] });
  });

  it("that hangs is killed with the program, after the grace of a canceled build", async () => {
    const files = await configuration(
      usesBad,
      `trap '' INT TERM; echo $$ >"$DIRECTORY/pid"; while :; do sleep 1; done`,
    );
    const canceling = new AbortController();
    const reason = new Error("canceled");
    const ending = driver({ graceMs: 2_000 }).start(build(files), log, canceling.signal);
    ending.catch(() => undefined);
    await expect.poll(() => readdir(directory), patience).toContain("pid");
    canceling.abort(reason);
    await expect(ending).rejects.toBe(reason);
    await expect.poll(running, patience).toEqual([]);
    expect(await runsLeft()).toEqual([]);
  });

  it("that hangs ends the run of a form when its time is over, and when the form is closed", async () => {
    const files = await configuration(
      usesBad,
      `trap '' INT TERM; echo $$ >"$DIRECTORY/pid"; while :; do sleep 1; done`,
    );
    const { template, workspace } = build(files);
    const sources = [{ address: "bad_thing.one", name: "one", mayBeEphemeral: false }];
    const input = { template, parameters: {}, accessUrl: "", owner: workspace.owner, sources };
    const late = driver({ maxFormMs: 2_000 }).readParameters({ ...input, key: "late" }, never);
    await expect(late).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("within 2 seconds"),
    });
    await rm(join(directory, "pid"), { force: true });
    const closing = new AbortController();
    const closed = driver().readParameters({ ...input, key: "closed" }, closing.signal);
    closed.catch(() => undefined);
    await expect.poll(() => readdir(directory), patience).toContain("pid");
    closing.abort(new Error("gone"));
    await expect(closed).rejects.toThrow("gone");
    await expect.poll(running, patience).toEqual([]);
    expect(await runsLeft()).toEqual([]);
  });

  it.each([
    ["output", "yes | tr -d '\\n'"],
    ["log", "yes | tr -d '\\n' >&2"],
  ])(
    "that prints one endless line to its %s is interrupted, and the log tells before",
    async (_case, script) => {
      const files = await configuration(usesBad, script);
      const limits = { maxQuietMs: 4_000, graceMs: 2_000 };
      await expect(driver(limits).start(build(files), log, never)).rejects.toMatchObject({
        code: "run-failed",
        message: expect.stringMatching(/^plan printed nothing for/),
      });
      expect(lines).toContainEqual(expect.stringMatching(/^warn no output for \d+ seconds/));
      expect(await runsLeft()).toEqual([]);
      await expect.poll(running, patience).toEqual([]);
    },
  );

  it("that is gone leaves the state as it is, and the log of a deletion tells the way out", async () => {
    const files = await configuration(usesBad);
    const state = Buffer.from(JSON.stringify(stateOfBad));
    const deletion = build(files, { transition: "delete", readState: async () => state });
    await expect(driver().delete(deletion, log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("test/bad"),
    });
    expect(kept).toBeUndefined();
    expect(lines.join("\n")).toContain("slipway delete --orphan");
  });
});

const stateOfBad = {
  version: 4,
  terraform_version: "1.12.6",
  serial: 1,
  lineage: "one",
  outputs: {},
  resources: [
    {
      mode: "managed",
      type: "bad_thing",
      name: "one",
      provider: 'provider["registry.opentofu.org/test/bad"]',
      instances: [{ schema_version: 0, attributes: {} }],
    },
  ],
};

/** Runs shell commands while the resource is created. */
const provisioned = (commands: string): string => `resource "terraform_data" "one" {
  provisioner "local-exec" {
    command = <<-EOT
${commands}
    EOT
  }
}
`;

describe("a provisioner", () => {
  it("that prints much does not fill the log", async () => {
    const files = await configuration(
      provisioned(`yes ${"0123456789".repeat(100)} | head -c 3000000`),
    );
    await driver().start(build(files), log, never);
    expect(lines.join("\n").length).toBeLessThan(2 * 1024 * 1024);
    expect(lines.filter((line) => line.includes("the rest is not shown"))).toHaveLength(1);
  });

  it("that prints 100 MB does not fill the memory", async () => {
    const files = await configuration(provisioned("true"));
    // OpenTofu alone takes minutes for it.
    const message = `{"@message":"${"x".repeat(1_000)}","type":"provision_progress"}`;
    const print = `yes '${message}' | head -c 100000000; echo`;
    const program = join(directory, "tofu");
    const script = `#!/bin/sh\n[ "$1" = apply ] && { ${print}; }\nexec ${terraform.program} "$@"\n`;
    await writeFile(program, script, { mode: 0o755 });
    using memory = watchMemory();
    await driver({}, program).start(build(files), log, never);
    expect(memory.growth()).toBeLessThan(64 * 1024 * 1024);
    expect(lines.filter((line) => line.includes("the rest is not shown"))).toHaveLength(1);
  });

  it("that prints too much is interrupted, and what it began can be deleted", async () => {
    const files = await configuration(provisioned(`yes`));
    const limits = { maxOutputBytes: 1_000_000 };
    await expect(driver(limits).start(build(files), log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: "printed more than 1000000 bytes: let the programs that it runs print less",
    });
    expect(Buffer.from(kept ?? []).toString()).toContain("tainted");
    const deletion = build(files, { transition: "delete", readState: async () => kept });
    expect(await driver(limits).delete(deletion, log, never)).toMatchObject({ resources: [] });
    expect(Buffer.from(kept ?? []).toString()).not.toContain("tainted");
  });

  it("that prints secrets of the server's settings, or of a running agent, finds them hidden", async () => {
    const files = await configuration(
      provisioned(`echo cloud=$CLOUD_TOKEN; echo agent=token-of-the-agent; exit 1`),
    );
    const present = [sampleAgent("main", { token: "token-of-the-agent" })];
    const message = expect.not.stringContaining("token-of");
    await expect(
      driver().start(build(files, { agents: present }), log, never),
    ).rejects.toMatchObject({ message });
    expect(lines.join("\n")).toContain("cloud=(hidden)");
    expect(lines.join("\n")).toContain("agent=(hidden)");
    expect(lines.join("\n")).not.toContain("token-of");
  });
});

describe("an owner's SSH key", () => {
  it.each([
    ["that the server withholds is not said to be read", "", "warn a module names ssh_private_key"],
    ["that a template reads is said to be", "a-key", "info the template reads the owner's SSH key"],
  ])("%s", async (_case, privateKey, text) => {
    const files = await configuration("# ssh_private_key\n");
    const { workspace } = sampleBuild({ agents: [] });
    const owner = { ...workspace.owner, gitKey: { publicKey: "", privateKey } };
    await driver().start(build(files, { workspace: { ...workspace, owner } }), log, never);
    expect(lines.filter((line) => /SSH key/.test(line))).toEqual([expect.stringContaining(text)]);
  });
});

describe("metadata", () => {
  it("with a NUL that only the state shows fails the build, rather than its storage", async () => {
    const files = await configuration(`terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
resource "terraform_data" "one" { input = "x\\u0000y" }
resource "coder_metadata" "one" {
  resource_id = terraform_data.one.id
  item {
    key   = "text"
    value = terraform_data.one.output
  }
}
`);
    await cp(terraform.configFile, join(directory, "tofurc"));
    await expect(driver().start(build(files), log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: "metadata: found a NUL or half a surrogate pair, wanted text without them",
    });
    expect(Buffer.from(kept ?? []).toString()).toContain("coder_metadata");
  });
});

describe("a state", () => {
  it("that is too large fails the build, and is kept for the deletion", async () => {
    const files = await configuration('resource "terraform_data" "one" { input = "large" }\n');
    const limits = { maxStateBytes: 100 };
    await expect(driver(limits).start(build(files), log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringMatching(/^the state has \d{3} bytes, wanted at most 100: keep large/),
    });
    expect(Buffer.from(kept ?? []).toString()).toContain('"large"');
    const deletion = build(files, { transition: "delete", readState: async () => kept });
    await driver(limits).delete(deletion, log, never);
    expect(Buffer.from(kept ?? []).toString()).not.toContain('"large"');
  });

  it.each([
    ["of a newer version", { ...stateOfBad, version: 5 }, /version/i],
    ["that is not JSON", "{", /state|JSON/i],
  ])("%s fails the build, and is not replaced", async (_case, content, message) => {
    const files = await configuration('resource "terraform_data" "one" {}\n');
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const broken = build(files, { readState: async () => Buffer.from(text) });
    await expect(driver().start(broken, log, never)).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringMatching(message),
    });
    expect(kept).toBeUndefined();
  });
});

/** Watches the memory of this process. */
function watchMemory(): Disposable & { readonly growth: () => number } {
  const rss = (): number => process.memoryUsage.rss();
  const firstBytes = rss();
  let mostBytes = firstBytes;
  const timer = setInterval(() => (mostBytes = Math.max(mostBytes, rss())), 20);
  return {
    growth: () => Math.max(mostBytes, rss()) - firstBytes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Returns the directories of the processes that run in that of the test. */
async function running(): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const cwds = await Promise.all(pids.map((pid) => cwdOf(pid)));
  return cwds.filter((cwd) => cwd.startsWith(directory));
}

async function cwdOf(pid: string): Promise<string> {
  return readlink(`/proc/${pid}/cwd`).catch(() => "");
}
