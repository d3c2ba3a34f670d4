import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

export const getOpenApi = defineRoute({
  method: "GET",
  path: "/openapi.json",
  summary: "Get the OpenAPI document of this API",
  tag: "deployment",
  caller: "anyone",
  response: Type.Record(Type.String(), Type.Unknown()),
});
