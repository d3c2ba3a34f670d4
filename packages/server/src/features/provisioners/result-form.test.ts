import { expect, it } from "vitest";

import { parseReading } from "./result-form.ts";

const definition = {
  driver: "terraform",
  displayName: "",
  description: "",
  icon: "",
  parameters: [],
  presets: [],
  agents: [],
};

function parse(fields: object): unknown {
  const reading = { definition: { ...definition, ...fields }, resources: [] };
  return parseReading(Buffer.from(JSON.stringify(reading))).definition;
}

it("takes the places that declare parameters, whose names may vary", () => {
  const parameterSources = [
    { address: "data.coder_parameter.size", name: "size", mayBeEphemeral: false },
    { address: "data.coder_parameter.each", mayBeEphemeral: true },
  ];
  expect(parse({ parameterSources })).toMatchObject({ parameterSources });
  expect(() => parse({ parameterSources: [{ name: "size" }] })).toThrow(TypeError);
  expect(() => parse({ somethingElse: [] })).toThrow(TypeError);
});
