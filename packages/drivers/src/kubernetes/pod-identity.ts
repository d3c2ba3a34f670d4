import { type JsonObject, listOf, objectOf, textOf, textsOf, Turnstile } from "@slipway/runtime";

import { identityAudience } from "./agent-pod.ts";
import type { ClusterContext } from "./cluster-context.ts";
import { isEnding, kinds, readObject, uidOf } from "./cluster-objects.ts";
import { type MarkedAgent, readMarks } from "./pod-marks.ts";
import { sandbox, statefulSet } from "./pod-owner.ts";

/** Tokens of pods are about 1,200 characters long. */
const maxTokenLength = 8_192;

/** The reviews that proceed at a time. */
const maxReviews = 8;

/** Proves by the cluster which agent's pod holds a token. Strangers make it ask: few questions proceed at a time. */
export class PodIdentity {
  readonly #reviews = new Turnstile((inside) => inside < maxReviews);

  /** Returns the agent of the pod to which a token belongs; undefined if it belongs to none that lives. */
  async prove(
    context: Omit<ClusterContext, "log">,
    token: string,
    signal: AbortSignal,
  ): Promise<MarkedAgent | undefined> {
    if (token.length > maxTokenLength || !isForUs(token)) return undefined;
    return this.#reviews.run(signal, () => review(context, token, signal));
  }
}

/** Returns whether a token claims to be for us: any other costs the cluster nothing. */
function isForUs(token: string): boolean {
  const [, payload = "", signature = ""] = token.split(".");
  if (signature === "") return false;
  try {
    const { aud, exp } = objectOf(JSON.parse(Buffer.from(payload, "base64url").toString()));
    return textsOf(aud).includes(identityAudience) && typeof exp === "number";
  } catch {
    return false; // Not JSON.
  }
}

async function review(
  context: Omit<ClusterContext, "log">,
  token: string,
  signal: AbortSignal,
): Promise<MarkedAgent | undefined> {
  const { connection, deploymentId } = context;
  const { status } = await connection.json({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/tokenreviews",
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token, audiences: [identityAudience] },
    },
    signal,
  });
  const { authenticated, audiences, user } = objectOf(status);
  const { username, extra } = objectOf(user);
  const isOfNamespace = textOf(username).startsWith(
    `system:serviceaccount:${connection.endpoint.namespace}:`,
  );
  // An API server that knows no audiences accepts its own tokens.
  const isProved = authenticated === true && textsOf(audiences).includes(identityAudience);
  const [name, uid] = ["pod-name", "pod-uid"].map((field) =>
    textOf(listOf(objectOf(extra)[`authentication.kubernetes.io/${field}`])[0]),
  );
  if (!isProved || !isOfNamespace || !name || !uid) return undefined;
  const pod = await readObject(connection, kinds.pods, name, signal);
  if (pod === undefined || uidOf(pod) !== uid || isEnding(pod)) return undefined;
  const marks = readMarks(pod, deploymentId);
  if (marks === undefined) return undefined;
  const owned = await readOwner(context, pod, signal);
  // A pod of an earlier build may live on for a while.
  const isCurrent =
    owned !== undefined && readMarks(owned, deploymentId)?.tokenHash === marks.tokenHash;
  return isCurrent ? marks : undefined;
}

/** Reads the object that created a pod, whatever marks the pod has; undefined if the driver did not create it. */
async function readOwner(
  { connection }: Omit<ClusterContext, "log">,
  pod: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const references = listOf(objectOf(pod["metadata"])["ownerReferences"]).map(objectOf);
  const reference = references.find(({ controller }) => controller === true);
  const kind = [sandbox, statefulSet]
    .map((owner) => owner.kind)
    .find((one) => one.kind === reference?.["kind"]);
  if (reference === undefined || kind === undefined) return undefined;
  const object = await readObject(connection, kind, textOf(reference["name"]), signal);
  return object !== undefined && uidOf(object) === reference["uid"] ? object : undefined;
}
