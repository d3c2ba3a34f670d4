import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { TemplateDefinition } from "./definition.ts";
import { maxAgents, maxProblems } from "./limits.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";

const drivers = ["process", "external"];
const head = "driver: process\n";
const agent = "agents: { main: {} }\n";

function exampleText(name: string): string {
  return readFileSync(new URL(`../../../examples/${name}.slipway.yaml`, import.meta.url), "utf8");
}

function parsed(text: string): TemplateDefinition {
  const result = parseTemplateDefinition(text, { drivers });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

/** `«` in the text marks where the only problem is expected. */
function expectProblem(marked: string, path: string, message: string): void {
  const before = marked.slice(0, marked.indexOf("«")).split("\n");
  const result = parseTemplateDefinition(marked.replace("«", ""), { drivers });
  expect(result).toEqual({
    problems: [
      {
        line: before.length,
        column: (before.at(-1) ?? "").length + 1,
        path,
        message: expect.stringContaining(message),
      },
    ],
  });
}

const inAgent = (lines: string) => `${head}agents:\n  main:\n${lines.replaceAll(/^/gm, "    ")}`;
const inParameter = (lines: string) =>
  `${head}${agent}parameters:\n  p:\n${lines.replaceAll(/^/gm, "    ")}`;
const inScript = (entry: string) => inAgent(`scripts:\n  s: { run: x, run_on: [start], ${entry} }`);
const inApp = (entries: string) => inAgent(`apps:\n  a: { ${entries} }`);
const inSchedule = (text: string) =>
  `${head}${agent}presets:\n  p:\n    prebuilds:\n      instances: 1\n      schedule: ${text}`;

describe("the examples", () => {
  it("parses the starter template as it stands", () => {
    const definition = parsed(exampleText("demo"));
    expect(definition).toMatchObject({
      driver: "process",
      displayName: "Small box",
      icon: "/icon/terminal.svg",
      presets: [
        { name: "quick", displayName: "Quick start", isDefault: true, prebuilds: undefined },
      ],
    });
    expect(definition.parameters[0]?.validation).toEqual({
      regex: "^[a-z ]{1,20}$",
      error: "lower-case letters and spaces, at most 20",
      min: undefined,
      max: undefined,
      monotonic: undefined,
    });
    expect(definition.parameters[1]).toMatchObject({
      name: "size",
      formType: "radio",
      isMutable: false,
    });
    const main = definition.agents[0];
    expect(main).toMatchObject({ directory: "~/project", connectionTimeoutSeconds: 120 });
    expect(main?.scripts[0]).toMatchObject({
      key: "prepare",
      blocksLogin: true,
      timeoutSeconds: 300,
    });
    expect(main?.metadata.map(({ key, order }) => [key, order])).toEqual([
      ["load", 0],
      ["disk", 1],
      ["memory", 2],
    ]);
    expect(main?.apps[0]?.health).toEqual({
      url: "http://localhost:${{ parameters.docs_port }}/",
      intervalSeconds: 10,
      threshold: 3,
    });
    expect(main?.displayApps).toEqual([
      "vscode",
      "ssh_helper",
      "port_forwarding_helper",
      "web_terminal",
    ]);
  });

  it("parses the pool as it stands", () => {
    const definition = parsed(exampleText("pool"));
    expect(definition.agents[0]?.directory).toBe("~");
    expect(definition.presets[0]).toMatchObject({
      parameters: [{ name: "color", value: "blue" }],
      prebuilds: {
        instances: 3,
        expireAfterSeconds: 86_400,
        schedule: {
          timezone: "Europe/Berlin",
          windows: [{ cron: "* 8-18 * * 1-5", instances: 5 }],
        },
      },
    });
  });

  it("parses the template without infrastructure as it stands", () => {
    const definition = parsed(exampleText("external"));
    expect(definition.presets[0]?.prebuilds).toEqual({
      instances: 0,
      expireAfterSeconds: 0,
      schedule: undefined,
    });
    expect(
      definition.agents[0]?.scripts.map(({ runOnStart, runOnStop }) => [runOnStart, runOnStop]),
    ).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it.each(["demo", "pool", "external"])("reads %s the same after a way through JSON", (name) => {
    const definition = parsed(exampleText(name));
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
  });
});

describe("a text that a comma tears apart", () => {
  it.each([
    ["a few words, or more", "a few words, or more"],
    ["a few  words ,\n     or   more", "a few  words , or   more"],
    ["one,\n\n     two \n three,  four five", "one, two three,  four five"],
  ])("is put together: %j", (written, wanted) => {
    const text = `driver: process\nparameters: { p: { description: ${written} } }\nagents: { main: {} }`;
    expect(parsed(text).parameters[0]?.description).toBe(wanted);
  });
});

describe("many regular expressions", () => {
  const template = (regex: string) => {
    const line = (_: unknown, index: number) =>
      `  p${index}: { validation: { regex: '${regex}' } }`;
    const lines = Array.from({ length: 100 }, line);
    return `driver: process\nparameters:\n${lines.join("\n")}\nagents: { main: {} }\n`;
  };

  it.each([
    ["of many characters", "a|".repeat(50), "parameters.p40.validation.regex"],
    ["that compile to much", "a{900}", "parameters.p22.validation.regex"],
  ])("%s are refused together", (_, regex, path) => {
    const result = parseTemplateDefinition(template(regex), { drivers });
    expect(result).toMatchObject({
      problems: [{ path, message: expect.stringContaining("wanted at most 4096 and 20000") }],
    });
  });

  it("are fine where they are usual ones", () => {
    expect(parsed(template("^[a-z0-9-]{1,63}$")).parameters).toHaveLength(100);
  });
});

describe("defaults and readings", () => {
  it("applies every default to the smallest template", () => {
    expect(parsed(`${head}agents:\n  main:\n`).agents).toEqual([
      {
        name: "main",
        os: "linux",
        arch: "amd64",
        directory: "",
        connectionTimeoutSeconds: 120,
        troubleshootingUrl: "",
        motdFile: "",
        env: {},
        scripts: [],
        metadata: [],
        apps: [],
        displayApps: ["vscode", "ssh_helper", "port_forwarding_helper", "web_terminal"],
        monitoring: undefined,
      },
    ]);
  });

  it("keeps numbers and truth values of the environment as they are written", () => {
    expect(parsed(inAgent("env: { A: 1.10, B: true, C: 0x10, D: '' }")).agents[0]?.env).toEqual({
      A: "1.10",
      B: "true",
      C: "0x10",
      D: "",
    });
  });

  it("makes the text of a list of texts out of a YAML list", () => {
    const definition = parsed(inParameter("type: list(string)\ndefault: [a, b]"));
    expect(definition.parameters[0]).toMatchObject({
      default: '["a","b"]',
      formType: "tag-select",
    });
  });

  it("gives a cron of five fields a second, because agents read five as second to month", () => {
    const cron = (text: string) => parsed(inScript(`cron: "${text}"`)).agents[0]?.scripts[0]?.cron;
    expect(cron("0 3 * * *")).toBe("0 0 3 * * *");
    expect(cron("5 0 3 * * mon-fri")).toBe("5 0 3 * * mon-fri");
    expect(cron("TZ=Europe/Berlin */5 3 * jan *")).toBe("TZ=Europe/Berlin 0 */5 3 * jan *");
  });

  it("follows anchors and aliases", () => {
    const text = inAgent("scripts:\n  a: &a { run: x, run_on: [start] }\n  b: *a");
    expect(parsed(text).agents[0]?.scripts.map(({ key, run }) => [key, run])).toEqual([
      ["a", "x"],
      ["b", "x"],
    ]);
  });

  it("reads monitoring", () => {
    const text = "monitoring: { memory: { threshold: 80 }, volumes: { /home: { threshold: 90 } } }";
    expect(parsed(inAgent(text)).agents[0]?.monitoring).toEqual({
      memoryThreshold: 80,
      volumes: [{ path: "/home", threshold: 90 }],
    });
  });
});

describe("problems of the file", () => {
  it.each([
    ["a syntax error", `${head}agents: [«`, "", "invalid YAML"],
    ["a second document", `${head}${agent}«---\nx: 1\n`, "", "second YAML document"],
    ["a tag", "driver: «!foo process", "", "YAML tag"],
    ["a list", "«- a", "", "found a list, wanted a map"],
    ["a bare word", "«word", "", 'found "word", wanted a map'],
    [
      "a mistyped key",
      `${head}${agent}«paramters: {}`,
      "paramters",
      "unknown key `paramters`; did you mean `parameters`?",
    ],
    ["a strange key", `${head}${agent}«zzz: 1`, "zzz", "known keys: driver, "],
    ["a key that is a list", `${head}${agent}? «[a]\n: 1`, "?", "unknown key"],
    ["a missing key", `«${agent}`, "", "missing key `driver`"],
    ["a key given twice", `${head}${agent}«agents: { b: {} }`, "agents", "duplicate key `agents`"],
    ["an alias without an anchor", `${head}agents: «*x`, "agents", "without an anchor"],
    [
      "a mistyped driver",
      `driver: «proces\n${agent}`,
      "driver",
      "unknown driver `proces`; did you mean `process`? available: process, external",
    ],
    [
      "a driver that the server lacks",
      `driver: «terraform\n${agent}`,
      "driver",
      "not available on this server; available: process, external",
    ],
    ["a driver that is a number", `driver: «5\n${agent}`, "driver", "found the number 5"],
    ["an icon that is neither", `${head}${agent}icon: «x.svg`, "icon", "wanted a path"],
    [
      "an expression where none is replaced",
      `${head}${agent}display_name: «\${{ owner.name }}`,
      "display_name",
      "not replaced in this field",
    ],
    ["a NUL", `${head}${agent}display_name: «"a\\0"`, "display_name", "found a NUL"],
    [
      "half a surrogate pair",
      `${head}${agent}display_name: «"\\ud800"`,
      "display_name",
      "surrogate",
    ],
    [
      "a text that is too long",
      `${head}${agent}display_name: «${"x".repeat(257)}`,
      "display_name",
      "found 257 characters, wanted at most 256",
    ],
    ["no agent", `${head}«agents: {}`, "agents", "found 0 entries, wanted at least 1"],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });

  it("refuses more agents than the limit", () => {
    const agents = Array.from({ length: maxAgents + 1 }, (_, index) => `  a${index}: {}\n`).join(
      "",
    );
    expectProblem(
      `${head}«agents:\n${agents}`,
      "agents",
      `found ${maxAgents + 1} entries, wanted at most ${maxAgents}`,
    );
  });

  it("tells all problems at once, in the order of the file", () => {
    const text = "driver: nope\nagents:\n  Main:\n    os: beos\n    directory: ~\nextra: 1\n";
    const result = parseTemplateDefinition(text, { drivers });
    expect("problems" in result ? result.problems.map(({ line }) => line) : []).toEqual([
      1, 3, 4, 5, 6,
    ]);
  });

  it("stops telling problems at the limit and says so", () => {
    const keys = Array.from({ length: 500 }, (_, index) => `x${index}: 1\n`).join("");
    const result = parseTemplateDefinition(head + agent + keys, { drivers });
    const problems = "problems" in result ? result.problems : [];
    expect(problems).toHaveLength(maxProblems + 1);
    expect(problems.at(-1)?.message).toContain("not listed");
  });
});

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

describe("problems of expressions", () => {
  const script = (text: string) => inAgent(`scripts:\n  s:\n    run_on: [start]\n    run: ${text}`);
  const path = "agents.main.scripts.s.run";
  it.each([
    ["an unknown name", script("echo «${{ owner.nam }}"), "did you mean `owner.name`?"],
    [
      "an unknown parameter",
      script("echo «${{ parameters.x }}"),
      "unknown parameter in `${{ parameters.",
    ],
    [
      "one in a block",
      script("|\n      a ${{ owner.id }}\n        b «${{ nope }} ${{ owner.id }}\n"),
      "unknown expression",
    ],
    ["one in a folded block", script(">-\n      a\n      b «${{ nope }}\n"), "unknown expression"],
    ["one between quotes and escapes", script('"\\t\\"«${{ nope }}"'), "unknown expression"],
    ["one behind an escaped one", script("$${{ nope }} «${{ nope }}"), "unknown expression"],
    ["one without an end", script("«${{ owner.id"), "without `}}`"],
    ["one in another", script("«${{ a ${{ owner.id }} }}"), "unknown expression"],
  ])("says where %s is", (_, text, message) => {
    expectProblem(text, path, message);
  });

  it("suggests the parameter that was meant", () => {
    const text = `${head}parameters: { color: { default: x } }\nagents:\n  main:\n    env:\n`;
    expectProblem(
      `${text}      A: «\${{ parameters.colour }}`,
      "agents.main.env.A",
      "did you mean `color`?",
    );
  });

  it("points at the text where escapes hide the place", () => {
    expectProblem(script('«"\\x24{{ nope }}"'), path, "unknown expression");
  });
});

describe("problems of apps", () => {
  const path = "agents.main.apps.a";
  it.each([
    [
      "neither address nor command",
      inAgent("apps:\n  «a: {}"),
      path,
      "neither `url` nor `command`",
    ],
    [
      "both",
      inAgent('apps:\n  «a: { url: "http://x", command: x }'),
      path,
      "both `url` and `command`",
    ],
    [
      "a bad slug",
      inAgent('apps:\n  «a--b: { url: "http://x" }'),
      "agents.main.apps.a--b",
      "single dashes",
    ],
    [
      "a slug twice",
      inAgent('apps:\n  a: { url: "http://x" }\n  «a: { url: "http://y" }'),
      path,
      "duplicate key `a`",
    ],
    ["no address", inApp("url: «localhost"), `${path}.url`, "wanted a URL"],
    [
      "an address that a browser runs",
      inApp("external: true, url: «'javascript:alert(1)'"),
      `${path}.url`,
      "does not run code",
    ],
    [
      "an editor's address that is not external",
      inApp("url: «'vscode://x'"),
      `${path}.url`,
      "`external: true`",
    ],
    [
      "a host name for an external app",
      inApp("external: true, url: 'x://y', «subdomain: true"),
      `${path}.subdomain`,
      "external app",
    ],
    [
      "health without an address",
      inApp("url: 'http://x', «health: {}"),
      `${path}.health`,
      "missing key `url`",
    ],
    [
      "a threshold of none",
      inApp("url: 'http://x', health: { url: 'http://x', threshold: «0 }"),
      `${path}.health.threshold`,
      "whole number from 1",
    ],
    [
      "a health address that is none",
      inApp("url: 'http://x', health: { url: «'http:/x' }"),
      `${path}.health.url`,
      "http://",
    ],
    [
      "an unknown level",
      inApp("url: 'http://x', share: «everyone"),
      `${path}.share`,
      "owner, authenticated, organization, public",
    ],
  ])("says where %s is", (_, text, at, message) => {
    expectProblem(text, at, message);
  });

  it("refuses a slug that two agents have", () => {
    const text = `${head}agents:\n  a: { apps: { x: { command: y } } }\n  b: { apps: { «x: { command: y } } }`;
    expectProblem(text, "agents.b.apps.x", "agent `a` already has it");
  });

  it("takes an address with expressions", () => {
    expect(parsed(inApp('url: "http://${{ workspace.name }}:80"')).agents[0]?.apps).toHaveLength(1);
    expect(parsed(inApp('url: "${{ owner.name }}"')).agents[0]?.apps).toHaveLength(1);
  });
});

describe("problems of parameters", () => {
  it.each([
    [
      "a bad name",
      `${head}${agent}parameters: { «1a: {} }`,
      "parameters.1a",
      "beginning with a letter",
    ],
    [
      "an unknown type",
      inParameter("type: «text"),
      "parameters.p.type",
      "wanted one of string, number, bool, list(string)",
    ],
    [
      "a default of another type",
      inParameter("type: number\ndefault: «x"),
      "parameters.p.default",
      "wanted a number",
    ],
    [
      "a default that is no truth value",
      inParameter("type: bool\ndefault: «yes"),
      "parameters.p.default",
      "wanted true or false",
    ],
    [
      "a default that is no list",
      inParameter("type: list(string)\ndefault: «a"),
      "parameters.p.default",
      "JSON array",
    ],
    [
      "a default that is no option",
      inParameter("default: «c\noptions: [{ name: A, value: a }]"),
      "parameters.p.default",
      'found "c", wanted one of "a"',
    ],
    [
      "a default that breaks the rule",
      inParameter("default: «x\nvalidation: { regex: ^a }"),
      "parameters.p.default",
      "matches ^a",
    ],
    [
      "a default below the least",
      inParameter("type: number\ndefault: «1\nvalidation: { min: 2 }"),
      "parameters.p.default",
      "at least 2",
    ],
    [
      "an expression that does not compile",
      inParameter("validation: { regex: «'(' }"),
      "parameters.p.validation.regex",
      "does not compile",
    ],
    [
      "an expression that compiles to too much",
      inParameter("validation: { regex: «'(x{0,1000}){0,1000}' }"),
      "parameters.p.validation.regex",
      "wanted at most 1000",
    ],
    [
      "an expression that clients do not know",
      inParameter("validation: { regex: «'(?=a)' }"),
      "parameters.p.validation.regex",
      "no look-around",
    ],
    [
      "an expression for a number",
      inParameter("type: number\nvalidation: { «regex: a }"),
      "parameters.p.validation.regex",
      "which only a string can have",
    ],
    [
      "a limit for a text",
      inParameter("validation: { «min: 1 }"),
      "parameters.p.validation.min",
      "which only a number can have",
    ],
    [
      "limits the wrong way round",
      inParameter("type: number\nvalidation: { min: «3, max: 2 }"),
      "parameters.p.validation.min",
      "wanted at most `max`",
    ],
    [
      "an option of another type",
      inParameter("type: number\noptions: [{ name: A, value: «a }]"),
      "parameters.p.options[0].value",
      "wanted a number",
    ],
    [
      "an option twice",
      inParameter("options: [{ name: A, value: a }, { name: B, value: «a }]"),
      "parameters.p.options[1].value",
      'duplicate value "a"',
    ],
    [
      "an option without a value",
      inParameter("options: [«{ name: A }]"),
      "parameters.p.options[0]",
      "missing key `value`",
    ],
    [
      "a form that does not fit",
      inParameter("form_type: «slider"),
      "parameters.p.form_type",
      "wanted one of input, textarea",
    ],
    [
      "an ephemeral one without a default",
      `${head}${agent}parameters:\n  «p: { ephemeral: true }`,
      "parameters.p",
      "needs a `default`",
    ],
    [
      "an ephemeral one that is fixed",
      inParameter("default: a\nephemeral: true\nmutable: «false"),
      "parameters.p.mutable",
      "wanted true",
    ],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });
});

describe("problems of presets", () => {
  const parameters = "parameters: { p: { type: number } }\n";
  const preset = (text: string) => `${head}${agent}${parameters}presets:\n  a: ${text}`;
  it.each([
    [
      "an unknown parameter",
      preset("{ parameters: { «q: 1 } }"),
      "presets.a.parameters.q",
      "unknown parameter `q`",
    ],
    [
      "a value that does not fit",
      preset("{ parameters: { p: «x } }"),
      "presets.a.parameters.p",
      "wanted a number",
    ],
    [
      "a second default",
      preset("{ default: true }\n  b: { default: «true }"),
      "presets.b.default",
      "`a` already is the default",
    ],
    [
      "a pool without a required value",
      preset("{ prebuilds: { instances: 1 } }").replace("  a:", "  «a:"),
      "presets.a",
      "missing `p`",
    ],
    [
      "fewer than no prebuilds",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «-1 } }"),
      "presets.a.prebuilds.instances",
      "from 0 to 1000",
    ],
    [
      "parts of a prebuild",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «1.5 } }"),
      "presets.a.prebuilds.instances",
      "whole number",
    ],
    [
      "a bad time",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: 1, expire_after: «soon } }"),
      "presets.a.prebuilds.expire_after",
      "whole seconds",
    ],
    [
      "more prebuilds than there may be",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: «1001 } }"),
      "presets.a.prebuilds.instances",
      "from 0 to 1000",
    ],
    [
      "a pool without a number",
      preset("{ parameters: { p: 1 }, «prebuilds: { expire_after: 1h } }"),
      "presets.a.prebuilds",
      "missing key `instances`",
    ],
    [
      "a key of pools that there is not",
      preset("{ parameters: { p: 1 }, prebuilds: { instances: 1, «instnaces: 2 } }"),
      "presets.a.prebuilds.instnaces",
      "instances",
    ],
  ])("says where %s is", (_, text, path, message) => {
    expectProblem(text, path, message);
  });

  const path = "presets.p.prebuilds.schedule";
  it.each([
    [
      "an unknown zone",
      inSchedule('{ timezone: «Berlin, windows: [{ cron: "* 1 * * *", instances: 1 }] }'),
      `${path}.timezone`,
      "IANA",
    ],
    [
      "an offset as zone",
      inSchedule('{ timezone: «"+02:00", windows: [{ cron: "* 1 * * *", instances: 1 }] }'),
      `${path}.timezone`,
      "IANA",
    ],
    ["no windows", inSchedule("{ timezone: UTC, «windows: [] }"), `${path}.windows`, "at least 1"],
    [
      "a minute",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"0 1 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "whole hours",
    ],
    [
      "six fields",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"0 * 1 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "found 6 fields",
    ],
    [
      "an hour that there is not",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"* 25 * * *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      'found "25" for the hour',
    ],
    [
      "a day that never comes",
      inSchedule('{ timezone: UTC, windows: [{ cron: «"* 8 31 2 *", instances: 1 }] }'),
      `${path}.windows[0].cron`,
      "never occurs",
    ],
    [
      "fewer than no prebuilds during a window",
      inSchedule('{ timezone: UTC, windows: [{ cron: "* 8 * * *", instances: «-1 }] }'),
      `${path}.windows[0].instances`,
      "from 0 to 1000",
    ],
    [
      "windows without a zone",
      inSchedule('{ windows: [{ cron: "* 8 * * *", instances: 1 }] }').replace("sch", "«sch"),
      path,
      "missing key `timezone`",
    ],
    [
      "windows that overlap",
      inSchedule(
        '{ timezone: UTC, windows: [{ cron: "* 8-12 * * 1-5", instances: 1 }, { cron: «"* 12 * * fri", instances: 2 }] }',
      ),
      `${path}.windows[1].cron`,
      "overlaps with windows[0]",
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
