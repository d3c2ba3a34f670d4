import { describe, expect, it } from "vitest";

import {
  drivers,
  exampleText,
  head,
  inAgent,
  inParameter,
  inScript,
  parsed,
} from "../tests/support/template-texts.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";

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
      url: "http://localhost:${{ workspace.port }}/",
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

  it.each(["demo", "docker", "external", "pool"])(
    "reads %s the same after a way through JSON",
    (name) => {
      const definition = parsed(exampleText(name));
      expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
    },
  );
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
