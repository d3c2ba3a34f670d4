import { type ParameterDefinition, parseTemplateDefinition } from "@slipway/template";
import { describe, expect, it } from "vitest";

import { chooseParameters } from "./start-parameters.ts";

const parsed = parseTemplateDefinition(
  `
driver: external
parameters:
  gpu: { type: bool, default: false, mutable: true }
  gpus: { type: number, default: 1, mutable: true }
  once: { type: string, default: none, ephemeral: true }
presets:
  fast: { parameters: { gpu: true } }
agents: { main: { os: linux, arch: amd64 } }
`,
  { drivers: ["external"], refused: new Map() },
);
if (!("definition" in parsed)) throw new Error("the template is wrong");
const { definition } = parsed;
const [gpu, gpus] = definition.parameters;

/** A version of which \`gpus\` is there only if \`gpu\` is on. */
const version = {
  id: "v2",
  presets: [{ id: "p1", name: "fast" }],
  definition: {
    ...definition,
    parameters: definition.parameters.filter(({ name }) => name !== "gpus"),
    parameterSources: definition.parameters.map(({ name, isEphemeral }) => ({
      address: `data.coder_parameter.${name}`,
      name,
      mayBeEphemeral: isEphemeral,
    })),
  },
};

function evaluation(...parameters: readonly (ParameterDefinition | undefined)[]) {
  const found = parameters.filter((one) => one !== undefined);
  return { versionId: "v2", previousId: undefined, parameters: found };
}

const nothing = { given: [], presetId: undefined, previous: undefined, evaluation: undefined };
const given = [
  { name: "gpu", value: "true" },
  { name: "gpus", value: "2" },
];

describe("the values of a start whose parameters depend on each other", () => {
  it("are those of the parameters that were read for it", () => {
    const sources = { ...nothing, given, evaluation: evaluation(gpu, gpus) };
    expect(chooseParameters(version, sources)).toEqual(given);
    expect(() => chooseParameters(version, { ...sources, evaluation: evaluation(gpu) })).toThrow(
      expect.objectContaining({ validations: [expect.objectContaining({ field: "gpus" })] }),
    );
  });

  it("are refused if they were given for another version, or nothing was read", () => {
    const other = { ...evaluation(gpu, gpus), versionId: "v1" };
    for (const read of [undefined, other]) {
      const sources = { ...nothing, given, evaluation: read };
      expect(() => chooseParameters(version, sources)).toThrow(
        expect.objectContaining({ code: "conflict" }),
      );
    }
  });

  it("stay as they are if none is given, except for those of one build and of no parameter", () => {
    const previous = [...given, { name: "once", value: "x" }, { name: "removed", value: "y" }];
    expect(chooseParameters(version, { ...nothing, previous })).toEqual(given);
    expect(chooseParameters(version, nothing)).toEqual([]);
  });

  it("are those of a preset before those of the previous build", () => {
    const previous = [{ name: "gpu", value: "false" }];
    expect(chooseParameters(version, { ...nothing, previous, presetId: "p1" })).toEqual([
      { name: "gpu", value: "true" },
    ]);
    expect(() => chooseParameters(version, { ...nothing, presetId: "p2" })).toThrow();
  });
});
