import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

export const getOpenApi = defineRoute({
  method: "GET",
  path: "/openapi.json",
  summary: "This description of the API, as an OpenAPI document",
  tag: "deployment",
  caller: "anyone",
  response: Type.Record(Type.String(), Type.Unknown()),
});
