import { describe, expect, it } from "vitest";

import {
  agent,
  expectProblem,
  head,
  inAgent,
  inScript,
  parsed,
} from "../tests/support/template-texts.ts";

describe("problems of agents", () => {
  it.each([
    [
      "a bad name",
      `${head}agents:\n  «Main: {}`,
      "agents.Main",
      'found the name "Main", wanted lowercase',
    ],
    [
      "a name that is too long",
      `${head}agents:\n  «${"a".repeat(33)}: {}`,
      `agents.${"a".repeat(33)}`,
      "at most 32",
    ],
    [
      "an unknown system",
      inAgent("os: «beos"),
      "agents.main.os",
      "wanted one of linux, darwin, windows",
    ],
    [
      "a bare ~ as directory",
      inAgent("directory: «~"),
      "agents.main.directory",
      'a bare ~ is null in YAML, write "~" with quotes',
    ],
    [
      "nothing as directory",
      inAgent("«directory:"),
      "agents.main.directory",
      'found nothing, wanted a string ("" for none)',
    ],
    [
      "a number as time",
      inAgent("connection_timeout: «30"),
      "agents.main.connection_timeout",
      "write the unit, such as 30s",
    ],
    [
      "parts of a second",
      inAgent("connection_timeout: «500ms"),
      "agents.main.connection_timeout",
      'found "500ms", wanted whole seconds',
    ],
    [
      "an address without http",
      inAgent("troubleshooting_url: «ftp://x"),
      "agents.main.troubleshooting_url",
      "http:// or https://",
    ],
    [
      "a bad variable",
      inAgent("env: { «A-B: x }"),
      "agents.main.env.A-B",
      "not beginning with a digit",
    ],
    ["a null variable", inAgent("env: { A: «~ }"), "agents.main.env.A", "null"],
    [
      "an unknown display app",
      inAgent("display_apps: [vscode, «emacs]"),
      "agents.main.display_apps[1]",
      "wanted one of vscode",
    ],
    [
      "a display app twice",
      inAgent("display_apps: «[vscode, vscode]"),
      "agents.main.display_apps",
      "twice",
    ],
    [
      "a list of scripts",
      inAgent("scripts: «[x]"),
      "agents.main.scripts",
      "found a list, wanted a map",
    ],
    [
      "a relative volume",
      inAgent("monitoring: { volumes: { «home: { threshold: 5 } } }"),
      "agents.main.monitoring.volumes.home",
      "absolute path",
    ],
    [
      "a strange percentage",
      inAgent("monitoring: { memory: { threshold: «101 } }"),
      "agents.main.monitoring.memory.threshold",
      "from 1 to 100",
    ],
    [
      "no interval at all",
      inAgent("metadata: { a: { run: x, interval: «0s } }"),
      "agents.main.metadata.a.interval",
      "from 1s to 1d",
    ],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });
});

describe("problems of dev containers", () => {
  const declared = "driver: external\nagents:\n  main:\n    dev_containers:\n      ";
  const path = "agents.main.dev_containers";
  it.each([
    ["no directory", `${declared}«site: {}`, `${path}.site`, "missing key `workspace_folder`"],
    [
      "an empty directory",
      `${declared}site: { workspace_folder: «"" }`,
      `${path}.site.workspace_folder`,
      "the directory of a project",
    ],
    [
      "the name of an agent",
      `${declared}«main: { workspace_folder: a }`,
      `${path}.main`,
      "duplicate name `main`",
    ],
    [
      "one directory twice",
      `${declared}a: { workspace_folder: x }\n      «b: { workspace_folder: x }`,
      `${path}.b`,
      "the same directory and configuration as in `a`",
    ],
    [
      "a driver whose agents start none",
      inAgent("dev_containers:\n  «site: { workspace_folder: x }"),
      `${path}.site`,
      "workspaces have no containers",
    ],
  ])("says where %s is", (_, text, at, message) => {
    expectProblem(text, at, message);
  });

  it("are at most 32", () => {
    const some = Array.from(
      { length: 33 },
      (_, at) => `      d${at}: { workspace_folder: w${at} }`,
    );
    const text = `driver: external\nagents:\n  main:\n    «dev_containers:\n${some.join("\n")}\n`;
    expectProblem(text, path, "found 33 entries, wanted at most 32");
  });
});

describe("problems of scripts", () => {
  const path = "agents.main.scripts.s";
  it.each([
    ["a script that never runs", inAgent("scripts:\n  «s: { run: x }"), path, "never runs"],
    [
      "a script without a command",
      inAgent("scripts:\n  «s: { run_on: [start] }"),
      path,
      "missing key `run`",
    ],
    [
      "an empty command",
      inAgent('scripts:\n  s: { run: «"", run_on: [start] }'),
      `${path}.run`,
      "empty",
    ],
    [
      "cron among the moments",
      inAgent('scripts:\n  s: { run: x, run_on: [start, «cron: "* * * * *"] }'),
      `${path}.run_on[1]`,
      "key `cron` of the script",
    ],
    [
      "log-in waiting for a stop script",
      inAgent("scripts:\n  s: { run: x, run_on: [stop], blocks_login: «true }"),
      `${path}.blocks_login`,
      "does not run on start",
    ],
    ["an @ form", inScript('cron: «"@daily"'), `${path}.cron`, "@ forms are not supported"],
    ["four fields", inScript('cron: «"* * * *"'), `${path}.cron`, "found 4 fields"],
    [
      "an hour that is none",
      inScript('cron: «"0 24 * * *"'),
      `${path}.cron`,
      'found "24" for the hour',
    ],
    ["an unknown zone", inScript('cron: «"TZ=Moon/Base 0 3 * * *"'), `${path}.cron`, "time zone"],
    [
      "a truth value that is a text",
      inScript("blocks_login: «yes"),
      `${path}.blocks_login`,
      "wanted true or false",
    ],
    [
      "a text with a comma",
      inScript("display_name: a, «b"),
      `${path}.b`,
      "a text with a comma needs quotes here",
    ],
  ])("says where %s is", (_, text, at, message) => {
    expectProblem(text, at, message);
  });
});

describe("agents that are known by their machines", () => {
  const external = (lines: string) =>
    inAgent(lines).replace("driver: process", "driver: external\nparameters: { machine: {} }");

  it.each([
    ["aws-instance-identity", "i-0123456789abcdef0"],
    ["azure-instance-identity", "${{ parameters.machine }}"],
    ["google-instance-identity", "vm-${{ parameters.machine }}"],
  ])("reads %s", (auth, instanceId) => {
    const text = external(`auth: ${auth}\ninstance_id: "${instanceId}"`);
    expect(parsed(text).agents[0]?.identity).toEqual({ auth, instanceId });
  });

  it("knows all others by their tokens", () => {
    expect(parsed(external("auth: token")).agents[0]?.identity).toBeUndefined();
    expect(parsed(`${head}${agent}`).agents[0]?.identity).toBeUndefined();
  });

  it.each([
    [
      "a cloud that is none",
      external("auth: «aws\ninstance_id: i-1"),
      "agents.main.auth",
      "wanted one of token, aws-instance-identity, azure-instance-identity, google-instance-identity",
    ],
    [
      "no machine",
      external("auth: «aws-instance-identity"),
      "agents.main.auth",
      "found `aws-instance-identity` without `instance_id`, wanted both",
    ],
    [
      "a machine of an agent with a token",
      external("«instance_id: i-1"),
      "agents.main.instance_id",
      "wanted `auth` to be one of aws-instance-identity",
    ],
    [
      "what cannot name a machine",
      external("auth: aws-instance-identity\ninstance_id: «i 1"),
      "agents.main.instance_id",
      'found "i 1", wanted 1 to 256 visible ASCII characters without spaces',
    ],
    [
      "an empty name of a machine",
      external('auth: aws-instance-identity\ninstance_id: «""'),
      "agents.main.instance_id",
      "found an empty string, wanted the id of a cloud instance",
    ],
    [
      "a parameter that there is not",
      external("auth: aws-instance-identity\ninstance_id: «${{ parameters.machin }}"),
      "agents.main.instance_id",
      "unknown parameter in `${{ parameters.",
    ],
    [
      "a driver that starts agents itself",
      inAgent("auth: «aws-instance-identity\ninstance_id: i-1"),
      "agents.main.auth",
      "found `aws-instance-identity` with the driver `process`, which starts agents with their tokens, wanted `token`, or the driver `external`",
    ],
  ])("refuses %s", (_, text, path, message) => {
    expectProblem(text, path, message);
  });
});
