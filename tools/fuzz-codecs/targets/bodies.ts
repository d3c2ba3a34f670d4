import { contract } from "@slipway/api/contract";
import { routesOf } from "@slipway/api/contract/route";
import {
  answerOf,
  createValidator,
  encodeJson,
  unstorableField,
  validationError,
} from "@slipway/server/testing";
import type { ErrorObject } from "ajv";

import { expectSame, expectThat, valueOf } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

const routes = routesOf(contract).filter(({ route }) => route.method !== "GET");

interface Check {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

let checks: readonly Check[] | undefined;

/** Returns the validators of all bodies, compiled once because that takes a second. */
function compiled(): readonly Check[] {
  const validator = createValidator();
  checks ??= routes.map(({ route }) => validator.compile(route.body));
  return checks;
}

/** Request bodies: JSON, and every schema with which the server validates bodies. */
export const bodiesTarget: FuzzTarget = {
  name: "bodies",
  maxBytes: 32 * 1024,
  maxMs: 250,
  words: [
    ...new Set(routes.flatMap(({ route }) => keysOf(route.body)).map((key) => `"${key}":`)),
    "[",
    "{",
    "null",
    "1e999",
    "\\u0000",
    "\\ud800",
    '"__proto__":',
    "[".repeat(64),
  ],
  seeds: () => {
    compiled();
    return [
      ...routes.map(({ route }) =>
        utf8(
          `{${keysOf(route.body)
            .map((key) => `"${key}":"x"`)
            .join(",")}}`,
        ),
      ),
      utf8('{"name":"box","rich_parameter_values":[{"name":"a","value":"b"}],"ttl_ms":null}'),
      utf8(`${"[".repeat(2000)}${"]".repeat(2000)}`),
    ];
  },
  check: (input) => {
    const value = valueOf((): unknown => JSON.parse(textOf(input)), SyntaxError);
    if (value === undefined) return;
    for (const check of compiled()) {
      if (check(value)) continue;
      const { status, body } = answerOf(validationError(check.errors ?? []));
      expectSame("a status", status, 400);
      expectThat(JSON.stringify(body).length < 40_000 + input.length * 20, "an answer is bounded");
    }
    unstorableField(value);
    const encoded = encodeJson(value);
    expectThat(!/[<>&\u2028\u2029]/.test(encoded), "JSON is safe in HTML");
    expectSame("JSON written and read", JSON.stringify(JSON.parse(encoded)), JSON.stringify(value));
  },
};

function keysOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return "properties" in schema &&
    typeof schema.properties === "object" &&
    schema.properties !== null
    ? Object.keys(schema.properties)
    : [];
}
