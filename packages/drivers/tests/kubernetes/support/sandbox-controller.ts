import { objectOf, textOf } from "@slipway/runtime";
import type { TestCluster } from "@slipway/testkit/clusters";

import { namespace } from "./cluster-stage.ts";

/*
 * agent-sandbox as far as the driver uses it: its kind of objects, and a controller that keeps a pod of the same name for each
 * object whose mode is Running. The project's own controller cannot be built here.
 */

const group = "agents.x-k8s.io";
const inNamespace = `-n${namespace}`;

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: {
    name: `sandboxes.${group}`,
    annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
  },
  spec: {
    group,
    scope: "Namespaced",
    names: { kind: "Sandbox", plural: "sandboxes", singular: "sandbox" },
    versions: [
      {
        name: "v1beta1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["podTemplate"],
                properties: {
                  operatingMode: {
                    type: "string",
                    enum: ["Running", "Suspended"],
                    default: "Running",
                  },
                  podTemplate: {
                    type: "object",
                    required: ["spec"],
                    properties: {
                      metadata: {
                        type: "object",
                        properties: { labels: texts(), annotations: texts() },
                      },
                      spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

function texts() {
  return { type: "object", additionalProperties: { type: "string" } };
}

/** Adds the kind to the cluster, and runs the controller until it is disposed of, which removes both. */
export async function openSandboxes(cluster: TestCluster): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  await cluster.kubectl(["create", "-f", "-"], { input: JSON.stringify(definition) });
  opening.defer(async () => {
    await cluster.kubectl(["delete", "crd", definition.metadata.name]);
  });
  await cluster.kubectl(["wait", "--for=condition=Established", `crd/sandboxes.${group}`]);
  let last = Promise.resolve();
  opening.defer(() => last);
  const args = ["get", `sandboxes.${group}`, inNamespace, "--watch"];
  opening.use(
    cluster.follow([...args, "-o", 'jsonpath={.metadata.name}{"\\n"}'], (name) => {
      last = last.then(() => reconcile(cluster, name));
    }),
  );
  const opened = opening.move();
  return { [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Creates or deletes the pod of an object. */
async function reconcile(cluster: TestCluster, name: string): Promise<void> {
  const read = ["get", `sandboxes.${group}`, name, inNamespace, "--ignore-not-found", "-o", "json"];
  const text = await cluster.kubectl(read);
  if (text === "") return;
  const { apiVersion, kind, metadata, spec } = objectOf(JSON.parse(text));
  const { podTemplate, operatingMode } = objectOf(spec);
  const pod = await cluster.kubectl(["get", "pod", name, inNamespace, "--ignore-not-found"]);
  if (operatingMode === "Suspended") {
    await cluster.kubectl(["delete", "pod", name, inNamespace, "--ignore-not-found"]);
  } else if (pod === "") {
    const template = objectOf(podTemplate);
    const uid = textOf(objectOf(metadata)["uid"]);
    const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
    const { labels, annotations } = objectOf(template["metadata"]);
    const created = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels, annotations, ownerReferences: [owner] },
      spec: template["spec"],
    };
    await cluster.kubectl(["create", inNamespace, "-f", "-"], { input: JSON.stringify(created) });
  }
}
