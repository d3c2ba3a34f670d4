import { expect, it } from "vitest";

import { answerFrom, openApiServer, refuse } from "../../tests/support/api-server.ts";
import { createObject, deleteObject, kinds, mergeObject } from "./cluster-objects.ts";

/* Changes that come twice, late or at the same moment as those of others. */

const { signal } = new AbortController();
const sets = "/apis/apps/v1/namespaces/n/statefulsets";

it("deletes and changes what is gone without an error, and not what it may not", async () => {
  const { connection } = await openApiServer(answerFrom({}));
  await deleteObject(connection, kinds.statefulSets, "a", signal);
  const merged = mergeObject(connection, kinds.statefulSets, "a", { spec: {} }, signal);
  expect(await merged).toBeUndefined();
  const strict = await openApiServer((_request, response) => refuse(response, 403, "Forbidden"));
  const deleted = deleteObject(strict.connection, kinds.statefulSets, "a", signal);
  await expect(deleted).rejects.toMatchObject({ status: 403 });
});

it("deletes an object together with what belongs to it", async () => {
  const bodies: unknown[] = [];
  const { connection } = await openApiServer(({ body }, response) => {
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
  const { connection, requests } = await openApiServer((request, response) =>
    request.method === "POST" ? refuse(response, 409, "AlreadyExists") : table(request, response),
  );
  const object = { metadata: { name: "a" } };
  expect(await createObject(connection, kinds.claims, object, signal)).toEqual(found);
  expect(requests).toEqual([`POST ${claims}`, `GET ${claims}/a`]);
});

it("creates an object whose name was freed in between, and gives up when that goes on", async () => {
  let refusals = 1;
  const { connection, requests } = await openApiServer(({ method, body }, response) => {
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
  const { connection, requests } = await openApiServer(answerFrom({}));
  await deleteObject(connection, kinds.statefulSets, "../../x/pods/y", signal);
  expect(requests).toEqual([`DELETE ${sets}/..%2F..%2Fx%2Fpods%2Fy`]);
});
