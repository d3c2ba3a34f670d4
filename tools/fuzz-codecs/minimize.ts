/**
 * Returns a shorter and simpler input that still fails: the smallest that fast-check shrinks it to within `maxTries`.
 */
export async function minimize(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
  maxTries = 2_000,
): Promise<Uint8Array> {
  // Loaded for a finding only: each query reports V8's coverage of every loaded module.
  const { default: fc } = await import("fast-check");
  const anyBytes = fc.uint8Array();
  let best = new fc.Value<Uint8Array>(input, undefined);
  let tries = 0;
  for (let isBetter = true; isBetter;) {
    isBetter = false;
    for (const candidate of anyBytes.shrink(Uint8Array.from(best.value), best.context)) {
      tries += 1;
      if (tries > maxTries) return best.value;
      isBetter = await fails(candidate.value);
      if (!isBetter) continue;
      best = candidate;
      break;
    }
  }
  return best.value;
}
