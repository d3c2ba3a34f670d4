import { afterEach, expect, it } from "vitest";

import {
  answerFrom,
  type ApiHandler,
  openApiServer,
  refuse,
  type TestApiServer,
} from "../../tests/support/api-server.ts";
import { createObject, deleteObject, kinds, mergeObject } from "./cluster-objects.ts";

/* Changes that come twice, late or at the same moment as those of others. */

const opened: TestApiServer[] = [];
const { signal } = new AbortController();
const sets = "/apis/apps/v1/namespaces/n/statefulsets";

afterEach(async () => {
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]();
});

async function open(handle: ApiHandler): Promise<TestApiServer> {
  const server = await openApiServer(handle);
  opened.push(server);
  return server;
}

it("deletes and changes what is gone without an error, and not what it may not", async () => {
  const { connection } = await open(answerFrom({}));
  await deleteObject(connection, kinds.statefulSets, "a", signal);
  const merged = mergeObject(connection, kinds.statefulSets, "a", { spec: {} }, signal);
  expect(await merged).toBeUndefined();
  const strict = await open((_request, response) => refuse(response, 403, "Forbidden"));
  const deleted = deleteObject(strict.connection, kinds.statefulSets, "a", signal);
  await expect(deleted).rejects.toMatchObject({ status: 403 });
});

it("deletes an object together with what belongs to it", async () => {
  const bodies: unknown[] = [];
  const { connection } = await open(({ body }, response) => {
    bodies.push(body);
    response.end("{}");
  });
  await deleteObject(connection, kinds.statefulSets, "a", signal);
  expect(bodies).toEqual([{ propagationPolicy: "Background" }]);
});

const claims = "/api/v1/namespaces/n/persistentvolumeclaims";

it("returns the object that has the name already, unchanged", async () => {
  const found = { metadata: { name: "a", uid: "1" } };
  const table = answerFrom({ [`GET ${claims}/a`]: found });
  const { connection, requests } = await open((request, response) =>
    request.method === "POST" ? refuse(response, 409, "AlreadyExists") : table(request, response),
  );
  const object = { metadata: { name: "a" } };
  expect(await createObject(connection, kinds.claims, object, signal)).toEqual(found);
  expect(requests).toEqual([`POST ${claims}`, `GET ${claims}/a`]);
});

it("creates an object whose name was freed in between, and gives up when that goes on", async () => {
  let refusals = 1;
  const { connection, requests } = await open(({ method, body }, response) => {
    if (method === "GET") refuse(response, 404, "NotFound");
    else if (refusals > 0) refuse(response, 409, "AlreadyExists");
    else response.end(JSON.stringify(body));
    if (method === "GET") refusals -= 1;
  });
  const object = { metadata: { name: "a" } };
  expect(await createObject(connection, kinds.claims, object, signal)).toMatchObject(object);
  refusals = Infinity;
  const before = requests.length;
  await expect(createObject(connection, kinds.claims, object, signal)).rejects.toMatchObject({
    reason: "AlreadyExists",
  });
  expect(requests.length - before).toBe(10);
});

it("addresses the objects of its namespace alone", async () => {
  const { connection, requests } = await open(answerFrom({}));
  await deleteObject(connection, kinds.statefulSets, "../../x/pods/y", signal);
  expect(requests).toEqual([`DELETE ${sets}/..%2F..%2Fx%2Fpods%2Fy`]);
});
