import { expect, it } from "vitest";

import { type Prefix, type Quantity, quantityText } from "./quantity.ts";

const gibibyte = 2 ** 30;

it.each<[Quantity, Prefix, string]>([
  [{ used: 0, total: 2, unit: "cores" }, "Gi", "0/2 cores (0%)"],
  [{ used: 0.8, total: 4, unit: "cores" }, "Gi", "0.8/4 cores (20%)"],
  [{ used: 0.0954, total: 2, unit: "cores" }, "Gi", "0.095/2 cores (5%)"],
  [{ used: 1.239, total: null, unit: "cores" }, "Gi", "1.24 cores"],
  [{ used: 645_345_280, total: 25_276_502_016, unit: "B" }, "Gi", "0.601/23.5 GiB (3%)"],
  [{ used: 665_460_736, total: 25_276_502_016, unit: "B" }, "Mi", "635/24106 MiB (3%)"],
  [{ used: 33.5 * gibibyte, total: 252 * gibibyte, unit: "B" }, "Gi", "33.5/252 GiB (13%)"],
  [{ used: gibibyte, total: null, unit: "B" }, "Ki", "1048576 KiB"],
])("writes %j in %s as %s", (quantity, prefix, text) => {
  expect(quantityText(quantity, prefix)).toBe(text);
});
