import { driversWith } from "@slipway/drivers";
import { containerDrivers } from "@slipway/template";
import { expect, it } from "vitest";

it("requires containers of templates for the drivers that run them", () => {
  expect(driversWith("hasContainers").toSorted()).toEqual(containerDrivers.toSorted());
});
