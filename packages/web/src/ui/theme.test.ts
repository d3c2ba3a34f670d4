import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

const css = await readFile(new URL("theme.css", import.meta.url), "utf8");

/** The colors of both themes by their names, as 24-bit numbers. */
const colors = new Map(
  [...css.matchAll(/--color-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }] as const,
  ),
);

const surfaces = ["canvas", "surface", "raised", "sunken", "hover"];
/** Texts with the surfaces that they stand on, besides those of every text. */
const pairs = [
  ...["ink", "ink-soft", "ink-faint", "accent", "good", "warn", "bad"].flatMap((text) =>
    surfaces.map((surface) => [text, surface] as const),
  ),
  ...["accent", "good", "warn", "bad"].flatMap((state) => [
    [state, `${state}-soft`] as const,
    ["ink-soft", `${state}-soft`] as const,
  ]),
  ["on-accent", "accent"] as const,
  ["on-accent", "accent-hover"] as const,
  ["on-bad", "bad"] as const,
];

/** The contrast of WCAG 2.2, success criteria 1.4.3 and 1.4.11. */
const textContrast = 4.5;
const controlContrast = 3;

describe.each(["light", "dark"] as const)("the %s theme", (theme) => {
  it.each(pairs)("has enough contrast for the text %s on %s", (text, surface) => {
    expect(contrast(text, surface, theme)).toBeGreaterThanOrEqual(textContrast);
  });

  it.each(["surface", "raised", "canvas"])("shows the borders of controls on %s", (surface) => {
    expect(contrast("line-strong", surface, theme)).toBeGreaterThanOrEqual(controlContrast);
  });
});

function contrast(first: string, second: string, theme: "light" | "dark"): number {
  const [lower = 0, higher = 0] = [first, second]
    .map((name) => luminance(colors.get(name)?.[theme] ?? `no color ${name}`))
    .toSorted((a, b) => a - b);
  return (higher + 0.05) / (lower + 0.05);
}

/** Returns the relative luminance of WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
