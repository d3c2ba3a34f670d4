/** One watched resource, with the usage in percent from which to warn. */
export interface ResourceMonitor {
  /** Undefined: memory. */
  readonly volume: string | undefined;
  readonly threshold: number;
}

/** Reads the monitors in an agent's row; skips malformed ones. */
export function readMonitors(json: unknown): readonly ResourceMonitor[] {
  if (!isObject(json)) return [];
  const memory = json["memoryThreshold"];
  const volumes = json["volumes"];
  return [
    ...(typeof memory === "number" ? [{ volume: undefined, threshold: memory }] : []),
    ...(Array.isArray(volumes) ? volumes : []).flatMap(readVolume),
  ];
}

function readVolume(json: unknown): readonly ResourceMonitor[] {
  if (!isObject(json)) return [];
  const { path, threshold } = json;
  if (typeof path !== "string" || typeof threshold !== "number") return [];
  return [{ volume: path, threshold }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
