import { describe, expect, it } from "vitest";

import { parseTemplateDefinition } from "./parse-definition.ts";
import {
  mayFailToRender,
  renderDefinition,
  type RenderValues,
  TemplateFormatError,
} from "./render-definition.ts";

const values: RenderValues = {
  parameters: [{ name: "color", value: "${{ owner.id }} $1" }],
  owner: { id: "u1", username: "ada", name: "Ada L", email: "ada@x" },
  workspace: { id: "w1", name: "box" },
  template: { name: "demo", version: "v1" },
};

function definitionOf(agents: string) {
  const text = `driver: process\nparameters: { color: { default: red } }\nagents:\n${agents}`;
  const result = parseTemplateDefinition(text, { drivers: ["process"] });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

const env = (text: string) => definitionOf(`  main: { env: { A: ${JSON.stringify(text)} } }`);
const rendered = (text: string) => renderDefinition(env(text), values)[0]?.env["A"];

describe("renderDefinition", () => {
  it.each([
    [
      "${{ owner.id }} ${{owner.username}} ${{ owner.name }} ${{   owner.email\n}}",
      "u1 ada Ada L ada@x",
    ],
    ["${{ workspace.id }}/${{ workspace.name }}", "w1/box"],
    ["${{ template.name }}@${{ template.version }}", "demo@v1"],
    ["${{ agent.name }}", "main"],
    ["no expression: $x ${x} {{ y }} }} $${z}", "no expression: $x ${x} {{ y }} }} $${z}"],
  ])("renders %j", (text, wanted) => {
    expect(rendered(text)).toBe(wanted);
  });

  it("renders the directories of dev containers, none of which may become empty", () => {
    const text =
      "driver: external\nparameters: { repo: { default: site } }\nagents:\n  main:\n    dev_containers:\n" +
      "      dev: { workspace_folder: '${{ parameters.repo }}', config_path: '${{ workspace.name }}.json' }\n";
    const result = parseTemplateDefinition(text, { drivers: ["external"] });
    if ("problems" in result) throw new Error(JSON.stringify(result.problems));
    const render = (value: string) =>
      renderDefinition(result.definition, {
        ...values,
        parameters: [{ name: "repo", value }],
      })[0]?.devContainers;
    expect(render("code")).toEqual([
      { name: "dev", workspaceFolder: "code", configPath: "box.json" },
    ]);
    expect(mayFailToRender(result.definition)).toBe(true);
    expect(() => render("")).toThrow(TemplateFormatError);
  });

  it("gives each workspace a port, the same at every build", () => {
    const portOf = (id: string) =>
      renderDefinition(env("${{ workspace.port }}"), {
        ...values,
        workspace: { id, name: "box" },
      })[0]?.env["A"];
    const ids = Array.from({ length: 200 }, () => crypto.randomUUID());
    const ports = ids.map((id) => Number(portOf(id)));
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    // On average 198 of them differ.
    expect(new Set(ports).size).toBeGreaterThan(180);
    expect(ids.map((id) => Number(portOf(id)))).toEqual(ports);
  });

  it.each(["", "  "])("uses the username of an owner whose full name is %j", (name) => {
    const render = (text: string) =>
      renderDefinition(env(text), { ...values, owner: { ...values.owner, name } })[0]?.env["A"];
    expect(render("${{ owner.name }}")).toBe("ada");
  });

  it("refuses texts that a long value makes too long together", () => {
    const color = "x".repeat(16 * 1024);
    const render = (count: number) =>
      renderDefinition(env("${{ parameters.color }}".repeat(count)), {
        ...values,
        parameters: [{ name: "color", value: color }],
      });
    expect(render(127)[0]?.env["A"]).toHaveLength(127 * color.length);
    expect(() => render(129)).toThrow(
      "with these values the texts of the template exceed 2097152 characters",
    );
  });

  it("puts values in as they are and does not look at them again", () => {
    expect(rendered("<${{ parameters.color }}>")).toBe("<${{ owner.id }} $1>");
  });

  it.each([
    ["$${{ owner.id }}", "${{ owner.id }}"],
    ["$$${{ owner.id }}", "$u1"],
    ["$$$${{ owner.id }}", "$${{ owner.id }}"],
    ["$${{ ${{ owner.id }}", "${{ u1"],
  ])("reads %j with its escapes", (text, wanted) => {
    expect(rendered(text)).toBe(wanted);
  });

  it("renders every text of an agent that may hold expressions, for each agent by its name", () => {
    const agent = [
      "    directory: ~/${{ agent.name }}",
      "    env: { A: '${{ agent.name }}' }",
      "    scripts: { s: { display_name: '${{ agent.name }}', run: '${{ agent.name }}', run_on: [start] } }",
      "    metadata: { m: { display_name: '${{ agent.name }}', run: '${{ agent.name }}' } }",
    ].join("\n");
    const apps = [
      "    apps:",
      "      a: { display_name: '${{ agent.name }}', url: 'http://${{ agent.name }}', health: { url: 'http://${{ agent.name }}/h' } }",
      "      b: { command: '${{ agent.name }}' }",
    ].join("\n");
    const agents = renderDefinition(
      definitionOf(`  one:\n${agent}\n${apps}\n  two:\n${agent}`),
      values,
    );
    expect(JSON.stringify(agents)).not.toContain("${{");
    expect(agents[1]).toMatchObject({ directory: "~/two", env: { A: "two" } });
    expect(agents[0]?.scripts[0]).toMatchObject({ displayName: "one", run: "one" });
    expect(agents[0]?.metadata[0]).toMatchObject({ displayName: "one", run: "one" });
    expect(agents[0]?.apps[0]).toMatchObject({
      displayName: "one",
      url: "http://one",
      health: { url: "http://one/h" },
    });
    expect(agents[0]?.apps[1]).toMatchObject({ command: "one" });
  });

  it("renders a definition that was stored as JSON", () => {
    const stored = JSON.parse(JSON.stringify(env("${{ owner.id }}")));
    expect(renderDefinition(stored, values)[0]?.env).toEqual({ A: "u1" });
  });

  it("throws for a parameter without a value", () => {
    const definition = env("${{ parameters.color }}");
    expect(() => renderDefinition(definition, { ...values, parameters: [] })).toThrow(
      TemplateFormatError,
    );
  });

  describe("names machines", () => {
    const machine = (id: string) => {
      const text =
        "driver: external\nparameters: { color: {} }\nagents:\n  main:\n" +
        "    auth: aws-instance-identity\n    instance_id: ${{ parameters.color }}\n";
      const parsed = parseTemplateDefinition(text, { drivers: ["external"] });
      if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
      const parameters = [{ name: "color", value: id }];
      return renderDefinition(parsed.definition, { ...values, parameters })[0]?.identity;
    };

    it.each(["i-1", "!", "~".repeat(256)])("as %s", (id) => {
      expect(machine(id)).toEqual({ auth: "aws-instance-identity", instanceId: id });
    });

    it.each(["", " ", "i 1", "i-1\n", "ï-1", "\u007f", "x".repeat(257)])("but not as %j", (id) => {
      expect(() => machine(id)).toThrow(
        /^agent main: found the instance_id ".*", wanted 1 to 256 visible ASCII characters/,
      );
    });
  });
});
