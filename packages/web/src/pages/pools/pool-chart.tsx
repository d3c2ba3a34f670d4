import type { ReactNode } from "react";

import { duration } from "../../ui/time-text.ts";
import { largestCount, linePoints, type PoolSample } from "./pool-samples.ts";

const size = { width: 480, height: 72 };

const lines = [
  ["Desired", (sample: PoolSample) => sample.desired, "stroke-ink-faint"],
  ["Building", (sample: PoolSample) => sample.building, "stroke-warn"],
  ["Ready", (sample: PoolSample) => sample.ready, "stroke-good"],
] as const;

/** The counts of a pool over the time that this page has watched it. */
export function PoolChart({ samples }: { readonly samples: readonly PoolSample[] }): ReactNode {
  const last = samples.at(-1);
  const first = samples[0];
  if (first === undefined || last === undefined) return null;
  const most = largestCount(samples);
  const text = lines.map(([name, count]) => `${name.toLowerCase()} ${count(last)}`).join(", ");
  return (
    <figure className="flex min-w-0 flex-col gap-2">
      <svg
        role="img"
        aria-label={`Now ${text}`}
        viewBox={`-2 -4 ${size.width + 4} ${size.height + 8}`}
        preserveAspectRatio="none"
        className="h-20 w-full rounded-md bg-sunken"
      >
        {lines.map(([name, count, stroke]) => (
          <polyline
            key={name}
            points={linePoints(samples, count, most, size)}
            className={stroke}
            fill="none"
            strokeWidth={2}
            strokeDasharray={name === "Desired" ? "4 4" : undefined}
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <figcaption className="flex flex-wrap justify-between gap-x-4 text-xs text-ink-soft">
        <span className="flex flex-wrap gap-x-4">
          {lines.map(([name, , stroke]) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <svg aria-hidden width={14} height={4} className={stroke}>
                <line
                  x1={0}
                  y1={2}
                  x2={14}
                  y2={2}
                  strokeWidth={2}
                  strokeDasharray={name === "Desired" ? "4 3" : undefined}
                />
              </svg>
              {name}
            </span>
          ))}
        </span>
        <span className="tabular-nums">
          {last.atMs > first.atMs
            ? `the last ${duration(last.atMs - first.atMs)}`
            : "recording since you opened this page"}
        </span>
      </figcaption>
    </figure>
  );
}
