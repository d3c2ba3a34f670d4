import { describe, expect, it } from "vitest";

import type { TemplateDefinition } from "./definition.ts";
import { parseTemplateDefinition } from "./parse-definition.ts";
import { renderDefinition, type RenderValues, TemplateFormatError } from "./render-definition.ts";
import { isShellWord } from "./shell-text.ts";
import { expressionNames } from "./template-text.ts";

const head = "driver: process\nparameters: { color: {}, my-path: {} }\nagents:\n  main:\n";
const parse = (agent: string) => parseTemplateDefinition(head + agent, { drivers: ["process"] });

function parsed(agent: string): TemplateDefinition {
  const result = parse(agent);
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.definition;
}

/** A script, a metadata command and an app's command. */
const shellTexts = (text: string) => `
    scripts: { s: { run_on: [start], run: ${JSON.stringify(text)} } }
    metadata: { m: { run: ${JSON.stringify(text)} } }
    apps: { a: { command: ${JSON.stringify(text)} } }
`;

describe("an expression in text that a shell runs", () => {
  it("is refused where a user chooses its value, with its place and the way to do it", () => {
    const result = parse(`    scripts:
      s:
        run_on: [start]
        run: |
          echo hello
          echo "\${{ workspace.name }} \${{ parameters.color }}"
`);
    expect(result).toEqual({
      problems: [
        {
          line: 10,
          column: 39,
          path: "agents.main.scripts.s.run",
          message:
            'found `${{ parameters.color }}` in text that a shell runs, where its value, which a user chooses, would run as code; put it in the agent\'s `env: { COLOR: "${{ parameters.color }}" }` and write `"$COLOR"` here',
        },
      ],
    });
  });

  it.each(["parameters.color", "parameters.my-path", "owner.name", "owner.email"])(
    "is refused everywhere for %s",
    (name) => {
      const result = parse(shellTexts(`echo \${{ ${name} }}`));
      const paths = "problems" in result ? result.problems.map(({ path }) => path) : [];
      expect(paths).toEqual([
        "agents.main.scripts.s.run",
        "agents.main.metadata.m.run",
        "agents.main.apps.a.command",
      ]);
    },
  );

  it.each([
    ["parameters.my-path", "MY_PATH"],
    ["owner.name", "OWNER_NAME"],
  ])("is better handed over: %s as %s", (name, variable) => {
    const agent = `    env: { ${variable}: "\${{ ${name} }}" }${shellTexts(`echo "$${variable}"`)}`;
    expect(parse(agent)).toHaveProperty("definition");
    const refused = JSON.stringify(parse(shellTexts(`echo \${{ ${name} }}`)));
    expect(refused).toContain(`env: { ${variable}: `);
  });

  it("names no variable that shells know already", () => {
    const text = head.replace("color", "path") + shellTexts("${{ parameters.path }}");
    const result = JSON.stringify(parseTemplateDefinition(text, { drivers: ["process"] }));
    expect(result).toContain("env: { PARAMETER_PATH: ");
  });

  it("stays where its value is a name or an id, and where it is escaped", () => {
    const safe = expressionNames.filter((name) => name !== "owner.name" && name !== "owner.email");
    const text = safe.map((name) => `\${{ ${name} }}`).join(" ");
    expect(parse(shellTexts(text))).toHaveProperty("definition");
    expect(parse(shellTexts("$${{ parameters.color }}"))).toHaveProperty("definition");
  });
});

const values: RenderValues = {
  parameters: [
    { name: "color", value: "$(id)" },
    { name: "my-path", value: "" },
  ],
  owner: { id: "0-1", username: "ada", name: "$(id)", email: "a@b" },
  workspace: { id: "2-3", name: "box" },
  template: { name: "demo", version: "v1.0_a" },
};

describe("a build", () => {
  it.each(["parameters.color", "owner.name"])(
    "does not run %s as code, of a version that was pushed when it could stand there",
    (name) => {
      for (const place of ["scripts", "metadata", "apps"] as const) {
        const definition = parsed(shellTexts("PLACEHOLDER"));
        const [main] = definition.agents;
        if (main === undefined) throw new Error("there is no agent");
        const texts = JSON.stringify(main[place]).replace("PLACEHOLDER", `\${{ ${name} }}`);
        const stored = { ...definition, agents: [{ ...main, [place]: JSON.parse(texts) }] };
        expect(() => renderDefinition(stored, values)).toThrow(
          /^agent main, \w+ \w: found `\$\{\{ .* runs, .*; push a new version of the template$/,
        );
      }
    },
  );

  it.each(["a;b", "a b", "$(id)", "`id`", "-rf", ".", "..", "a\nb", "a'b", 'a"b', "a/b", "é"])(
    "does not put the name %j into a shell's text",
    (name) => {
      const definition = parsed(shellTexts("echo ${{ template.version }}"));
      const template = { name: "demo", version: name };
      expect(() => renderDefinition(definition, { ...values, template })).toThrow(
        TemplateFormatError,
      );
      expect(isShellWord(name)).toBe(false);
    },
  );

  it("puts in names and ids", () => {
    const text = "${{ owner.id }} ${{ workspace.name }} ${{ template.version }} ${{ agent.name }}";
    const [agent] = renderDefinition(parsed(shellTexts(text)), values);
    expect(agent?.scripts[0]?.run).toBe("0-1 box v1.0_a main");
    expect(agent?.metadata[0]?.run).toBe("0-1 box v1.0_a main");
    expect(agent?.apps[0]?.command).toBe("0-1 box v1.0_a main");
  });
});

describe("an address of an app", () => {
  const app = (url: string, more = "") =>
    parsed(`    apps: { a: { url: ${JSON.stringify(url)}${more} } }`);
  const rendered = (definition: TemplateDefinition, value: string) =>
    renderDefinition(definition, {
      ...values,
      parameters: [
        { name: "color", value },
        { name: "my-path", value: "" },
      ],
    })[0]?.apps[0]?.url;

  it("is looked at once more with its values", () => {
    const external = app("${{ parameters.color }}", ", external: true");
    expect(rendered(external, "https://example.com")).toBe("https://example.com");
    expect(rendered(external, "vscode://x/y")).toBe("vscode://x/y");
    for (const value of [
      "javascript:alert(1)",
      " \tjavascript:alert(1)",
      "java\nscript:alert(1)",
      "data:text/html,x",
      "nothing",
    ]) {
      expect(() => rendered(external, value)).toThrow(/^agent main, app a: found "/);
    }
    const split = app("j${{ parameters.color }}:alert(1)", ", external: true");
    expect(() => rendered(split, "avascript")).toThrow(/does not run code/);
  });

  it("stays one of the workspace", () => {
    const inside = app("${{ parameters.color }}/x");
    expect(rendered(inside, "http://localhost:80")).toBe("http://localhost:80/x");
    expect(() => rendered(inside, "vscode://host")).toThrow(/wanted one that starts with http/);
    const health = app("http://localhost", ", health: { url: '${{ parameters.color }}' }");
    expect(rendered(health, "http://localhost/h")).toBe("http://localhost");
    expect(() => rendered(health, "ftp://localhost/h")).toThrow(
      /wanted a URL that starts with http/,
    );
  });

  it.each(["java\tscript:alert(1)", "\u0001javascript:x", "JavaScript:x", "view-source:http://x"])(
    "is refused at push as %j",
    (url) => {
      const agent = `    apps: { a: { url: ${JSON.stringify(url)}, external: true } }`;
      expect(parse(agent)).toHaveProperty("problems");
    },
  );
});
