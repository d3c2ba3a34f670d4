import { contract } from "@slipway/api/contract";
import { routePath, routesOf } from "@slipway/api/contract/route";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import {
  aboutOneThing,
  type ListQuestion,
  questions,
  sameForAll,
} from "./support/authorization-lists.ts";
import { table } from "./support/authorization-table.ts";
import { callerNames, openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

/** Returns whether a schema is an array, or has a member that contains one. */
function holdsList(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  if ("type" in schema && schema.type === "array") return true;
  const properties: unknown = "properties" in schema ? schema.properties : undefined;
  return (
    typeof properties === "object" &&
    properties !== null &&
    Object.values(properties).some(
      (value: unknown) =>
        typeof value === "object" && value !== null && "type" in value && value.type === "array",
    )
  );
}

describe("what lists hold", () => {
  it("is said of each route for users that answers with a list", () => {
    const listing = routesOf(contract)
      .filter(({ route }) => route.method === "GET" && route.caller === "user")
      .filter(({ route }) => route.kind === "json" || route.kind === "json-or-socket")
      .filter(({ route }) => holdsList(route.response))
      .map(({ name }) => name);
    const said = [...new Set(questions.map(({ route }) => route)), ...aboutOneThing, ...sameForAll];
    expect(said.toSorted()).toEqual(listing.toSorted());
  });

  it.each(questions.map((question) => [titleOf(question), question] as const))(
    "%s",
    async (_title, question) => {
      const lists = new Map<string, readonly string[] | undefined>();
      const wanted = new Map<string, readonly string[] | undefined>();
      for (const caller of callerNames) {
        wanted.set(caller, question.expected[caller]);
        lists.set(caller, await listFor(question, world.callers[caller]));
      }
      expect(lists).toEqual(wanted);
    },
  );

  it("is only for those whom the table of routes lets in", () => {
    const strangers = questions
      .filter(({ params }) => params === undefined)
      .flatMap(({ route, expected }) =>
        callerNames.filter(
          (caller) => (expected[caller] !== undefined) !== (table[route]?.statuses[caller] === 200),
        ),
      );
    expect(strangers).toEqual([]);
  });
});

function titleOf({ route, params, query }: ListQuestion): string {
  const whose = params === undefined ? "" : ` of ${Object.values(params).join(", ")}`;
  return `${route}${whose}${query === undefined ? "" : ` with ${query}`}`;
}

/** Resolves to the items of a list, or to undefined if the response is not a list. */
async function listFor(
  { route: name, params, query }: ListQuestion,
  headers: Readonly<Record<string, string>>,
): Promise<readonly string[] | undefined> {
  const route = routesOf(contract).find((one) => one.name === name)?.route;
  if (route === undefined) throw new Error(`there is no route ${name}`);
  const path = routePath(route, { ...world.ids, ...params });
  const { status, body } = await server.request("GET", `${path}?${query ?? ""}`, undefined, {
    headers,
  });
  if (status !== 200) return undefined;
  return [...new Set(itemsOf(body).map(label))].toSorted();
}

type Item = Readonly<Record<string, unknown>>;

/** Returns the list in a body, which may be next to a count. */
function itemsOf(body: unknown): readonly Item[] {
  const found: unknown = Array.isArray(body)
    ? body
    : Object.values(Object(body)).find((value) => Array.isArray(value));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bodies of our own contract
  return found as readonly Item[];
}

/** Returns a label with the owner and the name of an item. */
function label(item: Item): string {
  if ("token_name" in item) return `${String(item["username"])}:${String(item["token_name"])}`;
  if ("owner_name" in item) return `${String(item["owner_name"])}/${String(item["name"])}`;
  if ("resource_target" in item) {
    return `${String(item["resource_type"])} ${String(item["resource_target"])}`;
  }
  if ("type" in item) return jobLabel(item);
  return String(item["username"] ?? item["template_name"]);
}

function jobLabel({ type, metadata }: Item): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bodies of our own contract
  const { workspace_id: id } = metadata as { readonly workspace_id?: string };
  if (id === undefined) return String(type);
  return `${String(type)} of ${id === world.ids["workspace"] ? "ann" : "bob"}/dev`;
}
