import { readFileSync } from "node:fs";

import { listOf, objectOf, textOf, textsOf } from "@slipway/runtime";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

import { openApiServer } from "../../tests/support/api-server.ts";
import { requireRights } from "./cluster-rights.ts";
import { sandbox, statefulSet } from "./pod-owner.ts";

/* The rights that the driver checks are those of the Role in docs/kubernetes.md. */

const guide = new URL("../../../../docs/kubernetes.md", import.meta.url);

const { signal } = new AbortController();

/** Returns the rights that the guide tells operators to grant, as the driver names them: `get statefulsets.apps`. */
function documentedRights(): readonly string[] {
  const [, objects = ""] =
    /```yaml\n(.*?kind: Role\n.*?)```/s.exec(readFileSync(guide, "utf8")) ?? [];
  return parseAllDocuments(objects).flatMap((document) => {
    const { kind, rules } = objectOf(document.toJS());
    const scope = kind === "ClusterRole" ? " in the cluster" : "";
    return listOf(rules)
      .map(objectOf)
      .flatMap(({ apiGroups, resources, verbs }) =>
        textsOf(verbs).map((verb) => {
          const [group = ""] = textsOf(apiGroups);
          const [resource = ""] = textsOf(resources);
          return `${nameOf(verb, resource, group)}${scope}`;
        }),
      );
  });
}

function nameOf(verb: string, resource: string, group: string): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
}

/** Opens an API server that grants all rights but one, and collects those that it was asked for. */
async function openServer(denied?: string) {
  const asked = new Set<string>();
  const server = await openApiServer(({ body }, response) => {
    const { verb, resource, group, namespace } = objectOf(
      objectOf(body["spec"])["resourceAttributes"],
    );
    const right = nameOf(textOf(verb), textOf(resource), textOf(group));
    asked.add(`${right}${namespace === "n" ? "" : " in the cluster"}`);
    response.end(JSON.stringify({ status: { allowed: right !== denied } }));
  });
  return { ...server, asked };
}

it("asks for the rights that the guide grants, and for no others", async () => {
  const { connection, asked } = await openServer();
  await requireRights(connection, statefulSet, signal);
  await requireRights(connection, sandbox, signal);
  expect([...asked].toSorted()).toEqual(documentedRights().toSorted());
});

it.each(documentedRights())("names the right %s if it is missing", async (right) => {
  const denied = right.replace(" in the cluster", "");
  const { connection } = await openServer(denied);
  const owner = denied.includes("sandboxes") ? sandbox : statefulSet;
  await expect(requireRights(connection, owner, signal)).rejects.toThrow(
    `Kubernetes does not let the server ${right} (namespace n): grant it the Role`,
  );
});
