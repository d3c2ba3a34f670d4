import { listOf, objectOf, textOf } from "@slipway/runtime";

/** The state that a build passes to the next one: its containers, whatever their names are by then. */
export interface DockerState {
  readonly containers: readonly { readonly agent: string; readonly id: string }[];
}

export function encodeState(state: DockerState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}

/** Decodes a state; an absent or unreadable one has no containers. */
export function decodeState(bytes: Uint8Array | undefined): DockerState {
  if (bytes === undefined) return { containers: [] };
  try {
    const { containers } = objectOf(JSON.parse(new TextDecoder().decode(bytes)));
    return {
      containers: listOf(containers).map((one) => {
        const { agent, id } = objectOf(one);
        return { agent: textOf(agent), id: textOf(id) };
      }),
    };
  } catch {
    return { containers: [] }; // The labels remain.
  }
}
