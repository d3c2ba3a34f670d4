import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";

import { templateJsonSchema } from "@slipway/template";

import { templateReference } from "./template-reference.ts";

/* Writes the JSON schema of `slipway.yaml` for editors and the reference of its fields for people. */

const schemaFile = "packages/template/src/slipway.schema.json";
const referenceFile = "docs/template-reference.md";

const schema = templateJsonSchema();
await writeFile(schemaFile, `${JSON.stringify(schema, null, 2)}\n`);
await writeFile(referenceFile, templateReference(schema));
await promisify(execFile)("oxfmt", [schemaFile, referenceFile]);
